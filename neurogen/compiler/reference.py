"""The float network: every population's own discrete equation in float64, as the readers resolved it.

What quantisation is measured against, and what the real frameworks are compared with. Depth and delays mean what they
mean in ``spec.network``. Populations that are no part of one loop run one after the other, each through all steps, so
that its input is one product of matrices.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import networkx
import numpy as np

from ..spec.errors import InputError
from .source import Source, SourcePopulation, SourceProjection

_CHUNK_VALUES = 1 << 24  # values in flight: what bounds the memory

Feed = np.ndarray | Callable[[int, int], np.ndarray]
Range = tuple[float, float]


@dataclass(frozen=True)
class Result:
    """What a source did with B samples of T steps.

    ``spikes``: population -> uint8 (B, T, n), for spiking outputs and recorded populations. ``values``: population ->
    float64 (B, T, n), v after the step, for value outputs and wanted membranes. ``ranges``: population -> register ->
    the least and the greatest value that it held, v before a reset of the same step.
    """

    spikes: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)
    ranges: dict[str, dict[str, Range]] = field(default_factory=dict)


def run(
    source: Source,
    inputs: Mapping[str, Feed],
    record: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
    samples: int | None = None,
    membranes: Iterable[str] = (),
) -> Result:
    """Run B samples, each from rest, chunk by chunk; arguments as those of ``golden.network.run``.

    ``record`` names populations whose spikes are wanted besides the outputs, ``membranes`` those whose v is.

    Raises InputError for a source of integers, and for inputs that are missing or of the wrong shape.
    """
    if source.network is not None:
        raise InputError(f"network {source.name!r} holds integers; it has no float equations to run")
    read, total, steps = _feeds(source, inputs, samples)
    loops = [[_Cells(source, name, names) for name in names] for names in _loops(source)]
    cells = [c for loop in loops for c in loop]
    spiking = {output.population for output in source.outputs if not output.values} | set(record)
    valued = {output.population for output in source.outputs if output.values} | set(membranes)
    result = Result(
        spikes={c.name: np.zeros((total, steps, c.size), np.uint8) for c in cells if c.name in spiking},
        values={c.name: np.zeros((total, steps, c.size)) for c in cells if c.name in valued},
        ranges={c.name: c.ranges for c in cells},
    )
    events = steps * (sum(item.size for item in source.inputs) + 2 * sum(c.size for c in cells))
    chunk = max(1, _CHUNK_VALUES // events)
    for start in range(0, total, chunk):
        stop = min(start + chunk, total)
        traces = read(start, stop)
        values = {name: array[start:stop] for name, array in result.values.items()}
        for loop in loops:
            _run_loop(loop, traces, values, (stop - start, steps))
        for name, spikes in result.spikes.items():
            spikes[start:stop] = traces[name]
        if progress:
            progress(stop, total)
    return result


def _feeds(source: Source, inputs: Mapping[str, Feed], samples: int | None):
    """A function of (start, stop) that reads all inputs, the number of samples, and of steps."""
    names = [item.name for item in source.inputs]
    if not names or set(inputs) != set(names):
        raise InputError(f"inputs {', '.join(inputs) or 'none'} were given; {source.name!r} has {', '.join(names)}")
    lengths = [len(feed) for feed in inputs.values() if not callable(feed)]
    if samples is None and not lengths:
        raise InputError("the number of samples is not known: no input is an array")
    total = lengths[0] if samples is None else samples

    def read(start: int, stop: int) -> dict[str, np.ndarray]:
        found = {}
        for item in source.inputs:
            feed = inputs[item.name]
            found[item.name] = np.asarray(feed(start, stop) if callable(feed) else feed[start:stop])
            if found[item.name].ndim != 3 or found[item.name].shape[2] != item.size:
                expected = f"(samples, steps, {item.size})"
                raise InputError(f"input {item.name!r} has shape {found[item.name].shape}, not {expected}")
        return found

    return read, total, read(0, min(total, 1))[names[0]].shape[1]


def _loops(source: Source) -> list[list[str]]:
    """Populations that depend on each other, whatever the delay, in an order in which no group needs a later one."""
    names = [population.name for population in source.populations]
    edges = [(p.source, p.target, p.delay) for p in source.projections if p.source in names]
    same_step, any_step = networkx.DiGraph(), networkx.DiGraph()
    for graph in (same_step, any_step):
        graph.add_nodes_from(names)
    same_step.add_edges_from(edge[:2] for edge in edges if edge[2] == 0)
    any_step.add_edges_from(edge[:2] for edge in edges)
    order = list(networkx.lexicographical_topological_sort(same_step, key=names.index))
    condensed = networkx.condensation(any_step)
    return [sorted(condensed.nodes[n]["members"], key=order.index) for n in networkx.topological_sort(condensed)]


def _run_loop(loop: list["_Cells"], traces: dict, values: dict, shape: tuple[int, int]) -> None:
    """All steps of one chunk for populations of one loop; fills their ``traces`` (chunk, T, n) and the ``values``."""
    traces |= {c.name: np.zeros((*shape, c.size), bool) for c in loop}
    for c in loop:
        c.start(traces)
    for step in range(shape[1]):
        for c in loop:
            traces[c.name][:, step] = c.step(traces, step)
            if c.name in values:
                values[c.name][:, step] = c.v


class _Path:
    """One projection: from its source's events to input sums."""

    def __init__(self, projection: SourceProjection):
        self.source, self.delay = projection.source, projection.delay
        self.weights = getattr(projection.weights, "matrix", projection.weights)

    def add(self, current: np.ndarray, traces: dict[str, np.ndarray], first: int) -> None:
        """Add the projection's part of the input in steps ``first``.. to ``current`` (samples, steps, n)."""
        start, stop = max(first - self.delay, 0), first + current.shape[1] - self.delay
        if start < stop:
            events = traces[self.source][:, start:stop]
            sums = events.reshape(-1, events.shape[2]).astype(float) @ self.weights
            current[:, start + self.delay - first :] += sums.reshape(*events.shape[:2], -1)


class _Cells:
    """One population of a chunk: state, parameters and incoming projections. ``loop`` runs step by step with it."""

    def __init__(self, source: Source, name: str, loop: list[str]):
        self.population: SourcePopulation = next(p for p in source.populations if p.name == name)
        self.name, self.size = name, self.population.size
        self.at = {key: self.population.parameter(key) for key in _PARAMETERS}
        self.paths = [(p.source in loop, _Path(p)) for p in source.projections if p.target == name]
        self.late = self.population.reset_timing != "same_step"
        self.has_u = self.population.model == "cuba_lif"
        self.rests = bool(np.any(self.at["refractory"] > 1))
        self.ranges: dict[str, Range] = {}

    def start(self, traces: dict[str, np.ndarray]) -> None:
        """At rest, with the input from outside the loop in all steps."""
        samples, steps, _ = traces[self.name].shape
        self.u = np.zeros((samples, self.size))
        self.v = self.u + self.at["v_init"]
        self.held = np.zeros((samples, self.size))
        self.current = np.zeros((samples, steps, self.size))
        for recurrent, path in self.paths:
            if not recurrent:
                path.add(self.current, traces, 0)

    def step(self, traces: dict[str, np.ndarray], step: int) -> np.ndarray:
        """One step of every neuron; the spikes, bool (samples, n)."""
        current = self.current[:, step : step + 1]
        for recurrent, path in self.paths:
            if recurrent:
                path.add(current, traces, step)
        drive = current[:, 0]
        if self.has_u:
            self.u = drive = self.at["keep_u"] * self.u + drive + self.at["bias_u"]
            self._observe("u", drive)
        reset, threshold = self.population.reset, self.at["threshold"]
        before = self._fires(self.v) if self.late else np.False_
        kept = np.where(before, self.at["reset_value"], self.v) if reset == "zero" else self.v
        v = self.at["keep"] * kept + drive + self.at["bias"]
        if self.late and reset == "subtract":
            v -= threshold * before
        if self.rests:
            v = np.where(self.held > 0, self.at["reset_value"], v)
        self._observe("v", v)
        spikes = self._fires(v)
        if self.rests:
            spikes &= self.held <= 0
            self.held = np.where(spikes, self.at["refractory"], self.held) - 1
        self.v = self._after(v, spikes, before)
        return spikes

    def _after(self, v: np.ndarray, spikes: np.ndarray, before: np.ndarray) -> np.ndarray:
        """v as it is stored: after what a spike does to it in its own step."""
        reset, timing = self.population.reset, self.population.reset_timing
        if reset == "none" or timing == "delayed":
            return v
        if timing == "same_step" and reset == "zero":
            return np.where(spikes, self.at["reset_value"], v)
        change = spikes.astype(float) - before
        return v - change * (self.at["threshold"] if reset == "subtract" else v)

    def _fires(self, v: np.ndarray) -> np.ndarray:
        return v > self.at["threshold"] if self.population.compare == "gt" else v >= self.at["threshold"]

    def _observe(self, register: str, values: np.ndarray) -> None:
        low, high = self.ranges.get(register, (0.0, 0.0))
        self.ranges[register] = (min(low, float(values.min())), max(high, float(values.max())))


_PARAMETERS = ("keep", "keep_u", "bias", "bias_u", "threshold", "reset_value", "v_init", "refractory")
