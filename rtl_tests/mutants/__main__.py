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

    def find(self, name: str, make) -> str | None:
        if name not in self._found:
            self._found[name] = make()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"sources": self._digest, "verdicts": self._found}, indent=1)
            part = self._path.with_suffix(".part")
            part.write_text(text)
            part.replace(self._path)
        return self._found[name]


def trials(kinds: list[str], only: str) -> Iterator[tuple[str, object]]:
    """(name, trial) of every mutant, the intact fabrics first; a trial returns how the mutant was found out."""
    folder = FOLDER / "run"
    if "hand" in kinds:
        for item in (*hand.intact(), *hand.MUTATIONS):
            if only in item.name:
                yield item.name, lambda item=item: judge(hand.Damaged(item, FOLDER / "source").specimen, folder)
    if "random" in kinds:
        mutants = chance.Mutants()
        for item in (None, *mutants.mutations):
            name, number = (str(item), item.number) if item else (f"{NONE}, netlist", 0)
            if only in name:
                yield name, lambda n=number: judge(lambda gated: mutants.specimen(n, gated), folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rtl_tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=["hand", "random"], choices=["hand", "random"])
    parser.add_argument("--only", default="", help="part of the names of those to try")
    options = parser.parse_args()
    reasons = tomllib.loads(EXPLANATIONS.read_text())
    verdicts, start = Verdicts(FOLDER / "verdicts.json"), time.monotonic()
    killed, explained, unexplained = 0, [], []
    for count, (name, trial) in enumerate(trials(options.kinds, options.only), 1):
        verdict = verdicts.find(name, trial)
        print(f"{count:4}  {name}\n        {verdict or 'survives'}", flush=True)
        if name.startswith(NONE):
            if verdict:
                print("the intact fabric fails, so no verdict would mean anything", file=sys.stderr)
                return 1
        elif verdict:
            killed += 1
        else:
            (explained if name in reasons else unexplained).append(name)
    return report(killed, explained, unexplained, reasons, time.monotonic() - start)


def report(killed: int, explained: list[str], unexplained: list[str], reasons: dict, seconds: float) -> int:
    """Totals and survivors; 1 if one of them has no explanation."""
    total = killed + len(explained) + len(unexplained)
    rate = 100 * killed / total if total else 0.0
    print(f"\nmutants: {total}, killed: {killed} ({rate:.1f} %), {seconds:.0f} s")
    for name in explained:
        print(f"survives, explained: {name}\n    {reasons[name]}")
    for name in unexplained:
        print(f"survives, NOT explained: {name}")
    return 1 if unexplained or not total else 0


if __name__ == "__main__":
    sys.exit(main())
