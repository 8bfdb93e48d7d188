"""How the mesh scales: throughput and latency of its routers, in simulation of the Verilog, against theory's limit.

Open loop, as in Dally & Towles, "Principles and Practices of Interconnection Networks" (2004), chapter 23: every node
offers single-flit packets at random with probability ``load`` a clock, into a source queue without end; latency counts
from there. After a warm-up, the packets of a window of clocks are measured.

Limits are the loads at which the busiest channel, or the port to a node, carries one flit in every clock (chapter 3
there: throughput is at most 1 / largest channel load). With X-then-Y routing on k x k nodes:

uniform    every node, itself included, is equally likely: half of the packets of the k^2 / 2 nodes on one side cross
           the middle, over k channels: k / 4 * load each for even k, (k^2 - 1) / (4 k) * load for odd k
layers     a layer is a column; its nodes send to random nodes of the next column: the same load in the Y channels
multicast  a layer is a column; each packet goes to all nodes of the next column, which take k * load flits each
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ..rtl.routers import Routers
from ..spec import packet
from ..spec.config import FabricConfig
from ..spec.fields import WORD_BITS, bits_to_ints
from ..spec.packet import Kind
from . import cache as store
from . import emit, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BENCH = Path(__file__).parent / "benches" / "traffic.v"
WARMUP, WINDOW, DRAIN = 500, 2000, 1500
"""Clocks before what is measured, of it, and after it, in which what is on its way may arrive."""

RESET, OFFER = 8, 1
"""Clocks of the reset, and from a packet's offer until it is at the router's input."""

LONGEST_PLAN = 1 << 18
ACCEPTED = 0.95
"""Below saturation, at least so much of what is offered in the window arrives in a window."""

LOADS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Offered loads, as parts of the limit."""

LARGEST = 8
NUMBER_BITS = WORD_BITS - (LARGEST * LARGEST - 1).bit_length()
NUMBERS = 1 << NUMBER_BITS

Rectangles = np.ndarray
"""(n, 4): x0, x1, y0, y1."""


@dataclass(frozen=True)
class Pattern:
    """Traffic: which nodes send, where to, and the load that no network of this kind can exceed."""

    targets: Callable[[np.random.Generator, int, np.ndarray], Rectangles]
    senders: Callable[[int], np.ndarray]
    limit: Callable[[int], float]
    copies: Callable[[int], int] = lambda _: 1


def _uniform(rng: np.random.Generator, side: int, nodes: np.ndarray) -> Rectangles:
    x, y = rng.integers(0, side, (2, len(nodes)))
    return np.stack([x, x, y, y], axis=1)


def _next_column(rng: np.random.Generator, side: int, nodes: np.ndarray) -> Rectangles:
    x, y = nodes % side + 1, rng.integers(0, side, len(nodes))
    return np.stack([x, x, y, y], axis=1)


def _whole_column(_rng: np.random.Generator, side: int, nodes: np.ndarray) -> Rectangles:
    x, zero = nodes % side + 1, np.zeros_like(nodes)
    return np.stack([x, x, zero, zero + side - 1], axis=1)


def _all(side: int) -> np.ndarray:
    return np.arange(side * side)


def _all_but_last_column(side: int) -> np.ndarray:
    nodes = _all(side)
    return nodes[nodes % side < side - 1]


def bisection_limit(side: int) -> float:
    """Packets a node and clock with which a channel in the middle of a side carries one a clock; at most 1."""
    load = side / 4 if side % 2 == 0 else (side * side - 1) / (4 * side)
    return min(1.0, 1 / load) if load else 1.0


PATTERNS = {
    "uniform": Pattern(_uniform, _all, bisection_limit),
    "layers": Pattern(_next_column, _all_but_last_column, bisection_limit),
    "multicast": Pattern(_whole_column, _all_but_last_column, lambda side: 1 / side, lambda side: side),
}


@dataclass(frozen=True)
class Point:
    """One load: packets ``offered`` and ``accepted`` a sending node and clock; ``latency`` in clocks from offer to
    arrival of the last copy, the mean and the 99th percentile, None where not all arrived."""

    offered: float
    accepted: float
    latency: float | None
    latency_99: float | None


@dataclass(frozen=True)
class Curve:
    """Traffic of one kind on ``side`` x ``side`` nodes. ``saturation``: the largest throughput below it."""

    pattern: str
    side: int
    limit: float
    saturation: float
    points: tuple[Point, ...]


def mesh(side: int) -> FabricConfig:
    """The fabric whose routers are measured."""
    return FabricConfig(width=side, height=side)


def program(config: FabricConfig) -> Path:
    """The compiled bench of a fabric's routers."""
    emitted = emit.emit(Routers(config), "routers")
    connections = [
        f".{port}__{end}__{name}({prefix}_{name}[{end}])"
        for port, prefix in (("inject", "in"), ("eject", "out"))
        for end in range(config.nodes + 1)
        for name in ("payload", "valid", "ready")
        if (prefix, name) != ("out", "ready")
    ]
    connections += [f".eject__{end}__ready(1'b1)" for end in range(config.nodes + 1)]
    bench = BENCH.read_text().replace("/* connections */", ",\n        ".join([*connections, ".busy()"]))
    defines = {"FLIT_BITS": packet.flit_bits(config), "ENDS": config.nodes + 1, "FLITS": LONGEST_PLAN}
    return plain.compile({"bench.v": bench, "top.v": emitted.verilog}, "traffic", defines)


def measure(side: int, pattern: str, load: float, seed: int) -> Point:
    """Simulate one load, ``load`` packets a sending node and clock; from the cache if it was simulated before."""
    config = mesh(side)
    found = program(config)
    rng = np.random.default_rng([seed, side, *pattern.encode(), round(load * 1e6)])
    kind = PATTERNS[pattern]
    senders = kind.senders(side)
    clock, sender = np.nonzero(rng.random((WARMUP + WINDOW, len(senders))) < load)
    order = np.lexsort((clock, sender))
    clock, node = clock[order] + RESET, senders[sender[order]]
    flits = _flits(config, node, kind.targets(rng, side, node))
    key = store.digest(found.parent.name, repr((seed, load, pattern, WARMUP, WINDOW, DRAIN)))

    def make(folder: Path) -> None:
        with TemporaryDirectory() as work:
            _write_plan(Path(work), config, clock, node, flits)
            plain.run(found, Path(work))
            arrived = np.loadtxt(Path(work) / "arrivals.txt", dtype=np.int64, ndmin=2).reshape(-1, 3)
        np.save(folder / "arrivals.npy", arrived)

    arrived = np.load(store.entry("traffic", key, make) / "arrivals.npy")
    return _point(config, clock, node, len(senders), kind.copies(side), arrived)


def _flits(config: FabricConfig, node: np.ndarray, targets: Rectangles) -> list[int]:
    """WRITE packets, whose data say which node they are of and number that node's modulo ``NUMBERS``."""
    columns = dict(zip(("x0", "x1", "y0", "y1"), targets.T, strict=True))
    number = np.arange(len(node)) - np.searchsorted(node, node)
    data = node << NUMBER_BITS | number % NUMBERS
    return bits_to_ints(packet.to_core(config)[Kind.WRITE].to_bits(kind=int(Kind.WRITE), host=0, data=data, **columns))


def _write_plan(folder: Path, config: FabricConfig, clock: np.ndarray, node: np.ndarray, flits: list[int]) -> None:
    shift = packet.flit_bits(config)
    lines = (f"{int(at) << shift | flit:x}" for at, flit in zip(clock, flits, strict=True))
    (folder / "plan.hex").write_text("\n".join(lines) + "\n0\n")
    first = np.searchsorted(node, np.arange(config.nodes + 2))
    words = [*first.tolist(), RESET + WARMUP + WINDOW + DRAIN]
    (folder / "first.hex").write_text("\n".join(f"{word:x}" for word in words) + "\n")


def _point(
    config: FabricConfig, clock: np.ndarray, node: np.ndarray, senders: int, copies: int, arrived: np.ndarray
) -> Point:
    start, end = RESET + WARMUP, RESET + WARMUP + WINDOW
    number = _numbers(config, node, arrived)
    last = np.zeros(len(clock), dtype=np.int64)
    np.maximum.at(last, number, arrived[:, 0])
    complete = np.bincount(number, minlength=len(clock)) == copies
    measured = (clock >= start) & (clock < end)
    taken = np.count_nonzero((arrived[:, 0] >= start) & (arrived[:, 0] < end)) / copies
    latency = (last - clock)[measured] if complete[measured].all() and measured.any() else None
    return Point(
        offered=np.count_nonzero(measured) / (senders * WINDOW),
        accepted=taken / (senders * WINDOW),
        latency=None if latency is None else float(latency.mean()),
        latency_99=None if latency is None else float(np.percentile(latency, 99)),
    )


def _numbers(config: FabricConfig, node: np.ndarray, arrived: np.ndarray) -> np.ndarray:
    """Which packet of the plan each arrival is.

    The packets of one node leave it in order and few of them are on their way at once, so their numbers are known from
    the lowest bits.
    """
    layout = packet.to_core(config)[Kind.WRITE]
    data = arrived[:, 2] >> layout.offsets["data"] & ((1 << WORD_BITS) - 1)
    first, found = np.searchsorted(node, np.arange(config.nodes)), np.zeros(len(arrived), dtype=np.int64)
    for sender in range(config.nodes):
        mine = data >> NUMBER_BITS == sender
        number = np.unwrap(data[mine] & (NUMBERS - 1), period=NUMBERS)
        found[mine] = first[sender] + number
    return found


def sweep(side: int, pattern: str, seed: int, progress: Callable[[int, int], None] = lambda *_: None) -> Curve:
    """All loads of one kind of traffic on ``side`` x ``side`` nodes."""
    limit = PATTERNS[pattern].limit(side)
    points = []
    for number, part in enumerate(LOADS, start=1):
        points.append(measure(side, pattern, part * limit, seed))
        progress(number, len(LOADS))
    return Curve(pattern, side, limit, saturation(points), tuple(points))


def saturation(points: Sequence[Point]) -> float:
    """The largest throughput at which at least ``ACCEPTED`` of the load is accepted."""
    return max((point.accepted for point in points if point.accepted >= ACCEPTED * point.offered), default=0.0)


def record(curves: list[Curve], seed: int) -> dict[str, Any]:
    """Curves as JSON, with how they were made."""
    how = {"warmup": WARMUP, "window": WINDOW, "drain": DRAIN, "accepted": ACCEPTED, "queue_depth": mesh(1).queue_depth}
    return {
        "seed": seed,
        "clocks": how,
        "simulator": plain.tool(),
        "curves": [asdict(curve) for curve in curves],
    }


def picture(found: dict[str, Any]) -> "Figure":
    """Latency over load for each kind of traffic, and saturation beside the limit over the mesh's side."""
    from matplotlib.figure import Figure

    patterns = list(dict.fromkeys(curve["pattern"] for curve in found["curves"]))
    figure = Figure(figsize=(4 * (len(patterns) + 1), 3.4), layout="constrained")
    *each, last = figure.subplots(1, len(patterns) + 1)
    for axes, pattern in zip(each, patterns, strict=True):
        for curve in (curve for curve in found["curves"] if curve["pattern"] == pattern):
            shown = [point for point in curve["points"] if point["latency"] is not None]
            side = curve["side"]
            axes.plot(
                [point["offered"] for point in shown], [point["latency"] for point in shown], ".-",
                label=f"{side}x{side}",
            )  # fmt: skip
        axes.set(title=pattern, xlabel="packets a sending node and clock", ylabel="latency (clocks)", yscale="log")
        axes.legend(frameon=False, fontsize=7)
    for index, pattern in enumerate(patterns):
        curves = [curve for curve in found["curves"] if curve["pattern"] == pattern]
        sides = [curve["side"] for curve in curves]
        last.plot(sides, [curve["saturation"] for curve in curves], "o-", color=f"C{index}", label=pattern)
        last.plot(sides, [curve["limit"] for curve in curves], ":", color=f"C{index}")
    last.set(title="saturation (dotted: limit)", xlabel="side of the mesh", ylabel="packets a sending node and clock")
    last.set_ylim(0, 1.05)
    last.legend(frameon=False, fontsize=7)
    return figure
