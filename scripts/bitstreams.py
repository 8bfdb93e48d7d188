"""Build the bitstreams of the README's table and record them in ``docs/bitstreams.json``; ``docs.py`` shows them.

``bitstreams.py [BOARD ...]`` builds only those for the named boards and keeps what is recorded of the others. Takes an
hour; what the cache holds is not made again.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import boards  # noqa: E402
from neurogen.flow import fit, on_board  # noqa: E402
from neurogen.flow.build import build  # noqa: E402
from neurogen.flow.target import resolve  # noqa: E402

RECORD = ROOT / "docs" / "bitstreams.json"
MNIST = ROOT.parent / "shared" / "models" / "mnist_784-128-10_lat_T16_k4_float.nir"
SEEDS = 3


@dataclass(frozen=True)
class Entry:
    """One bitstream: a network (None: the shipped one) on a board."""

    name: str
    board: str
    network: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)


FOUR_BITS = {"quantise": {"weight_bits": 4}}
MNIST_OPTIONS = FOUR_BITS | {"import": {"framework": "snntorch"}}
FOUR_SPRAMS = {"lanes": 16, "banks": 1, "update_lanes": 1}
ENTRIES = (
    Entry("digits", "icebreaker", None, FOUR_BITS),
    Entry("digits", "hx8k_breakout", None, FOUR_BITS),
    Entry("digits", "ulx3s_12f"),
    Entry("MNIST 784-128-10", "icebreaker", MNIST, MNIST_OPTIONS | {"size": FOUR_SPRAMS}),
    Entry("MNIST 784-128-10", "ulx3s_85f", MNIST, MNIST_OPTIONS | {"size": {"lanes": 32, "banks": 8}}),
)


def make(entry: Entry) -> dict[str, Any]:
    """Build one bitstream and say what it takes and reaches."""
    board = boards.board(entry.board)
    chosen = {"fit": lambda network, wishes: fit.fit(network, wishes, board, entry.board)}
    target = resolve(entry.network, entry.options | chosen)
    wanted = on_board.Wanted(entry.board, seeds=SEEDS)
    finish = on_board.implement(
        target, wanted, 0, lambda text: print(f"{entry.name}, {entry.board}: {text}", flush=True)
    )
    found = build(target, ROOT / "build" / "bitstreams" / f"{target.name}-{entry.board}", finish=finish)
    core = target.config.core
    size = {key: getattr(core, key) for key in ("weight_bits", "banks", "lanes", "update_lanes", "counter_bits")}
    kept = ("device", "clock_mhz", "seeds", "used", "available", "tools")
    return {"network": entry.name, "board": entry.board, **size} | {
        key: found.summary["bitstream"][key] for key in kept
    }


def record(row: dict[str, Any]) -> None:
    """Put one row into the record, in the table's order."""
    rows = {(r["network"], r["board"]): r for r in json.loads(RECORD.read_text())} if RECORD.exists() else {}
    rows[row["network"], row["board"]] = row
    ordered = [rows[entry.name, entry.board] for entry in ENTRIES if (entry.name, entry.board) in rows]
    RECORD.write_text(json.dumps(ordered, indent=2) + "\n")


def main(names: list[str]) -> None:
    for entry in ENTRIES:
        if names and entry.board not in names:
            continue
        if entry.network is not None and not entry.network.exists():
            print(f"{entry.name}: {entry.network} is not there; what is recorded stays", file=sys.stderr)
            continue
        record(make(entry))


if __name__ == "__main__":
    main(sys.argv[1:])
