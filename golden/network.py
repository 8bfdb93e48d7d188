"""The quantised network, population by population: batched, exact, and fast enough to measure accuracy with.

Sums of weights run through BLAS where no partial sum can leave the integers that a float represents exactly, which is
proved from the weights; elsewhere they run in int64. Where few sources have an event, only their rows are added, as
integers. Both these and the neurons' updates run in the narrowest type that is proved to hold all intermediate results.
Populations that are no part of one loop run one after the other, each through all steps, so that its input is one
product of matrices.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import networkx
import numpy as np
from scipy import sparse

from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Input, Network, Projection

from . import intervals, neurons

_EXACT = ((np.float32, 1 << 24), (np.float64, 1 << 53), (np.int64, 1 << 62))
_CHUNK_NEURONS = 1 << 17  # neurons in flight, so that the passes of an update stay in the cache
_FEW, _FIND, _PASS = 3, 240, 8
"""Times, as measured, for the choice between a product of matrices and adding the rows of events alone: to add a weight
takes _FEW times a product, to find an event _FIND times as long as that; to convert a place, _PASS products."""
_WINDOWS = 1 << 20  # values of windows that a convolution gathers at once, so that they stay in the cache
_CHUNK_EVENTS = 1 << 24  # places for events in flight: what bounds the memory, and what a float32 counts exactly

Feed = np.ndarray | Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class Result:
    """What a network did with B samples of T steps.

    ``spikes``: population -> uint8 (B, T, n), for spiking outputs and recorded populations. ``values``: population ->
    int32 (B, T, n), membrane potentials after the step, for value outputs. ``counts``: input or population -> events in
    total. ``operations``: for each projection, in the network's order, the events that met a synapse whose
    weight is not 0 (NeuroBench's effective accumulates, in total over the samples).
    """

    spikes: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    operations: tuple[int, ...] = ()


def run(
    network: Network,
    inputs: Mapping[str, Feed],
    record: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
    samples: int | None = None,
) -> Result:
    """Run B samples, each from the initial state, chunk by chunk.

    ``inputs`` maps every input to integers (B, T, n), or to a function of (start, stop) that returns those of samples
    start..stop-1; ``samples`` is B where no input is an array. ``record`` names populations whose spikes are wanted
    besides the outputs. ``progress`` is called with (samples done, B).

    Raises InputError for inputs that are missing, unknown, of the wrong shape, or not what the input carries (0 and 1,
    or unsigned integers of its payload width), and for weights whose sums could leave 62 bits.
    """
    feeds = _Feeds(network, inputs, samples)
    loops = [[_Cells(network, name, names) for name in names] for names in _loops(network)]
    cells = [c for loop in loops for c in loop]
    spiking = {output.population for output in network.outputs if not output.values} | set(record)
    shape = (feeds.samples, feeds.steps)
    result = Result(
        spikes={c.name: np.zeros((*shape, c.size), np.uint8) for c in cells if c.name in spiking},
        values={o.population: np.zeros((*shape, _size(network, o)), np.int32) for o in network.outputs if o.values},
        counts=dict.fromkeys([*feeds.sizes, *(c.name for c in cells)], 0),
    )
    unknown = set(record) - {c.name for c in cells}
    if unknown:
        raise InputError(f"there is no population {min(unknown)!r} to record; there are {', '.join(network.order)}")

    chunk = _chunk_samples(cells, feeds)
    for start in range(0, feeds.samples, chunk):
        stop = min(start + chunk, feeds.samples)
        traces = feeds.read(start, stop)
        counts = {name: int(np.count_nonzero(trace)) for name, trace in traces.items()}
        traces |= {c.name: np.zeros((stop - start, feeds.steps, c.size), c.dtype) for c in cells}
        values = {name: array[start:stop] for name, array in result.values.items()}
        for loop in loops:
            _run_loop(loop, traces, counts, values)
        for name, trace in traces.items():
            result.counts[name] += counts[name]
            if name in result.spikes:
                result.spikes[name][start:stop] = trace != 0
        if progress:
            progress(stop, feeds.samples)
    operations = {id(path.projection): path.operations for c in cells for path in c.paths}
    return Result(result.spikes, result.values, result.counts, tuple(operations[id(p)] for p in network.projections))


def _size(network: Network, output) -> int:
    return network.population(output.population).size


def _loops(network: Network) -> list[list[str]]:
    """Populations that depend on each other, whatever the delay, in an order in which no group needs a later one."""
    place = {name: index for index, name in enumerate(network.order)}
    edges = [(p.source, p.target) for p in network.projections if p.source in place]
    if all(place[source] < place[target] for source, target in edges):
        return [[name] for name in network.order]
    graph = networkx.DiGraph()
    graph.add_nodes_from(network.order)
    graph.add_edges_from(edges)
    condensed = networkx.condensation(graph)
    order = networkx.topological_sort(condensed)
    return [sorted(condensed.nodes[node]["members"], key=network.order.index) for node in order]


def _chunk_samples(cells: list["_Cells"], feeds: "_Feeds") -> int:
    """Samples that run together."""
    events = feeds.steps * (sum(feeds.sizes.values()) + sum(c.size for c in cells))
    return max(1, min(_CHUNK_NEURONS // max(c.size for c in cells), _CHUNK_EVENTS // max(events, 1), 1024))


def _run_loop(
    loop: list["_Cells"], traces: dict[str, np.ndarray], counts: dict[str, int], values: dict[str, np.ndarray]
) -> None:
    """All steps of one chunk for populations of one loop; fills their ``traces`` (chunk, T, n), ``counts`` of events,
    and ``values``."""
    for c in loop:
        c.start(traces, counts)
    for step in range(traces[loop[0].name].shape[1]):
        for c in loop:
            traces[c.name][:, step] = c.step(traces, step)
            if c.name in values:
                values[c.name][:, step] = c.state["v"]
    for c in loop:
        counts[c.name] = int(np.count_nonzero(traces[c.name]))


class _Feeds:
    """The inputs of a run, checked as they are read."""

    def __init__(self, network: Network, inputs: Mapping[str, Feed], samples: int | None):
        self.inputs = {item.name: item for item in network.inputs}
        self.sizes = {item.name: item.size for item in network.inputs}
        for name in [*inputs, *self.inputs]:
            if name not in self.inputs or name not in inputs:
                what = "is missing" if name in self.inputs else "is unknown"
                raise InputError(f"input {name!r} {what}; {network.name!r} has {', '.join(self.inputs) or 'none'}")
        self.feeds = dict(inputs)
        lengths = [len(feed) for feed in self.feeds.values() if not callable(feed)]
        if not self.inputs:
            raise InputError(f"network {network.name!r} has no input, so nothing says how many steps to run")
        if samples is None and not lengths:
            raise InputError("the number of samples is not known: no input is an array")
        self.samples = lengths[0] if samples is None else samples
        probes = [self._slice(name, 0, min(self.samples, 1)) for name in self.inputs]
        if any(probe.ndim != 3 for probe in probes):
            raise InputError(f"inputs have shape (samples, steps, n), not {probes[0].shape}")
        self.steps = probes[0].shape[1]

    def _slice(self, name: str, start: int, stop: int) -> np.ndarray:
        feed = self.feeds[name]
        return np.asarray(feed(start, stop)) if callable(feed) else np.asarray(feed)[start:stop]

    def read(self, start: int, stop: int) -> dict[str, np.ndarray]:
        """The events of samples start..stop-1, (stop - start, T, n) for each input."""
        return {name: self._checked(name, self._slice(name, start, stop), stop - start) for name in self.inputs}

    def _checked(self, name: str, events: np.ndarray, samples: int) -> np.ndarray:
        expected = (samples, self.steps, self.sizes[name])
        if events.shape != expected:
            raise InputError(f"input {name!r} has shape {events.shape}, not (samples, steps, n) = {expected}")
        if not (np.issubdtype(events.dtype, np.integer) or events.dtype == bool):
            raise InputError(f"input {name!r} holds {events.dtype}, not integers")
        largest = _largest(self.inputs[name])
        if events.size and events.dtype != bool:
            lowest = 0 if events.dtype.kind == "u" else int(events.min())
            wrong = lowest if lowest < 0 else int(events.max())
            if not 0 <= wrong <= largest:
                raise InputError(f"input {name!r} holds 0..{largest}, not {wrong}")
        if largest > 1:
            return events
        return events.view(bool) if events.dtype.itemsize == 1 else events != 0


def _largest(source) -> int:
    """The largest magnitude of an event of an input or a population."""
    if isinstance(source, Input):
        return source.largest
    return 1 << (source.widths["v"] - 1) if source.graded else 1


class _Matrix:
    """A projection whose weights are a matrix: one product."""

    def __init__(self, values: np.ndarray, dtype: type, integer: type):
        self.values, self.dtype, self.integer = values, dtype, integer

    @cached_property
    def weights(self) -> np.ndarray:
        """For sums of all rows."""
        return np.ascontiguousarray(self.values, dtype=self.dtype)

    @cached_property
    def rows(self) -> np.ndarray:
        """For sums of a few."""
        return np.ascontiguousarray(self.values, dtype=self.integer)

    def sums(self, events: np.ndarray) -> np.ndarray:
        """Input sums (n, n_target) of ``events`` (n, n_source), exact in their dtype."""
        return events @ self.weights

    def sums_of_few(self, factors: np.ndarray, at: np.ndarray, sources: np.ndarray, count: int) -> np.ndarray:
        """The same in integers, of the events alone that are not 0: ``factors`` from ``sources`` in rows ``at``, which
        ascend, of ``count``."""
        ends = np.cumsum(np.bincount(at, minlength=count))
        events = (factors.astype(self.integer), sources.astype(np.int32), np.append(0, ends).astype(np.int32))
        return sparse.csr_array(events, shape=(count, len(self.rows))) @ self.rows


class _Convolution:
    """A projection whose weights are a kernel: one product with the windows of the source map, side by side."""

    def __init__(self, kernel: Kernel, dtype: type, _: type):
        self.kernel = kernel
        out, reads, height, width = kernel.weights.shape
        each = (out // kernel.groups, reads * height * width)
        self.weights = np.ascontiguousarray(kernel.weights, dtype=dtype).reshape(kernel.groups, *each)
        self.span = tuple((size - 1) * step + 1 for size, step in zip((height, width), kernel.dilation, strict=True))

    def sums(self, events: np.ndarray) -> np.ndarray:
        """Input sums (n, n_target) of ``events`` (n, n_source), exact in their dtype."""
        return np.concatenate(
            [self._some(events[start : start + self._at_once]) for start in range(0, len(events), self._at_once)]
        )

    @property
    def _at_once(self) -> int:
        """Events whose windows are gathered together, so that they stay in the cache."""
        groups, _, reads = self.weights.shape
        return max(1, _WINDOWS // (groups * reads * self.kernel.target[1] * self.kernel.target[2]))

    def _some(self, events: np.ndarray) -> np.ndarray:
        kernel, groups = self.kernel, self.kernel.groups
        windows = np.lib.stride_tricks.sliding_window_view(self._padded(events), self.span, axis=(2, 3))
        windows = windows[:, :, :: kernel.stride[0], :: kernel.stride[1], :: kernel.dilation[0], :: kernel.dilation[1]]
        rows, columns = kernel.target[1:]
        gathered = windows[:, :, :rows, :columns].transpose(0, 1, 4, 5, 2, 3)
        return (self.weights @ gathered.reshape(len(events), groups, -1, rows * columns)).reshape(len(events), -1)

    def _padded(self, events: np.ndarray) -> np.ndarray:
        """The source maps (n, channels, rows, columns), cut and filled up to what the windows cover."""
        kernel = self.kernel
        channels = kernel.source[0]
        covered = [(n - 1) * s + w for n, s, w in zip(kernel.target[1:], kernel.stride, self.span, strict=True)]
        found = np.zeros((len(events), channels, *covered), dtype=events.dtype)
        inner, outer = [], []
        for size, before, length in zip(kernel.source[1:], kernel.padding, covered, strict=True):
            start, stop = max(0, -before), min(size, length - before)
            inner.append(slice(start + before, max(stop, start) + before))
            outer.append(slice(start, max(stop, start)))
        found[:, :, inner[0], inner[1]] = events.reshape(-1, *kernel.source)[:, :, outer[0], outer[1]]
        return found


class _Path:
    """One projection: from its source's events to input sums."""

    def __init__(self, projection: Projection, largest: int):
        self.projection, self.source, self.delay = projection, projection.source, projection.delay
        self.bound = largest * _reach(projection)
        if self.bound >= _EXACT[-1][1]:
            where = f"projection {projection.source} -> {projection.target}"
            raise InputError(f"{where}: its sums reach {self.bound}, more than 62 bits hold")
        self.dtype = next(dtype for dtype, limit in _EXACT if max(self.bound, largest) < limit)
        self.is_kernel = isinstance(projection.weights, Kernel)
        self.integer = _integer(max(self.bound, largest))
        self.weights = (_Convolution if self.is_kernel else _Matrix)(projection.weights, self.dtype, self.integer)
        self.graded = largest > 1
        self.operations = 0

    def sums(self, trace: np.ndarray, first: int, stop: int, active: float | None = None) -> np.ndarray:
        """The projection's part of the input in steps ``first`` to ``stop`` - 1 (samples, steps, n), without those that
        no event of ``trace`` has reached yet. ``active`` is the share of sources with an event, where it is known."""
        events = trace[:, max(first - self.delay, 0) : max(stop - self.delay, 0)]
        samples, steps, width = events.shape
        if not steps:
            return np.zeros((samples, 0, self.projection.shape[1]), self.integer)
        events = events.reshape(-1, width)
        active = np.count_nonzero(events) / events.size if active is None else active
        targets = self.projection.shape[1]
        are_few = not self.is_kernel and active * _FEW * (_FIND + targets) < _PASS + targets
        operations, sums = (self._few if are_few else self._all)(events)
        self.operations += int(operations)
        return sums.astype(self.integer, copy=False).reshape(samples, steps, -1)

    def _all(self, events: np.ndarray) -> tuple[int, np.ndarray]:
        """The operations of ``events`` (n, n_source), and the input sums."""
        events = events.astype(self.dtype)
        active = (events != 0).astype(np.float32) if self.graded else events
        totals = np.ones(len(active), active.dtype) @ active
        return totals.astype(np.int64) @ self.projection.fan_out, self.weights.sums(events)

    def _few(self, events: np.ndarray) -> tuple[int, np.ndarray]:
        """The same, from the events that are not 0."""
        places = _places(events)
        at, sources = np.divmod(places, events.shape[1])
        sums = self.weights.sums_of_few(events.ravel()[places], at, sources, len(events))
        return self.projection.fan_out[sources].sum(), sums


class _Cells:
    """One population of a chunk: its state, parameters and incoming projections.

    ``loop`` names the populations that run step by step together with this one; all other sources are done before.
    """

    def __init__(self, network: Network, name: str, loop: list[str]):
        population = network.population(name)
        self.name, self.size, self.widths = name, population.size, population.widths
        self.dtype = np.int64 if population.graded else bool
        self.model = neurons.model(population.model)
        self.parameters = {p.name: _simplified(population.parameter(p.name)) for p in population.spec.PARAMETERS}
        sources = {item.name: item for item in (*network.inputs, *network.populations)}
        self.paths = [_Path(p, _largest(sources[p.source])) for p in network.incoming(name)]
        self.recurrent = [path for path in self.paths if path.source in loop]
        largest = sum(path.bound for path in self.paths)
        bound = largest << int(np.max(self.parameters.get("exponent", 0)))
        if bound >= _EXACT[-1][1]:
            raise InputError(f"population {name!r}: its input reaches {bound}, more than 62 bits hold")
        self.sum_dtype = _integer(largest)
        self.step_dtype = intervals.narrowest(self.model, self.parameters, self.widths, largest)
        self.typed = self.parameters | {
            p.name: np.asarray(self.parameters[p.name], self.step_dtype)[()]
            for p in population.spec.PARAMETERS
            if not p.choices
        }
        self.state: dict[str, np.ndarray] = {}

    def start(self, traces: dict[str, np.ndarray], counts: dict[str, int]) -> None:
        """The initial state, and the input from outside the loop in all steps."""
        samples, steps, _ = shape = traces[self.name].shape
        initial = self.model.initial(self.parameters, (samples, self.size))
        self.state = {name: values.astype(self.step_dtype) for name, values in initial.items()}
        outside = [
            path.sums(traces[path.source], 0, steps, counts[path.source] / max(traces[path.source].size, 1))
            for path in self.paths
            if path not in self.recurrent
        ]
        if len(outside) == 1 and outside[0].shape == shape and outside[0].dtype == self.sum_dtype:
            self.current = outside[0]
            return
        self.current = np.zeros(shape, dtype=self.sum_dtype)
        for sums in outside:
            self.current[:, steps - sums.shape[1] :] += sums

    def step(self, traces: dict[str, np.ndarray], step: int) -> np.ndarray:
        """One step of every neuron; the events (samples, n): spikes, or the values of a graded population."""
        current = self.current[:, step].astype(self.step_dtype)
        for path in self.recurrent:
            current += path.sums(traces[path.source], step, step + 1).sum(axis=1, dtype=self.step_dtype)
        self.state, spike = self.model.step(self.state, self.typed, current, self.widths)
        return self.state["v"] if self.dtype is np.int64 else spike


def _places(events: np.ndarray) -> np.ndarray:
    """Where ``events`` are not 0, as flat indices: of few among many, first the words of 8, in pairs to begin with."""
    if events.dtype != bool or events.size % 16:
        return np.flatnonzero(events)
    words = np.ascontiguousarray(events).reshape(-1).view(np.uint64)
    half = len(words) // 2
    found = np.flatnonzero((words[:half] | words[half:]) != 0)
    if len(found) > 0.8 * half:  # one place in ten: NumPy is as fast
        return np.flatnonzero(events)
    found = np.concatenate([found, found + half])
    found = found[np.flatnonzero(words[found] != 0)]
    inside = np.flatnonzero(words[found].view(bool))
    return found[inside >> 3] * 8 + (inside & 7)


def _integer(largest: int) -> type:
    """The narrowest type of what is -``largest`` to ``largest``."""
    return next(t for t in intervals.TYPES if largest <= np.iinfo(t).max)


def _reach(projection: Projection) -> int:
    """A bound on any neuron's sum where all events are 1, as a Python integer: it must not overflow itself."""
    values, is_safe = projection.values, max(map(abs, projection.extremes)) * projection.values.size < _EXACT[-1][1]
    if is_safe and not isinstance(projection.weights, Kernel):
        positive, negative = projection.one_sided
        return int((positive - negative).max(initial=0))
    magnitudes = np.abs(values.astype(np.int64 if is_safe else object))
    axes = (1, 2, 3) if isinstance(projection.weights, Kernel) else 0
    return int(magnitudes.sum(axis=axes).max()) if magnitudes.size else 0


def _simplified(value) -> int | np.ndarray:
    """A parameter as an int where all neurons agree."""
    values = np.asarray(value, dtype=np.int64)
    return int(values.flat[0]) if (values == values.flat[0]).all() else values
