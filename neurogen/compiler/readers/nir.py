"""NIR graphs, read tolerantly from their HDF5: 0-d scalars, leading batch dimensions and nested graphs are accepted.

Stateless nodes between two neurons become one linear map and one bias (``drives``); what a node means is its module in
``compiler.primitives``. Integer networks that the project wrote (``compiler.writers.nir``) come back as they were.
"""

from pathlib import Path

import networkx
import numpy as np

from ...spec.errors import InputError
from ...spec.kernels import Kernel
from ...spec.network import Input, Output
from .. import linear
from ..conventions import Options, resolve
from ..linear import Diagonal
from ..names import legal_name
from ..primitives.records import numbers, spread
from ..source import Source, SourcePopulation, SourceProjection
from . import hdf5, integers
from .drives import Drives, Terms, add
from .graph import Graph, blamed
from .shapes import shapes

NAME = "nir"
SUFFIXES = (".nir",)


def read(path: Path, options: Options) -> Source:
    """Read a NIR graph. Raises InputError that names the node at fault."""
    graph = hdf5.tree(path).get("node")
    if not isinstance(graph, dict) or not np.array_equal(graph.get("type"), "NIRGraph"):
        raise InputError(f"{path}: no NIR graph in it (there is no node of type NIRGraph)")
    try:
        network = integers.network(graph)
        if network is not None:
            return Source(name=network.name, network=network)
        return _Reading(graph, options).source(options.name or legal_name(path.stem, "network"))
    except InputError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None


class _Reading:
    """One graph on its way to a Source."""

    def __init__(self, graph: dict, options: Options):
        self.graph = Graph(graph)
        self.neurons = self.graph.of_kind("neuron")
        if not self.neurons:
            raise InputError("there is no neuron in the graph")
        self.notes = [*self.graph.notes, *_guesses(self.graph)]
        if options.framework == "norse":
            self._repair(options.dt or 1e-3)
        self.shapes = shapes(self.graph, options.input_extents)
        self.records = {node: self._record(node) for node in self.neurons}
        opens = {node: self.graph.primitive(node).OPEN for node in self.neurons}
        timed = bool(self.graph.of_kind("delay"))
        self.conventions, self.dt, notes = resolve(self.records, opens, options, timed)
        self.notes += notes
        if options.framework is None and any(node.endswith("Torch") for node in self.neurons):
            self.notes.append("its nodes are named as Rockpool names them, whose numbers want --framework rockpool")
        self.drives = Drives(self.graph, self.shapes, self._steps)
        self.names: dict[str | None, str] = {}
        for node in (*self.graph.of_kind("Input"), *self.neurons):
            self._name(node, node, self.graph.nodes[node]["type"].lower())
        self.populations: list[SourcePopulation] = []
        self.projections: list[SourceProjection] = []

    def source(self, name: str) -> Source:
        driving = {neuron: self.drives.into(neuron, self.drives.size(neuron)) for neuron in self.neurons}
        back = _back(self.graph, driving)
        for neuron, terms in driving.items():
            self._check_sources(neuron, terms)
            late: Terms = {}
            for (source, delay), mapping in terms.items():
                add(late, (source, max(delay, int((source, neuron) in back))), mapping)
            self._add_neuron(neuron, late)
        outputs = [output for node in self.graph.of_kind("Output") for output in self._output(node)]
        if not outputs:
            raise InputError("the graph has no Output that a neuron reaches")
        return Source(
            name=name,
            inputs=tuple(Input(self.names[node], self.drives.size(node)) for node in self.graph.of_kind("Input")),
            populations=tuple(self.populations),
            projections=tuple(self.projections),
            outputs=tuple(dict.fromkeys(outputs)),
            notes=tuple(self.notes),
            metadata={"coding": _hints(self.graph)},
        )

    def _repair(self, dt: float) -> None:
        """Norse writes tau/(its dt) in units of 1: its time constants are a factor of dt too small."""
        for name in self.neurons:
            node = self.graph.nodes[name]
            for key in ("tau", "tau_mem", "tau_syn"):
                if key in node and np.all(node[key] < dt):
                    node[key] = node[key] / dt
                    self.notes.append(f"node {name!r}: {key} is smaller than dt, as Norse writes it; divided by dt")

    def _record(self, node: str) -> dict:
        """A neuron's record with one number, or one per neuron (n,), for every key that has a shape."""
        record = dict(self.graph.nodes[node])
        with blamed(node):
            for key in self.graph.primitive(node).SHAPED:
                if key in record:
                    record[key] = _merged(spread(numbers(record, key), self.shapes[node], key))
        return record

    def _steps(self, node: str, times: np.ndarray) -> np.ndarray:
        """Times in whole steps; a note where they are rounded."""
        exact = times / self.dt
        steps = np.rint(exact)
        if np.any(steps > LONGEST):
            raise InputError(f"node {node!r} delays by {exact.max():g} steps, more than {LONGEST}; is dt right?")
        worst = np.argmax(np.abs(exact - steps))
        if abs(exact[worst] - steps[worst]) > 1e-3:
            self.notes.append(f"node {node!r}: a delay of {exact[worst]:g} steps is rounded to {steps[worst]:g}")
        return steps.astype(int)

    def _name(self, key: str | None, name: str, prefix: str) -> str:
        """A new legal name, kept under ``key``."""
        name = legal_name(name, prefix)
        while name in self.names.values():
            name += "_"
        self.names[key] = name
        return name

    def _spiking(self, node: str) -> bool:
        """Whether a neuron fires. A threshold of infinity is a way to say that it does not."""
        threshold = self.records[node].get("v_threshold", 0.0)
        return self.graph.primitive(node).SPIKING and bool(np.all(np.isfinite(threshold)))

    def _check_sources(self, target: str, terms: Terms) -> None:
        for source, _ in terms:
            if source in self.neurons and not self._spiking(source):
                kind = self.graph.nodes[source]["type"]
                raise InputError(
                    f"node {source!r} ({kind}) does not spike, and only spikes can drive {target!r}; its value can be"
                    f" an Output. An integrator before a LIF is what CubaLIF has as its synaptic current"
                )

    def _add_neuron(self, node: str, terms: Terms) -> None:
        """One neuron node as a population with its projections."""
        offset = terms.pop((None, 0), np.zeros((1, self.drives.size(node))))[0]
        convention, primitive = self.conventions[node], self.graph.primitive(node)
        shape, spiking = self.shapes[node], self._spiking(node)
        record = self.records[node]
        with blamed(node), np.errstate(all="ignore"):
            gain, parameters = primitive.discretise(record, convention)
            parameters["v_init"] = convention.start(record)
            bias = "bias_u" if primitive.MODEL == "cuba_lif" else "bias"
            parameters[bias] = parameters.get(bias, 0.0) + gain * offset
            if any(not np.all(np.isfinite(value)) for key, value in parameters.items() if key != "threshold"):
                raise InputError("its numbers leave the range of floating point")
            if not np.all(np.asarray(parameters.setdefault("threshold", np.inf)) > 0):
                raise InputError("v_threshold must be positive")
        gain = np.broadcast_to(gain, (len(offset),))
        if spiking and any(not isinstance(mapping, np.ndarray) for mapping in terms.values()):
            gain, parameters = _unscaled(gain, parameters, shape)
        timing = convention.reset_timing if spiking else "same_step"
        if spiking and _skips_a_step(convention, primitive.MODEL, any(source == node for source, _ in terms)):
            parameters["refractory"], timing = 2.0, "same_step"
            self.notes.append(f"node {node!r}: in the step after a spike all input is lost, as in snnTorch")
        self.populations.append(
            SourcePopulation(
                name=self.names[node],
                size=len(offset),
                model=primitive.MODEL,
                parameters={key: _merged(np.asarray(value, dtype=float)) for key, value in parameters.items()},
                reset=convention.reset if spiking else "none",
                reset_timing=timing,
                compare=convention.compare,
                steps_dt=convention.dt,
            )
        )
        for (source, delay), mapping in terms.items():
            with blamed(node):
                weights = linear.settled(linear.then(mapping, Diagonal(gain)), shape)
            self._project(source, self.names[node], weights, delay)

    def _project(self, source: str | None, target: str, weights: np.ndarray | Kernel, delay: int) -> None:
        if source is None and None not in self.names:  # what fires in every step, for a bias that passes a Delay
            parameters = {"keep": 0.0, "bias": 1.0, "threshold": 0.5}
            self.populations.append(SourcePopulation(self._name(None, "constant", ""), 1, "lif", parameters, "none"))
        self.projections.append(SourceProjection(self.names[source], target, weights, delay))

    def _output(self, node: str) -> list[Output]:
        """What an Output node delivers: spikes or values of a neuron, or the sum that reaches it, as a value."""
        terms = self.drives.into(node)
        sources = {source for source, _ in terms}
        if not sources & set(self.neurons):
            return []
        silent = next((source for source in sources if source in self.neurons and not self._spiking(source)), None)
        copies = len(sources) == 1 and all(isinstance(m, Diagonal) for m in terms.values())
        copies = copies and bool(np.all(sum(m.factors for m in terms.values()) == 1)) and _selects(terms)
        if copies and list(terms) == [(source := next(iter(sources)), 0)]:
            return [Output(self.names[source], values=source == silent)]
        if silent is not None:
            raise InputError(
                f"node {silent!r} does not spike, and its value cannot pass what is between it and {node!r}; let the"
                " Output follow it at once, with Linear and Scale before it"
            )
        self._add_readout(node, terms, spiking=copies)
        return [Output(self.names[node], values=not copies)]

    def _add_readout(self, node: str, terms: Terms, spiking: bool) -> None:
        """Neurons without memory: their value is the sum that reaches them, or they repeat delayed spikes."""
        size = next(iter(terms.values())).shape[1]
        name = self._name(node, node, "output")
        offset = terms.pop((None, 0), np.zeros((1, size)))[0]
        parameters = {"keep": 0.0, "bias": _merged(offset), "threshold": 0.5 if spiking else np.inf}
        self.populations.append(SourcePopulation(name, size, "lif", parameters, "none", compare="gt"))
        for (source, delay), mapping in terms.items():
            with blamed(node):
                weights = linear.settled(mapping, self.shapes.get(node, (size,)))
            self._project(source, name, weights, delay)
        what = "repeats delayed spikes" if spiking else "delivers the sum that reaches it as a value"
        self.notes.append(f"node {node!r} does not follow a neuron at once: a population of its own {what}")


LONGEST = 1 << 16
"""Steps of delay; more are taken for a wrong dt."""


def _merged(values: np.ndarray) -> float | np.ndarray:
    """One number where all are equal."""
    return float(values.flat[0]) if np.all(values == values.flat[0]) else values


def _selects(terms: Terms) -> bool:
    return all(np.all((m.factors == 0) | (m.factors == 1)) for m in terms.values())


def _skips_a_step(convention, model: str, recurrent: bool) -> bool:
    """Whether a delayed reset to zero takes the step's input with it: in snnTorch's RLeaky, Synaptic and RSynaptic."""
    late_zero = (convention.reset, convention.reset_timing) == ("zero", "delayed")
    return convention.framework == "snntorch" and late_zero and (recurrent or model == "cuba_lif")


def _unscaled(gain: np.ndarray, parameters: dict, shape: tuple[int, ...]) -> tuple[np.ndarray, dict]:
    """Membranes in units of their gain where it differs within a channel, so that shared weights can stay shared.

    A spiking neuron whose input, threshold, biases and reset value are all divided by one factor spikes the same.
    """
    channels = gain.reshape(shape[0], -1)
    if np.all(channels == channels[:, :1]) or not np.all(gain > 0):
        return gain, parameters
    scaled = {key: value if key in ("keep", "keep_u") else value / gain for key, value in parameters.items()}
    return np.ones_like(gain), scaled


def _back(graph: Graph, driving: dict[str, Terms]) -> set[tuple[str, str]]:
    """The connections of loops that have to wait a step, as no Delay does it: those that go back.

    Inside a loop the neurons are ordered by distance from the inputs; what goes back in that order waits a step.
    """
    edges = networkx.DiGraph()
    edges.add_nodes_from(graph.nodes)
    edges.add_edges_from(
        (source, neuron) for neuron, terms in driving.items() for source, delay in terms if delay == 0 and source
    )
    inputs = graph.of_kind("Input")
    distance = networkx.multi_source_dijkstra_path_length(edges, inputs) if inputs else {}
    rank = {node: (distance.get(node, len(graph.nodes)), index) for index, node in enumerate(graph.nodes)}
    component = {
        node: index for index, nodes in enumerate(networkx.strongly_connected_components(edges)) for node in nodes
    }
    return {(a, b) for a, b in edges.edges if component[a] == component[b] and rank[a] >= rank[b]}


def _guesses(graph: Graph) -> list[str]:
    """What primitives had to guess about their nodes."""
    found = []
    for node in graph.of_kind("map"):
        with blamed(node):
            guess = getattr(graph.primitive(node), "guess", lambda record: None)(graph.nodes[node])
        if guess:
            found.append(f"node {node!r}: {guess}")
    return found


def _hints(graph: Graph) -> dict:
    """Metadata of the nodes that says how samples are presented."""
    found = {}
    for node in graph.nodes.values():
        metadata = node.get("metadata", {})
        if isinstance(metadata.get("encoding"), str):
            found["encoding"] = metadata["encoding"]
        if np.size(metadata.get("timesteps", ())) == 1 and np.asarray(metadata["timesteps"]).dtype.kind in "iu":
            found["timesteps"] = int(np.ravel(metadata["timesteps"])[0])
    return found
