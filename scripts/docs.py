"""Rewrite the generated parts of the documentation; ``docs.py --check`` exits 1 if one is out of date.

A generated part stands between the lines ``<!-- generated -->`` and ``<!-- end -->``.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from neurogen import catalog, formats  # noqa: E402
from neurogen.spec import neurons  # noqa: E402
from neurogen.spec.config import CoreConfig, FabricConfig  # noqa: E402

NAMES = {"ecp5": "ECP5", "ice40": "iCE40"}
COSTS = ROOT / "docs" / "costs.json"
EXAMPLE = FabricConfig(width=4, height=4, core=CoreConfig(values=True, graded=True))
BEGIN, END = "<!-- generated -->\n", "<!-- end -->\n"


def pages() -> dict[Path, str]:
    """Every page with a generated part, and that part."""
    found = {
        ROOT / "docs" / "neurons" / f"{neurons.model(record['name']).__name__.rpartition('.')[2]}.md": (
            catalog.neuron_markdown(record)
        )
        for record in catalog.neuron_models()
    }
    found[ROOT / "docs" / "formats.md"] = formats.markdown(EXAMPLE)
    if COSTS.exists():
        found[ROOT / "README.md"] = costs(json.loads(COSTS.read_text()))
    return found


def costs(record: dict) -> str:
    """What ``scripts/costs.py`` recorded, as a table."""
    return (
        catalog.markdown_table(
            [
                {
                    "core": row["core"],
                    "axons x neurons": f"{row['axons']} x {row['neurons']}",
                    "model": row["model"],
                    "weights": f"{row['weight_bits']} bits",
                    "banks x lanes": f"{row['banks']} x {row['lanes']}",
                    "operations": row["banks"] * row["lanes"],
                    **{f"{NAMES[family]}: LUT / FF / RAM / DSP": _resources(row[family]) for family in NAMES},
                }
                for row in record["cores"]
            ]
        )
        + f"\n\nyowasp-yosys {record['yosys']}; `make costs` measures this.\n"
    )


def _resources(found: dict[str, int]) -> str:
    return " / ".join(f"{found[kind]:,}" for kind in ("lut", "ff", "ram", "dsp"))


def renewed(text: str, part: str) -> str:
    """``text`` with its generated part replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + part + END + after


def main(arguments: list[str]) -> int:
    stale = [path for path, part in pages().items() if renewed(path.read_text(), part) != path.read_text()]
    if arguments != ["--check"]:
        for path in stale:
            path.write_text(renewed(path.read_text(), pages()[path]))
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} is out of date; make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
