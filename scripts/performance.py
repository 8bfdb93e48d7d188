"""Measure how the mesh scales and what activity costs, into ``docs/``: ``performance.py [scaling] [activity]``.

Takes half an hour; what the cache holds is not simulated again. ``docs.py`` writes ``docs/performance.md`` from it.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from neurogen.flow import activity, scaling, view  # noqa: E402

DOCS = ROOT / "docs"
SIDES, SEED = range(1, scaling.LARGEST + 1), 1


def write(name: str, found: dict, figure) -> None:
    """The JSON and the picture of one measurement."""
    (DOCS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (DOCS / f"{name}.svg").write_bytes(view.rendered(figure, "svg"))


def measure_scaling() -> None:
    curves = []
    for side in SIDES:
        for pattern in scaling.PATTERNS if side > 1 else ("uniform",):
            curves.append(scaling.sweep(side, pattern, SEED))
            curve = curves[-1]
            print(f"{side}x{side}, {pattern}: {curve.saturation:.3f} of {curve.limit:.3f}", flush=True)
        found = scaling.record(curves, SEED)
        write("scaling", found, scaling.picture(found))


def measure_activity() -> None:
    found = activity.measure(SEED, lambda done, total: print(f"activity {done} of {total}", flush=True))
    write("activity", found, activity.picture(found))


MEASUREMENTS = {"scaling": measure_scaling, "activity": measure_activity}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"there is no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 1
    for name in names or MEASUREMENTS:
        MEASUREMENTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
