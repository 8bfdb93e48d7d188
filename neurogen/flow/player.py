"""Words into a fabric's Verilog and out of it, with the clock of each: what clocks and toggles are measured by."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..host.codec import Decoder, Records
from ..spec.config import FabricConfig
from . import cache as store
from . import plain
from .emit import Emitted

BENCH = Path(__file__).parent / "benches" / "words.v"
QUIET, LONGEST = 1 << 13, 1 << 20
CLOCK_PS = 10_000
WAIT, END = 1 << 32, 1 << 33

_CHANGE = re.compile(r"b?([01xzXZ]+) ?(\S+)$")


@dataclass(frozen=True)
class Played:
    """``clocks_in`` and ``clocks_out`` of every word; ``waits``: the clocks in which a part of the words began.

    ``toggles``: bits that changed in each clock, (clocks,), the clock itself not among them; or None.
    """

    clocks_in: np.ndarray
    clocks_out: np.ndarray
    words_out: np.ndarray
    waits: np.ndarray
    toggles: np.ndarray | None = None

    def records(self, config: FabricConfig) -> Records:
        return Decoder(config).decode(self.words_out)


def play(emitted: Emitted, parts: Iterable[np.ndarray], toggles: bool = False) -> Played:
    """Play ``parts`` of words, each when all that follows from the one before is over; the cache keeps what came of it.

    Raises ToolError if the simulator is not there or fails.
    """
    words = [int(word) | (WAIT if index == 0 else 0) for part in parts for index, word in enumerate(part.tolist())]
    defines = {"TOP": emitted.top, "QUIET": QUIET, "WORDS": LONGEST} | ({"DUMP": 1} if toggles else {})
    sources = {"bench.v": BENCH.read_text(), "top.v": emitted.verilog}
    program = plain.compile(sources, "words", defines, trace=toggles)
    text = "\n".join(f"{word:x}" for word in [*words, END]) + "\n"

    def make(folder: Path) -> None:
        with TemporaryDirectory() as name:
            work = Path(name)
            (work / "words.hex").write_text(text)
            plain.run(program, work)
            arrays = _transfers((work / "transfers.txt").read_text())
            if toggles:
                with (work / "dump.vcd").open() as dump:
                    arrays["toggles"] = count_toggles(dump)
            np.savez_compressed(folder / "played.npz", **arrays)

    with np.load(store.entry("played", store.digest(program.parent.name, text), make) / "played.npz") as found:
        return Played(**found)


def _transfers(text: str) -> dict[str, np.ndarray]:
    found: dict[str, list[tuple[int, int]]] = {"i": [], "o": [], "w": []}
    for line in text.splitlines():
        kind, clock, word = line.split()
        found[kind].append((int(clock), int(word)))
    into, out, waits = (np.array(found[kind], dtype=np.int64).reshape(-1, 2) for kind in "iow")
    return {"clocks_in": into[:, 0], "clocks_out": out[:, 0], "words_out": out[:, 1].astype(np.uint32),
            "waits": waits[:, 0]}  # fmt: skip


def count_toggles(dump: Iterable[str], scope: str = "dut") -> np.ndarray:
    """Bits that change in each clock inside ``scope``, from a value change dump. A net is counted once, whatever names
    it has; what changes twice in every clock is a clock and not counted.
    """
    lines = (line.strip() for line in dump)
    values: dict[str, int | None] = dict.fromkeys(_nets(lines, scope))
    time, found = 0, []
    for line in lines:
        if line[:1] == "#":
            time = int(line[1:]) // CLOCK_PS
        elif (match := _CHANGE.match(line)) and match[2] in values:
            value, before = int(match[1].translate(_KNOWN), 2), values[match[2]]
            values[match[2]] = value
            if before is not None and before != value:
                found.append((time, match[2], (before ^ value).bit_count()))
    edges = Counter(net for _, net, _ in found)
    counts = np.zeros(time + 1, dtype=np.int64)
    for clock, net, bits in found:
        counts[clock] += bits if edges[net] <= time else 0
    return counts


_KNOWN = str.maketrans("xzXZ", "0000")


def _nets(lines: Iterator[str], scope: str) -> Iterator[str]:
    """The nets that a dump's header declares inside ``scope``."""
    path: list[str] = []
    for line in lines:
        words = line.split()
        if words[:1] == ["$scope"]:
            path.append(words[2])
        elif words[:1] == ["$upscope"]:
            path.pop()
        elif words[:1] == ["$var"] and scope in path:
            yield words[3]
        elif words[:1] == ["$enddefinitions"]:
            return
