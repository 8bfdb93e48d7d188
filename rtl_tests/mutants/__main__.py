"""Put every mutant on trial, print how each was found out, and fail if a survivor is not explained.

Verdicts are kept by the digest of all sources, so a run that was interrupted goes on where it stopped.
"""

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from neurogen.flow import cache
from neurogen.flow.emit import source_digest

from . import chance, hand
from .trial import judge

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "mutants"
EXPLANATIONS = Path(__file__).with_name("explanations.toml")
TESTS = ("*.py", "mutants/*.py")
NONE = "none"
"""The intact fabric, which has to survive."""


class Verdicts:
    """Verdicts of earlier runs on the same sources."""

    def __init__(self, path: Path):
        self._path = path
        sources = [(ROOT / "golden").rglob("*.py"), *((ROOT / "rtl_tests").glob(pattern) for pattern in TESTS)]
        texts = [file.read_text() for files in sources for file in sorted(files)]
        parts = ("rtl", "spec", "flow", "compiler", "host", "tb")
        self._digest = cache.digest(source_digest(parts), *texts)
        try:
            kept = json.loads(path.read_text())
        except (OSError, ValueError):
            kept = {}
        self._found = kept.get("verdicts", {}) if kept.get("sources") == self._digest else {}

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def __getitem__(self, name: str) -> str | None:
        return self._found[name]

    def __setitem__(self, name: str, verdict: str | None) -> None:
        self._found[name] = verdict
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({"sources": self._digest, "verdicts": self._found}, indent=1))
        part.replace(self._path)


def by_hand(verdicts: Verdicts) -> Iterator[str]:
    """Try what was made by hand, the intact fabrics first; names of the mutants, each once its verdict is there."""
    for item in (*hand.intact(), *hand.MUTATIONS):
        if item.name not in verdicts:
            verdicts[item.name] = hand.Damaged(item, FOLDER / "source").judge(FOLDER / "run")
        yield item.name


def at_random(verdicts: Verdicts) -> Iterator[str]:
    """Likewise, with what yosys draws."""
    mutants = chance.Mutants()
    names = {0: f"{NONE}, netlist"} | {item.number: str(item) for item in mutants.mutations}
    left = [number for number, name in names.items() if name not in verdicts]
    yield from (name for name in names.values() if name in verdicts)
    if left:
        for number, verdict in judge(mutants.specimen(), left, FOLDER / "run"):
            verdicts[names[number]] = verdict
            yield names[number]


KINDS = {"hand": by_hand, "random": at_random}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtl_tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", metavar="{" + ",".join(KINDS) + "}", help="default: all")
    kinds = parser.parse_args().kinds or list(KINDS)
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"kinds are {', '.join(KINDS)}, not {', '.join(sorted(unknown))}")
    reasons = tomllib.loads(EXPLANATIONS.read_text())
    verdicts, start = Verdicts(FOLDER / "verdicts.json"), time.monotonic()
    killed, survivors = 0, []
    for count, name in enumerate((name for kind in kinds for name in KINDS[kind](verdicts)), 1):
        verdict = verdicts[name]
        print(f"{count:4}  {name}\n        {verdict or 'survives'}", flush=True)
        if name.startswith(NONE):
            if verdict:
                print("the intact fabric fails, so no verdict would mean anything", file=sys.stderr)
                return 1
        elif verdict:
            killed += 1
        else:
            survivors.append((name, reasons.get(name)))
    return report(killed, survivors, time.monotonic() - start)


def report(killed: int, survivors: list[tuple[str, str | None]], seconds: float) -> int:
    """Totals and survivors; 1 if one of them has no explanation."""
    total = killed + len(survivors)
    print(f"\nmutants: {total}, killed: {killed} ({100 * killed / max(total, 1):.1f} %), {seconds:.0f} s")
    for name, reason in survivors:
        print(f"survives: {name}\n    {reason or 'NOT EXPLAINED'}")
    return 1 if not total or not all(reason for _, reason in survivors) else 0


if __name__ == "__main__":
    sys.exit(main())
