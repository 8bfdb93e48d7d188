"""Integer networks as NIR: floats for any NIR tool, with the integers' own record in the metadata.

Weights stand in Linear and Conv2d nodes as floats that hold the integers exactly. Neurons are written in the unit of
one membrane step with dt = 1: ``tau = 1/(1 - keep)``, ``r = tau * 2^exponent``, ``v_leak = tau * bias``. What NIR has
no word for (rounding, widths, refractory periods) is in the metadata, from which ``readers.integers`` takes the
network back. A weight that another tool changes is read back changed, if it is an integer still.
"""

import json
from pathlib import Path

import networkx
import numpy as np

from ...spec.errors import InputError
from ...spec.fixed import DECAY_BITS, Compare, Leak, Reset, ResetTiming
from ...spec.kernels import Kernel
from ...spec.network import Network, Population, Projection
from .. import linear
from ..names import legal_name
from ..readers.integers import FORMAT

ENDLESS = 2.0**40
"""The tau, in steps, of a neuron that does not leak beside others that do."""


def write(network: Network, path: Path) -> None:
    """Write ``network`` to a ``.nir`` file. Raises InputError for a neuron model that NIR has no node for."""
    import nir  # slow to import, and needed only here

    graph = _Writing(network).graph()
    nir.write(path, graph)


class _Writing:
    """One network on its way to a NIRGraph; ``record`` is what its metadata says."""

    def __init__(self, network: Network):
        self.network = network
        self.nodes, self.edges = {}, []
        self.shapes = _shapes(network)
        self.back = _own_delays(network)
        self.record: dict = {
            "name": network.name,
            "inputs": [],
            "populations": [],
            "projections": [],
            "outputs": [],
            "metadata": network.metadata,
        }

    def graph(self):
        import nir

        for item in self.network.inputs:
            node = self._add(item.name, nir.Input(np.array(self.shapes[item.name])))
            self.record["inputs"].append(vars(item) | {"node": node})
        for population in self.network.populations:
            self._add_population(population)
        for projection in self.network.projections:
            self._add_projection(projection)
        for output in self.network.outputs:
            node = self._add(f"output_{output.population}", nir.Output(np.array(self.shapes[output.population])))
            self.edges.append((self._node_of(output.population), node))
            self.record["outputs"].append(vars(output))
        metadata = {"neurogen_format": FORMAT, "neurogen_network": json.dumps(self.record)}
        return nir.NIRGraph(self.nodes, self.edges, metadata=metadata, type_check=False)

    def _add(self, name: str, node) -> str:
        """Add a node under a new legal name."""
        name = legal_name(name, "node")
        while name in self.nodes:
            name += "_"
        self.nodes[name] = node
        return name

    def _node_of(self, name: str) -> str:
        items = (*self.record["inputs"], *self.record["populations"])
        return next(item["node"] for item in items if item["name"] == name)

    def _add_population(self, population: Population) -> None:
        node = self._add(population.name, _neuron(population, self.network, self.shapes[population.name]))
        arrays = {key: value for key, value in population.parameters.items() if np.ndim(value)}
        self.nodes[node].metadata |= {f"neurogen_{key}": np.asarray(value) for key, value in arrays.items()}
        parameters = {key: None if key in arrays else int(value) for key, value in population.parameters.items()}
        fields = {key: getattr(population, key) for key in ("name", "size", "model", "state_bits", "graded")}
        self.record["populations"].append(fields | {"node": node, "parameters": parameters})

    def _add_projection(self, projection: Projection) -> None:
        import nir

        source, target = self._node_of(projection.source), self._node_of(projection.target)
        kernel = projection.weights if isinstance(projection.weights, Kernel) else None
        if kernel is None and len(self.shapes[projection.source]) > 1:
            shape = self.shapes[projection.source]
            flat = self._add(f"{source}_flat", nir.Flatten(np.array(shape), start_dim=0, end_dim=-1))
            self.edges.append((source, flat))
            source = flat
        if projection.delay and projection not in self.back:
            delay = np.full(self.nodes[source].output_type["output"], float(projection.delay))
            late = self._add(f"{source}_delay", nir.Delay(delay))
            self.edges.append((source, late))
            source = late
        weights = _linear(projection.weights) if kernel is None else _conv2d(_symmetric(kernel))
        node = self._add(f"{projection.source}_{projection.target}", weights)
        self.edges += [(source, node), (node, target)]
        fields = {key: getattr(projection, key) for key in ("source", "target", "delay")}
        self.record["projections"].append(fields | {"node": node, "kernel": kernel and _geometry(kernel)})


def _shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """The shape of every input and population: that of a kernel's map, else flat."""
    found = {item.name: (item.size,) for item in (*network.inputs, *network.populations)}
    for projection in network.projections:
        if isinstance(projection.weights, Kernel):
            found[projection.source] = projection.weights.source
            found[projection.target] = projection.weights.target
    return found


def _own_delays(network: Network) -> list[Projection]:
    """Projections of one step inside loops: NIR's own recurrence, which needs no Delay."""
    graph = networkx.DiGraph((p.source, p.target) for p in network.projections)
    loops = {name: index for index, names in enumerate(networkx.strongly_connected_components(graph)) for name in names}
    return [p for p in network.projections if p.delay == 1 and loops[p.source] == loops[p.target]]


def _linear(weights: np.ndarray):
    import nir

    return nir.Linear(_floats(weights.T))


def _conv2d(kernel: Kernel):
    import nir

    return nir.Conv2d(
        input_shape=kernel.source[1:],
        weight=_floats(kernel.weights),
        stride=kernel.stride,
        padding=kernel.padding,
        dilation=kernel.dilation,
        groups=kernel.groups,
        bias=np.zeros(kernel.target[0], np.float32),
    )


def _geometry(kernel: Kernel) -> dict:
    """What brings the kernel back from its node's window."""
    keys = ("source", "target", "stride", "padding", "dilation", "groups")
    return {key: getattr(kernel, key) for key in keys} | {"taps": kernel.weights.shape[2:]}


def _symmetric(kernel: Kernel) -> Kernel:
    """The same kernel in a window with as much padding behind as before, which is all that Conv2d can say."""
    padding, dilation, taps = [], [], []
    for a in (0, 1):
        extent, target, stride = kernel.source[1 + a], kernel.target[1 + a], kernel.stride[a]
        span = kernel.dilation[a] * (kernel.weights.shape[2 + a] - 1)
        base = extent + 2 * kernel.padding[a] - span - 1  # rows are floor((base + step * (lead - trail)) / stride) + 1
        for step in (kernel.dilation[a], 1):
            more = -((base - stride * (target - 1)) // step)
            if base + step * more < stride * target:
                break
        lead = max(more, 0, -(kernel.padding[a] // step))
        padding.append(kernel.padding[a] + step * lead)
        dilation.append(step)
        taps.append(span // step + 1 + 2 * lead - more)
    return linear.framed(kernel, tuple(padding), tuple(dilation), tuple(taps), kernel.groups)


def _floats(weights: np.ndarray) -> np.ndarray:
    """Integers as the narrowest floats that hold them."""
    return weights.astype(np.float32 if np.abs(weights).max(initial=0) < 1 << 24 else np.float64)


def _neuron(population: Population, network: Network, shape: tuple[int, ...]):
    """The NIR node nearest to a population, with its conventions as metadata."""
    import nir

    def full(value) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype=float), (population.size,)).reshape(shape).copy()

    value = population.parameter
    if population.model == "sum":
        return nir.Scale(full(1.0))
    if population.model not in ("lif", "if", "cuba_lif"):
        raise InputError(f"population {population.name!r}: NIR has no node for the neuron {population.model}; use .npz")
    gain, bias = full(np.ldexp(1.0, value("exponent"))), full(value("bias"))
    fires = {} if _readout(population, network) else {
        "v_threshold": full(value("threshold")), "v_reset": full(value("reset_value"))
    }  # fmt: skip
    tau = _tau(_keep(population))
    if population.model == "cuba_lif":
        kind = nir.CubaLIF if fires else nir.CubaLI
        tau_syn = full(_tau(1 - np.asarray(value("decay_u")) / (1 << DECAY_BITS)))
        node = kind(tau_syn, full(tau), r=full(tau), v_leak=full(tau) * bias, w_in=tau_syn * gain, **fires)
    elif np.all(tau == ENDLESS) and not np.any(bias):
        node = nir.IF(r=gain, **fires) if fires else nir.I(r=gain)
    else:
        node = (nir.LIF if fires else nir.LI)(full(tau), r=full(tau) * gain, v_leak=full(tau) * bias, **fires)
    node.metadata = {"dt": 1.0} | (_conventions(population) if fires else {})
    return node


def _readout(population: Population, network: Network) -> bool:
    """Whether only the population's value is taken, and nothing resets it."""
    taken = [output.values for output in network.outputs if output.population == population.name]
    resets = np.any(np.asarray(population.parameter("reset")) != Reset.NONE)
    return taken == [True] and not resets and all(p.source != population.name for p in network.projections)


def _keep(population: Population) -> np.ndarray:
    """The factor of v in one step, (size,) or ()."""
    value = population.parameter
    if population.model == "cuba_lif":
        return 1 - np.asarray(value("decay_v")) / (1 << DECAY_BITS)
    if population.model == "if":
        return np.ones(())
    leak = np.asarray(value("leak"))
    shifted = 1 - np.ldexp(1.0, -np.asarray(value("leak_shift")))
    multiplied = 1 - np.asarray(value("decay")) / (1 << DECAY_BITS)
    return np.select([leak == Leak.NONE, leak == Leak.SHIFT], [np.ones(()), shifted], multiplied)


def _tau(keep: np.ndarray) -> np.ndarray:
    """``1/(1 - keep)`` in steps."""
    keep = np.asarray(keep, dtype=float)
    return np.where(keep < 1, 1 / np.where(keep < 1, 1 - keep, 1.0), ENDLESS)


def _conventions(population: Population) -> dict:
    """Reset and comparison in the words of ``compiler.conventions``; those of the first neuron, if they differ."""

    def choice(name: str, choices) -> str:
        return choices(int(np.ravel(population.parameter(name))[0])).name.lower().replace("_", "-")

    timing = {"reset_timing": choice("reset_timing", ResetTiming)} if population.model != "cuba_lif" else {}
    return {"reset": choice("reset", Reset), "compare": choice("compare", Compare), "decay": "euler"} | timing
