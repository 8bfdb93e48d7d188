"""Which fabric suits a network and a device: lanes, banks, bits and cores swept, their Pareto front, and its picture.

Every candidate is estimated: LUTs by measured shares and block RAMs by shape (``fit``), clocks by the golden fabric on
given samples. Candidates of the front are then synthesised, placed and routed if that is asked for. What was found of
one is kept in the cache as soon as it is there, so a sweep that was stopped, or a wider one, does only what is missing.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import boards
from golden import network as golden_network

from .. import compiler
from ..catalog import text_table
from ..compiler.sizing import Wishes
from ..host import data
from ..host.data import Samples
from ..spec.errors import InputError, ToolError
from ..spec.fixed import signed_bits_for
from ..spec.network import Network
from . import bitstream, fit, measure
from . import cache as store
from .emit import source_digest
from .families import family

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCES = ("spec", "compiler", "host", "flow", "../golden")
RECORD, PICTURE = "explore.json", "explore.svg"
CONNECT_SECONDS = 10

Progress = Callable[[int, int], None]
Results = Iterator[tuple[int, dict[str, Any]]]
"""Number of a task, and what came of it, as they are done."""


@dataclass(frozen=True, order=True)
class Candidate:
    """One choice: a ``width`` x ``height`` mesh of cores of ``banks`` x ``lanes``."""

    weight_bits: int
    lanes: int
    banks: int
    update_lanes: int
    width: int = 1
    height: int = 1

    @property
    def wishes(self) -> Wishes:
        found = asdict(self)
        del found["weight_bits"]
        return Wishes(**found)


@dataclass(frozen=True)
class Point:
    """What is known of a candidate. ``cycles`` of a sample: exact on one core, a lower bound on a mesh.

    ``refused``: why there is no such fabric; ``fits``: on the device, by the estimate. ``measured``: LUTs, RAMs and
    clock after place and route, or why it failed.
    """

    candidate: Candidate
    accuracy: float | None
    refused: str | None = None
    lut: int = 0
    ram: int = 0
    cycles: float = 0.0
    fits: bool = False
    measured: Mapping[str, Any] | None = None

    def dominates(self, other: "Point") -> bool:
        """No worse in anything, and better in something."""
        mine, others = ((point.lut, point.ram, point.cycles, -(point.accuracy or 0.0)) for point in (self, other))
        return all(a <= b for a, b in zip(mine, others, strict=True)) and mine != others


@dataclass(frozen=True)
class Task:
    """All that a process somewhere else needs to look at one candidate: integers, samples, and a board's name."""

    network: Network
    candidate: Candidate
    board: str
    inputs: Mapping[str, np.ndarray]

    @property
    def key(self) -> str:
        """The digest of all that it depends on."""
        content = store.content((self.candidate, self.inputs))
        return store.digest(self.network.digest, self.board, content, source_digest(SOURCES))


def networks(source: compiler.Source, how: compiler.Quantisation, widths: Sequence[int]) -> dict[int, Network]:
    """The integers at every width of weights; a source of integers has its own. Raises InputError."""
    if source.network is not None:
        return {max(signed_bits_for(*p.extremes) for p in source.network.projections): source.network}
    return {bits: compiler.quantise(source, replace(how, weight_bits=bits)) for bits in widths}


def parse_numbers(text: str, what: str) -> list[int]:
    """The powers of two that ``4,8,16`` names. Raises InputError."""
    found = sorted({int(part) for part in text.split(",")})
    if wrong := [value for value in found if value < 1 or value & (value - 1)]:
        raise InputError(f"{what} {text!r}: powers of two are expected, not {wrong[0]}")
    return found


def candidates(
    bits: Sequence[int], lanes: Sequence[int], banks: Sequence[int], updates: Sequence[int], meshes: Sequence[str]
) -> list[Candidate]:
    """All combinations that a core can have. Raises InputError if there is none."""
    sizes = [tuple(map(int, mesh.split("x"))) for mesh in meshes]
    found = [
        Candidate(*choice, *size)
        for *choice, size in product(bits, lanes, banks, updates, sizes)
        if choice[3] <= choice[1]
    ]
    if not found:
        raise InputError("no candidate: update lanes are at most lanes")
    return sorted(set(found))


def board_of(device: str) -> str:
    """A board with a device. Raises InputError, naming the devices that exist."""
    known = {board.device: name for name, board in reversed(boards.boards().items())}
    if device not in known:
        raise InputError(f"there is no board with the device {device!r}; there are {', '.join(sorted(known))}")
    return known[device]


# What runs in other processes, here or on a cluster


def fabric_of(task: Task):
    """The candidate's fabric on the board. Raises InputError if the network cannot be mapped onto one."""
    name = family(boards.board(task.board).platform()).NAME
    return fit.adapted(compiler.size(task.network, task.candidate.wishes).config, name)


def estimate(task: Task) -> dict[str, Any]:
    """LUTs, block RAMs and clocks of a sample, or why it is refused."""
    board = boards.board(task.board)
    module = family(board.platform())
    try:
        config = fabric_of(task)
        run = measure.run(compiler.compile(task.network, config), task.inputs)
    except InputError as refusal:
        return {"refused": str(refusal)}
    need, device = fit.estimate(config, module.NAME), module.DEVICES[board.device]
    fits = all(need[kind] <= getattr(device, kind) for kind in ("lut", "ram"))
    cycles = float(run.tick_cycles.sum() / run.samples)
    return {"refused": None, "lut": need["lut"], "ram": need["ram"], "cycles": cycles, "fits": fits}


def implement(task: Task) -> dict[str, Any]:
    """One synthesis, place and route, at the clock that is usual for the device; or why it failed."""
    config = fabric_of(task)
    image = compiler.compile(task.network, config)
    job = bitstream.Job(task.network.name, task.board, boards.board(task.board), config, image, 0)
    try:
        trial = bitstream.trial(job)
    except (InputError, ToolError) as failure:
        return {"failed": str(failure)}
    return {"lut": trial.used["lut"], "ram": trial.used["ram"], "fmax_mhz": trial.fmax_hz / 1e6}


# Where it runs


def locally(function: Callable[[Task], dict], tasks: Sequence[tuple[int, Task]], processes: int | None) -> Results:
    """On this machine's processors. An interrupt is for the process that asks; the others end what they are at."""
    pool = ProcessPoolExecutor(processes or os.cpu_count(), None, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        futures = {pool.submit(function, task): number for number, task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def on_cluster(function: Callable[[Task], dict], tasks: Sequence[tuple[int, Task]], address: str) -> Results:
    """On the workers of a Dask scheduler, which have neurogen installed. Raises ToolError if there is none."""
    try:
        import distributed
    except ImportError:
        raise ToolError(
            "--scheduler needs the package distributed; pip install 'neurogen[cluster]' brings it"
        ) from None
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ToolError(f"no Dask scheduler answers at {address}: {str(error).splitlines()[0]}") from None
    with closing(client):
        futures = {client.submit(function, task, pure=False): number for number, task in tasks}
        for future, result in distributed.as_completed(futures, with_results=True):
            yield futures[future], result


def kept(kind: str, function: Callable[[Task], dict], tasks: Sequence[Task], start: Callable) -> Results:
    """Results of all tasks: those in the cache first, then the others as ``start(function, tasks)`` gives them."""
    keys, missing = [task.key for task in tasks], []
    for number, task in enumerate(tasks):
        if folder := store.find(kind, keys[number]):
            yield number, json.loads((folder / RECORD).read_text())
        else:
            missing.append((number, task))
    for number, found in start(function, missing) if missing else ():
        store.entry(kind, keys[number], lambda folder, found=found: _write(folder / RECORD, found))
        yield number, found


def _write(path: Path, found: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(found))


# The sweep


@dataclass(frozen=True)
class Exploration:
    """All points, those of the front marked by their numbers, and by how much estimates of LUTs may be off."""

    network: str
    board: str
    samples: int
    points: tuple[Point, ...]
    front: tuple[int, ...]
    lut_error: float

    @property
    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"points": [asdict(point) for point in self.points]}


def explore(
    integers: Mapping[int, Network],
    wanted: Sequence[Candidate],
    board: str,
    samples: Samples,
    start: Callable[[Callable, Sequence], Results],
    synthesis: int = 0,
    progress: Progress = lambda done, total: None,
) -> Exploration:
    """Estimate all candidates for ``integers`` (weight bits -> network), place and route the front's first few.

    ``start`` runs tasks, as :func:`locally` and :func:`on_cluster` do. Raises InputError if no candidate is possible.
    """
    few = {name: values[: measure.FABRIC_SAMPLES] for name, values in samples.inputs.items()}
    tasks = [Task(integers[candidate.weight_bits], candidate, board, few) for candidate in wanted]
    accuracies = {bits: _accuracy(network, samples) for bits, network in integers.items()}
    points = [Point(candidate, accuracies[candidate.weight_bits]) for candidate in wanted]
    for done, (number, found) in enumerate(kept("explore", estimate, tasks, start), start=1):
        points[number] = replace(points[number], **found)
        progress(done, len(tasks))
    front = pareto(points)
    if not front:
        reasons = [point.refused for point in points if point.refused]
        raise InputError(reasons[0] if len(reasons) == len(points) else f"no candidate fits {board}")
    chosen = front[:synthesis]
    for done, (number, found) in enumerate(
        kept("implemented", implement, [tasks[index] for index in chosen], start), start=1
    ):
        points[chosen[number]] = replace(points[chosen[number]], measured=found)
        progress(done, len(chosen))
    error = fit.calibration(family(boards.board(board).platform()).NAME)["largest_error"]
    return Exploration(tasks[0].network.name, board, len(samples), tuple(points), tuple(front), error)


def _accuracy(network: Network, samples: Samples) -> float | None:
    if samples.labels is None:
        return None
    found = golden_network.run(network, samples.inputs)
    return float((data.decide(found.spikes, found.values) == samples.labels).mean())


def pareto(points: Sequence[Point]) -> list[int]:
    """Numbers of the points that fit and that no other of these beats in everything; the fewest clocks first."""
    fitting = [number for number, point in enumerate(points) if not point.refused and point.fits]
    front = [n for n in fitting if not any(points[other].dominates(points[n]) for other in fitting)]
    return sorted(front, key=lambda number: (points[number].cycles, points[number].lut))


def table(found: Exploration) -> str:
    """The front, and what of the estimate is how sure."""
    rows = [_row(found.points[number]) for number in found.front]
    fitting = sum(point.fits for point in found.points)
    lines = [
        text_table(rows),
        "",
        f"{len(found.points)} candidates, {fitting} fit {found.board}, {len(found.front)} on the front;"
        f" clocks a sample on {min(found.samples, measure.FABRIC_SAMPLES)} samples",
        f"LUTs are estimated, off by up to {found.lut_error:.0%} where that was calibrated;"
        " clocks are exact on one core and a lower bound on a mesh",
    ]
    errors = [
        point.lut / point.measured["lut"] - 1
        for point in found.points
        if point.measured and "lut" in point.measured
    ]  # fmt: skip
    if errors:
        lines.append(f"estimated LUTs of what was placed here are off by {min(errors):+.1%}..{max(errors):+.1%}")
    return "\n".join(lines)


def _row(point: Point) -> dict[str, str]:
    one = point.candidate
    row = {
        "bits": str(one.weight_bits),
        "cores": f"{one.width}x{one.height}",
        "banks x lanes": f"{one.banks} x {one.lanes}",
        "updated": str(one.update_lanes),
        "LUT": f"{point.lut:,}",
        "RAM": str(point.ram),
        "clocks a sample": f"{point.cycles:,.0f}",
    }
    if point.accuracy is not None:
        row["accuracy"] = f"{point.accuracy:.2%}"
    found = point.measured or {}
    row["placed"] = found.get("failed", "")
    if "lut" in found:
        speed = point.cycles / found["fmax_mhz"]
        row["placed"] = f"{found['lut']:,} LUT, {found['ram']} RAM, {found['fmax_mhz']:.1f} MHz, {speed:,.1f} us"
    return row


def write(found: Exploration, folder: Path) -> list[Path]:
    """The record and the picture into ``folder``; their paths."""
    from . import view

    folder.mkdir(parents=True, exist_ok=True)
    data.replace(folder / RECORD, (json.dumps(found.record, indent=1) + "\n").encode())
    data.replace(folder / PICTURE, view.rendered(picture(found), "svg"))
    return [folder / RECORD, folder / PICTURE]


def picture(found: Exploration) -> "Figure":
    """Clocks of a sample over LUTs, by weight width; the front joined, and what was placed beside its estimate."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    shown = [point for point in found.points if not point.refused]
    for bits in sorted({point.candidate.weight_bits for point in shown}):
        some = [point for point in shown if point.candidate.weight_bits == bits]
        axes.plot([p.lut for p in some], [p.cycles for p in some], "o", alpha=0.5, label=f"{bits} bits")
    front = [found.points[number] for number in found.front]
    steps = sorted((point.lut, point.cycles) for point in front)
    axes.plot(*zip(*steps, strict=True), "k-", linewidth=0.8, label="front")
    placed = [point for point in front if point.measured and "lut" in point.measured]
    axes.plot([p.measured["lut"] for p in placed], [p.cycles for p in placed], "kx", label="placed and routed")
    axes.set(xlabel="LUTs", ylabel="clocks a sample", yscale="log", title=f"{found.network} on {found.board}")
    axes.legend(frameon=False, fontsize=8)
    return figure
