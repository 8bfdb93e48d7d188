"""Many more cases of the promise than CI has time for: ``python -m rtl_tests.soak``. Goes on where it was stopped.

Blocks of cases run on all fabrics in turn, each fabric with three different sets of gates in its streams and with none.
What every block reached is a line of ``build/soak/blocks.jsonl``; the first wrong case ends the run and is named.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from neurogen.flow.emit import source_digest

from .property_cases import ALL_FABRICS, EVERYWHERE, Coverage
from .property_run import Differs, Dut, build, run

FOLDER = Path("build/soak")
BLOCK = 50
GATES = (None, 101, 202, 303)
SOURCES = ("rtl", "spec", "compiler", "host", "tb", "../golden")


def blocks(cases: int) -> Iterator[tuple[str, int | None, int]]:
    """Fabric, gates and first case of every block, until there are ``cases`` cases."""
    for index in range(-(-cases // BLOCK)):
        turn, fabric = divmod(index, len(ALL_FABRICS))
        yield list(ALL_FABRICS)[fabric], GATES[turn % len(GATES)], turn * BLOCK


def finished(journal: Path, seed: int, sources: str) -> dict[str, dict[str, int]]:
    """What the blocks reached that have run with these sources."""
    if not journal.exists():
        return {}
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    return {r["block"]: r["counts"] for r in records if (r["seed"], r["sources"]) == (seed, sources)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rtl_tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="how many cases in all")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    parser.add_argument("--simulator", default="verilator")
    wanted = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    journal, sources = FOLDER / "blocks.jsonl", source_digest(SOURCES)
    done = finished(journal, wanted.seed, sources)
    duts: dict[tuple[str, int | None], Dut] = {}
    folder = FOLDER / "run"
    total: Counter[str] = Counter()
    with Progress() as progress:
        task = progress.add_task("soak", total=wanted.cases)
        for name, gates, first in blocks(wanted.cases):
            block = f"{name} gates {gates} cases {first}..{first + BLOCK - 1}"
            if block not in done:
                if (name, gates) not in duts:
                    duts[name, gates] = build(name, gates)
                try:
                    done[block] = run(duts[name, gates], wanted.simulator, wanted.seed, first, first + BLOCK, folder)
                except Differs as difference:
                    progress.stop()
                    print(f"{difference}, gates {gates}", file=sys.stderr)
                    return 3
                record = {"seed": wanted.seed, "sources": sources, "block": block, "counts": done[block]}
                with journal.open("a") as file:
                    file.write(json.dumps(record) + "\n")
            total.update(done[block])
            progress.update(task, completed=total["cases"])
    Coverage(total).require(*EVERYWHERE, least=max(1, wanted.cases // 200))
    for what, count in total.items():
        print(f"{count:>12,}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
