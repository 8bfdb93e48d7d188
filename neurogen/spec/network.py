"""The integer network: populations, projections, inputs and outputs. What ``golden.network`` computes.

Time is in *steps*. A projection with ``delay`` 0 carries the spikes of the same step (a feed-forward layer), ``delay``
d >= 1 those of d steps ago (recurrence). Every loop has a total delay of at least 1.
"""

import hashlib
import io
import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx
import numpy as np

from . import archive, neurons
from .errors import InputError
from .kernels import Kernel

if TYPE_CHECKING:
    from scipy import sparse

FORMAT = 1


@dataclass(frozen=True)
class Input:
    """``size`` input lines. ``payload_bits`` 0: binary spikes; else unsigned graded events."""

    name: str
    size: int
    payload_bits: int = 0

    @property
    def largest(self) -> int:
        """The largest payload; a spike's is 1."""
        return (1 << self.payload_bits) - 1 if self.payload_bits else 1


@dataclass(frozen=True)
class Population:
    """``size`` neurons of one model. A parameter is an int, or an int64 array with one value per neuron.

    A ``graded`` population sends v' of every step as the payload of an event, unless it is 0, and no spikes.
    """

    name: str
    size: int
    model: str
    parameters: dict[str, int | np.ndarray]
    state_bits: dict[str, int] = field(default_factory=dict)
    graded: bool = False

    @property  # not cached: a module cannot be sent to another process
    def spec(self):
        """The model's specification module."""
        return neurons.model(self.model)

    @cached_property
    def widths(self) -> dict[str, int]:
        """Width of every register."""
        return {state.name: self.state_bits.get(state.name, state.bits) for state in self.spec.STATE}

    def parameter(self, name: str) -> int | np.ndarray:
        """The value of a parameter, the model's default where none is given."""
        if name in self.parameters:
            return self.parameters[name]
        return next(p.default for p in self.spec.PARAMETERS if p.name == name)


@dataclass(frozen=True)
class Projection:
    """Weights (n_source, n_target), int64, from a population or an input to a population: a matrix or a kernel.

    ``matrix``, ``shape`` and the counts are the same whichever it is; ``matrix`` is sparse (CSR) for a kernel.
    """

    source: str
    target: str
    weights: np.ndarray | Kernel
    delay: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(n_source, n_target)."""
        return self.weights.shape

    @property
    def values(self) -> np.ndarray:
        """The integers that are kept: the matrix itself, or the kernel's."""
        return self.weights.weights if isinstance(self.weights, Kernel) else self.weights

    @property
    def matrix(self) -> "np.ndarray | sparse.csr_array":
        """The projection as a matrix, (n_source, n_target)."""
        return self.weights.matrix if isinstance(self.weights, Kernel) else self.weights

    @property
    def dense(self) -> np.ndarray:
        """The projection as an array, (n_source, n_target), however large."""
        return self.weights.matrix.toarray() if isinstance(self.weights, Kernel) else self.weights

    @cached_property
    def extremes(self) -> tuple[int, int]:
        """The smallest and the largest weight; 0 and 0 where there are none."""
        return (int(self.values.min()), int(self.values.max())) if self.values.size else (0, 0)

    @cached_property
    def fan_out(self) -> np.ndarray:
        """(n_source,) synapses whose weight is not 0."""
        return self.weights.fan_out if isinstance(self.weights, Kernel) else np.count_nonzero(self.weights, axis=1)

    @cached_property
    def one_sided(self) -> tuple[np.ndarray, np.ndarray]:
        """(n_target,) sums of every neuron's positive weights, and of its negative ones."""
        parts = np.maximum(self.values, 0), np.minimum(self.values, 0)
        positive, negative = (
            self.weights.sums(part) if isinstance(self.weights, Kernel) else part.sum(axis=0) for part in parts
        )
        return positive, negative

    @property
    def synapses(self) -> int:
        """Synapses whose weight is not 0."""
        return int(self.fan_out.sum())


@dataclass(frozen=True)
class Output:
    """What leaves the network: a population's spikes, or (``values``) its membrane potential in every step."""

    population: str
    values: bool = False


@dataclass(frozen=True)
class Network:
    """A quantised network. Construction validates it and raises InputError with one line that names the culprit."""

    name: str
    inputs: tuple[Input, ...]
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    outputs: tuple[Output, ...]
    metadata: dict = field(default_factory=dict)  # JSON: where it came from, equations, scales

    def __post_init__(self):
        self._check_names()
        for population in self.populations:
            _check_parameters(population)
        for projection in self.projections:
            self._check_projection(projection)
        if not self.outputs:
            raise InputError(f"network {self.name!r} has no output")
        self.order  # noqa: B018  raises for a loop without delay

    def _check_names(self):
        names = [item.name for item in (*self.inputs, *self.populations)]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"two inputs or populations are called {name!r}")
        for item in (*self.inputs, *self.populations):
            if item.size < 1:
                raise InputError(f"{item.name!r} has {item.size} neurons; at least 1 is needed")
        for output in self.outputs:
            if output.population not in [population.name for population in self.populations]:
                raise InputError(f"output {output.population!r} is no population")

    def _check_projection(self, projection: Projection):
        where = f"projection {projection.source} -> {projection.target}"
        sizes = {item.name: item.size for item in (*self.inputs, *self.populations)}
        if projection.source not in sizes:
            raise InputError(f"{where}: there is no population or input {projection.source!r}")
        if projection.target not in [population.name for population in self.populations]:
            raise InputError(f"{where}: there is no population {projection.target!r}")
        expected = (sizes[projection.source], sizes[projection.target])
        if projection.shape != expected:
            raise InputError(f"{where}: weights have shape {projection.shape}, not {expected}")
        if not np.issubdtype(projection.values.dtype, np.integer):
            raise InputError(f"{where}: weights are integers, not {projection.values.dtype}")
        if projection.delay < 0:
            raise InputError(f"{where}: delay is 0 or more steps, not {projection.delay}")

    def population(self, name: str) -> Population:
        return next(population for population in self.populations if population.name == name)

    def incoming(self, name: str) -> list[Projection]:
        return [projection for projection in self.projections if projection.target == name]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Population names such that same-step projections go forward."""
        graph = networkx.DiGraph()
        graph.add_nodes_from(population.name for population in self.populations)
        sources = set(graph)
        graph.add_edges_from((p.source, p.target) for p in self.projections if p.delay == 0 and p.source in sources)
        try:
            return tuple(networkx.lexicographical_topological_sort(graph, key=list(graph).index))
        except networkx.NetworkXUnfeasible:
            loop = [edge[0] for edge in networkx.find_cycle(graph)]
            raise InputError(
                f"the loop {' -> '.join([*loop, loop[0]])} has no delay; one of its projections needs 1"
            ) from None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that the network computes."""
        return hashlib.sha256(_serialise(self)).hexdigest()

    def save(self, path: Path) -> None:
        """Write an ``.npz`` that :meth:`load` reads back identically."""
        Path(path).write_bytes(_serialise(self))

    @classmethod
    def load(cls, path: Path) -> "Network":
        """Read what :meth:`save` wrote. Raises InputError if the file is anything else."""
        header, arrays = archive.read(path, "network", FORMAT)

        def parameters(record):
            return {k: arrays[v] if isinstance(v, str) else v for k, v in record.items()}

        return cls(
            name=header["name"],
            inputs=tuple(Input(**item) for item in header["inputs"]),
            populations=tuple(
                Population(**{**item, "parameters": parameters(item["parameters"])}) for item in header["populations"]
            ),
            projections=tuple(
                Projection(**{**item, "weights": _weights(item["weights"], arrays)}) for item in header["projections"]
            ),
            outputs=tuple(Output(**item) for item in header["outputs"]),
            metadata=header["metadata"],
        )


def _check_parameters(population: Population) -> None:
    known = {parameter.name: parameter for parameter in population.spec.PARAMETERS}
    for name, value in population.parameters.items():
        where = f"population {population.name!r}"
        if name not in known:
            raise InputError(f"{where}: {population.model} has no parameter {name!r}; it has {', '.join(known)}")
        values = np.asarray(value)
        if values.shape not in ((), (population.size,)):
            raise InputError(f"{where}: {name} has shape {values.shape}, not () or ({population.size},)")
        if values.dtype.kind not in "iub":
            raise InputError(f"{where}: {name} holds {values.dtype}, not integers")
        for extreme in (values.min(), values.max()):
            known[name].parse(int(extreme), population.widths, where)


def _weights(record: str | dict[str, Any], arrays: dict[str, np.ndarray]) -> np.ndarray | Kernel:
    """What :func:`_serialise` recorded of a projection's weights."""
    if isinstance(record, str):
        return arrays[record]
    shape = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    return Kernel(**{**shape, "weights": arrays[record["weights"]]})


def _serialise(network: Network) -> bytes:
    """A deterministic ``.npz``: arrays beside one JSON header that names them."""
    arrays: dict[str, np.ndarray] = {}

    def stored(value, key):
        if isinstance(value, Kernel):
            return {item.name: getattr(value, item.name) for item in fields(value)} | {
                "weights": stored(value.weights, key)
            }
        if np.ndim(value) == 0:
            return int(value)
        arrays[key] = np.ascontiguousarray(value, dtype=np.int64)  # the digest is of the values, not of their layout
        return key

    header = {
        "format": FORMAT,
        "name": network.name,
        "inputs": [vars(item) for item in network.inputs],
        "populations": [
            {
                "name": p.name,
                "size": p.size,
                "model": p.model,
                "parameters": {k: stored(v, f"population.{i}.{k}") for k, v in p.parameters.items()},
                "state_bits": p.state_bits,
                **({"graded": True} if p.graded else {}),
            }
            for i, p in enumerate(network.populations)
        ],
        "projections": [
            {
                "source": p.source,
                "target": p.target,
                "weights": stored(p.weights, f"projection.{i}"),
                "delay": p.delay,
            }
            for i, p in enumerate(network.projections)
        ],
        "outputs": [vars(item) for item in network.outputs],
        "metadata": network.metadata,
    }
    arrays["neurogen_network"] = np.array(json.dumps(header, sort_keys=True))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
