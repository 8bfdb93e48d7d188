"""NIR graphs, read tolerantly from their HDF5: 0-d scalars, leading batch dimensions and nested graphs are accepted.

Stateless nodes between two neurons are multiplied out into one matrix and one bias; what a node means is its module in
``compiler.primitives``.
"""

from collections import defaultdict
from pathlib import Path

import networkx
import numpy as np

from ...spec.errors import InputError
from ...spec.network import Input, Output
from ..conventions import Options, resolve
from ..names import legal_name
from ..primitives import primitives
from ..source import Source, SourcePopulation, SourceProjection
from . import hdf5

NAME = "nir"
SUFFIXES = (".nir",)


def read(path: Path, options: Options) -> Source:
    """Read a NIR graph. Raises InputError that names the node at fault."""
    data = hdf5.tree(path)
    if data.get("node", {}).get("type") != "NIRGraph":
        raise InputError(f"{path}: no NIR graph in it (there is no node of type NIRGraph)")
    try:
        return _Graph(data["node"], options).source(options.name or legal_name(path.stem, "network"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


class _Graph:
    """A flattened graph: nodes by name, edges, and what drives each of them."""

    def __init__(self, graph: dict, options: Options):
        self.nodes: dict[str, dict] = {}
        self.edges: list[tuple[str, str]] = []
        _flatten(graph, "", self.nodes, self.edges)
        self.kinds = {name: self._kind(name, node) for name, node in self.nodes.items()}
        self.before, self.after = defaultdict(list), defaultdict(list)
        for source, target in dict.fromkeys(self.edges):
            self.after[source].append(target)
            self.before[target].append(source)
        _check_finite(self.nodes)
        self.neurons = [name for name, kind in self.kinds.items() if kind == "neuron"]
        if not self.neurons:
            raise InputError("there is no spiking neuron in the graph")
        self.options = options
        self.notes: list[str] = []
        self._repair()
        self.drives: dict[str, tuple[dict[str, np.ndarray], np.ndarray]] = {}

    @staticmethod
    def _kind(name: str, node: dict) -> str:
        """Input, Output, Port, map or neuron, after checking that the node has all that its type needs."""
        kind = node["type"]
        if kind == "Input" and "shape" not in node:
            raise InputError(f"node {name!r} has no shape")
        if kind in ("Input", "Output", "Port"):
            return kind
        if kind not in primitives():
            known = ", ".join(("Input", "Output", *primitives()))
            raise InputError(f"node {name!r} is of type {kind}, which cannot be built; supported are {known}")
        for key in primitives()[kind].KEYS:
            if key not in node:
                raise InputError(f"node {name!r} has no {key}")
            if not isinstance(node[key], (np.ndarray, np.number)) or np.asarray(node[key]).dtype.kind not in "iuf":
                raise InputError(f"node {name!r}: {key} holds no numbers")
        if "weight" in primitives()[kind].KEYS and np.ndim(node["weight"]) != 2:
            raise InputError(f"node {name!r}: weight has shape {np.shape(node['weight'])}, not (n_out, n_in)")
        return primitives()[kind].KIND

    def _repair(self):
        """Norse writes tau/(its dt) in units of 1: its time constants are a factor of dt too small."""
        if self.options.framework != "norse":
            return
        dt = self.options.dt or 1e-3
        for name in self.neurons:
            node = self.nodes[name]
            for key in ("tau", "tau_mem", "tau_syn"):
                if key in node and np.all(node[key] < dt):
                    node[key] = node[key] / dt
                    self.notes.append(f"node {name!r}: {key} is smaller than dt, as Norse writes it; divided by dt")

    def source(self, name: str) -> Source:
        conventions, notes = resolve({neuron: self.nodes[neuron] for neuron in self.neurons}, self.options)
        self.notes += notes
        names = self._names()
        inputs = tuple(
            Input(names[node], self._input_size(node)) for node, kind in self.kinds.items() if kind == "Input"
        )
        delays = self._delays()
        populations, projections = [], []
        for neuron in self.neurons:
            terms, offset = self.drive_of(self.before[neuron], self._input_of(neuron))
            population, gain = self._population(neuron, names[neuron], conventions[neuron], offset)
            populations.append(population)
            for source, weights in terms.items():
                delay = delays[source, neuron]
                projections.append(SourceProjection(names[source], names[neuron], weights * gain, delay))
        return Source(
            name=name,
            inputs=inputs,
            populations=tuple(populations),
            projections=tuple(projections),
            outputs=tuple(Output(names[neuron]) for neuron in self._outputs()),
            notes=tuple(self.notes),
            metadata={"coding": self._hints()},
        )

    def _names(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for node, kind in self.kinds.items():
            if kind in ("Input", "neuron"):
                name = legal_name(node, self.nodes[node]["type"].lower())
                while name in found.values():
                    name += "_"
                found[node] = name
        return found

    def _population(self, node: str, name: str, convention, offset: np.ndarray):
        """One neuron node as a population, and the factor of its input weights, shape (size,)."""
        size = len(offset)
        record = dict(self.nodes[node])
        primitive = primitives()[record["type"]]
        for key in primitive.SHAPED:
            if key in record:
                record[key] = self._shaped(node, key, record[key], size)
        gain, parameters = primitive.discretise(record, convention)
        gain = np.broadcast_to(gain, (size,))
        bias = "bias_u" if primitive.MODEL == "cuba_lif" else "bias"
        parameters[bias] = parameters.get(bias, 0.0) + gain * offset
        for key in ("keep", "keep_u"):
            if np.any(np.asarray(parameters.get(key, 0.0)) < 0):
                raise InputError(f"node {node!r}: a time constant is smaller than dt = {convention.dt:g}")
        if not np.all(np.asarray(parameters["threshold"]) > 0):
            raise InputError(f"node {node!r}: v_threshold must be positive")
        population = SourcePopulation(
            name=name,
            size=size,
            model=primitive.MODEL,
            parameters=parameters,
            reset=convention.reset,
            reset_timing=convention.reset_timing,
            compare=convention.compare,
            steps_dt=convention.dt,
        )
        return population, gain

    @staticmethod
    def _shaped(node: str, key: str, values, size: int) -> np.ndarray | float:
        values = np.ravel(np.asarray(values, dtype=float))
        if len(values) not in (1, size):
            raise InputError(f"node {node!r}: {key} has {len(values)} values for {size} neurons")
        return float(values[0]) if np.all(values == values[0]) else values

    def drive(self, node: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """What a node puts out: matrices by source (an input or a neuron), (n_source, n), and an offset (n,)."""
        kind = self.kinds[node]
        if kind == "Input" or kind == "neuron":
            size = self._input_size(node) if kind == "Input" else self._neuron_size(node)
            return {node: np.eye(size)}, np.zeros(size)
        if node not in self.drives:
            self.drives[node] = None  # a stateless loop comes back here
            self.drives[node] = self._apply(node)
        if self.drives[node] is None:
            raise InputError(f"node {node!r} is in a loop without a neuron")
        return self.drives[node]

    def drive_of(self, nodes: list[str], size: int | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The sum of what several nodes put out."""
        if not nodes:
            if size is None:
                raise InputError("a node without input has no size")
            return {}, np.zeros(size)
        terms: dict[str, np.ndarray] = {}
        offset = 0.0
        sizes = set()
        for node in nodes:
            matrices, bias = self.drive(node)
            sizes.add(len(bias))
            if len(sizes) > 1 or (size is not None and len(bias) != size):
                expected = size if size is not None else min(sizes)
                raise InputError(f"node {node!r} puts out {len(bias)} values where {expected} are taken")
            offset = offset + bias
            for source, weights in matrices.items():
                terms[source] = terms[source] + weights if source in terms else weights
        return terms, offset

    def _apply(self, node: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """A stateless node applied to the sum of its inputs."""
        record = self.nodes[node]
        if self.kinds[node] in ("Port", "Output"):
            return self.drive_of(self.before[node], None)
        primitive = primitives()[record["type"]]
        terms, offset = self.drive_of(self.before[node], primitive.size_in(record))
        weights, bias = primitive.weights(record, len(offset)), primitive.bias(record)
        if weights is not None:
            terms = {source: matrix @ weights for source, matrix in terms.items()}
            offset = offset @ weights
        return terms, offset if bias is None else offset + bias

    def _input_of(self, neuron: str) -> int | None:
        """The number of neurons that a node's own arrays say, or None where they are all scalars."""
        record = self.nodes[neuron]
        sizes = {np.size(record[key]) for key in primitives()[record["type"]].SHAPED if key in record} - {1}
        if len(sizes) > 1:
            raise InputError(f"node {neuron!r}: its parameters have different sizes, {sorted(sizes)}")
        return sizes.pop() if sizes else None

    def _neuron_size(self, neuron: str) -> int:
        known = self._input_of(neuron)
        if known is not None:
            return known
        forward = [node for node in self.before[neuron] if self._output_size(node) is not None]
        return self._output_size(forward[0]) if forward else 1

    def _output_size(self, node: str) -> int | None:
        """The number of values that a node puts out, as far as its own arrays say."""
        record = self.nodes[node]
        if "bias" in record:
            return np.size(record["bias"])
        return record["weight"].shape[0] if "weight" in record else None

    def _input_size(self, node: str) -> int:
        """The size of an input; leading batch and time dimensions are dropped where its consumer takes fewer values."""
        shape = [int(extent) for extent in np.ravel(self.nodes[node]["shape"])]
        wanted = self._taken(node)
        sizes = [int(np.prod(shape[at:])) for at in range(len(shape))] or [1]
        return wanted if wanted in sizes else sizes[0]

    def _taken(self, node: str) -> int | None:
        """How many values the nodes after ``node`` take, through nodes that take any number."""
        for after in self.after[node]:
            record = self.nodes[after]
            kind = self.kinds[after]
            if kind == "neuron":
                taken = self._input_of(after)
            else:
                taken = primitives()[record["type"]].size_in(record) if kind == "map" else None
                taken = taken if taken is not None else self._taken(after)
            if taken is not None:
                return taken
        return None

    def _outputs(self) -> list[str]:
        found = []
        for node, kind in self.kinds.items():
            if kind == "Output":
                terms, _ = self.drive(node)
                for source, weights in terms.items():
                    if self.kinds[source] != "neuron" or not np.array_equal(weights, np.eye(len(weights))):
                        raise InputError(f"node {node!r} does not come straight from a spiking neuron")
                    found.append(source)
        if not found:
            raise InputError("the graph has no Output that a neuron reaches")
        return list(dict.fromkeys(found))

    def _delays(self) -> dict[tuple[str, str], int]:
        """Steps of delay per (source, neuron): 0, or 1 where the connection goes back in a loop.

        Inside a loop the neurons are ordered by distance from the inputs; what goes back in that order waits a step.
        """
        graph = networkx.DiGraph()
        graph.add_nodes_from(self.kinds)
        for neuron in self.neurons:
            graph.add_edges_from(
                (source, neuron) for source in self.drive_of(self.before[neuron], self._input_of(neuron))[0]
            )
        inputs = [node for node, kind in self.kinds.items() if kind == "Input"]
        distance = networkx.multi_source_dijkstra_path_length(graph, inputs) if inputs else {}
        rank = {node: (distance.get(node, len(graph)), index) for index, node in enumerate(self.kinds)}
        component = {
            node: index for index, nodes in enumerate(networkx.strongly_connected_components(graph)) for node in nodes
        }
        return {
            (source, target): int(component[source] == component[target] and rank[source] >= rank[target])
            for source, target in graph.edges
        }

    def _hints(self) -> dict:
        """Metadata of the nodes that says how samples are presented."""
        found = {}
        for node in self.nodes.values():
            for key in ("encoding", "timesteps"):
                if key in node.get("metadata", {}):
                    value = node["metadata"][key]
                    found[key] = value if isinstance(value, str) else int(value)
        return found


def _flatten(graph: dict, prefix: str, nodes: dict, edges: list) -> None:
    """Collect the nodes and edges of nested graphs under dotted names; inner inputs and outputs become plain ports."""
    inner = graph.get("nodes", {})
    ends: dict[tuple[str, str], str] = {}
    for name, node in inner.items():
        if not isinstance(node, dict) or "type" not in node:
            raise InputError(f"node {prefix + name!r} has no type")
        if node["type"] == "NIRGraph":
            _flatten(node, f"{prefix}{name}.", nodes, edges)
            for kind in ("Input", "Output"):
                ports = [key for key, item in node.get("nodes", {}).items() if item.get("type") == kind]
                if len(ports) == 1:
                    ends[name, kind] = f"{prefix}{name}.{ports[0]}"
        else:
            nested = bool(prefix) and node["type"] in ("Input", "Output")
            nodes[prefix + name] = {**node, "type": "Port"} if nested else dict(node)
    for source, target in graph.get("edges", ()):
        edge = (ends.get((source, "Output"), prefix + source), ends.get((target, "Input"), prefix + target))
        for end in edge:
            if end not in nodes:
                raise InputError(f"an edge names {end!r}, which is no node")
        edges.append(edge)


def _check_finite(nodes: dict) -> None:
    for name, node in nodes.items():
        for key, value in node.items():
            values = np.asarray(value)
            if values.dtype.kind == "f" and not np.all(np.isfinite(values)):
                raise InputError(f"node {name!r}: {key} holds a value that is not finite")
