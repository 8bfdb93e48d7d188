"""A NIR graph, flattened, repaired where files of the wild need it, and checked node by node. Nothing is computed."""

from collections import Counter, defaultdict
from contextlib import contextmanager

import numpy as np

from ...spec.errors import InputError
from ..primitives import primitives

PORTS = ("Input", "Output", "Port")
INTEGRATORS = {"I": "IF", "LI": "LIF", "CubaLI": "CubaLIF"}
"""The neuron that an integrator is together with a Threshold behind it."""


class Graph:
    """Nodes by dotted name, edges, and of what kind each node is.

    ``kinds``: Input, Output, Port (of a nested graph), or its primitive's (map, delay, neuron). ``notes`` says what was
    repaired.
    """

    def __init__(self, graph: dict):
        self.nodes: dict[str, dict] = {}
        self.notes: list[str] = []
        edges: list[tuple[str, str]] = []
        self._flatten(graph, "", edges)
        self.before, self.after = defaultdict(list), defaultdict(list)
        for edge, times in Counter(edges).items():
            if times > 1:
                self.notes.append(f"the edge {edge[0]} -> {edge[1]} is given {times} times; taken once")
            self.after[edge[0]].append(edge[1])
            self.before[edge[1]].append(edge[0])
        self.kinds = {name: _kind(name, node) for name, node in self.nodes.items()}
        self._join_thresholds()

    def of_kind(self, kind: str) -> list[str]:
        return [name for name, found in self.kinds.items() if found == kind]

    def primitive(self, node: str):
        """The primitive's module of a node that is no port."""
        return primitives()[self.nodes[node]["type"]]

    def _flatten(self, graph: dict, prefix: str, edges: list) -> None:
        """Collect nodes and edges of nested graphs under dotted names; inner inputs and outputs become plain ports."""
        inner = graph.get("nodes")
        if not isinstance(inner, dict):
            raise InputError(f"graph {prefix.rstrip('.')!r} has no nodes" if prefix else "the graph has no nodes")
        ports: dict[tuple[str, str], list[str]] = {}
        for name, node in inner.items():
            if not isinstance(node, dict) or not isinstance(node.get("type"), str):
                raise InputError(f"node {prefix + name!r} has no type")
            if node["type"] == "NIRGraph":
                self._flatten(node, f"{prefix}{name}.", edges)
                for kind in ("Input", "Output"):
                    found = [key for key, item in node["nodes"].items() if item["type"] == kind]
                    ports[name, kind] = [f"{prefix}{name}.{key}" for key in found]
            else:
                nested = bool(prefix) and node["type"] in ("Input", "Output")
                self.nodes[prefix + name] = {**node, "type": "Port"} if nested else dict(node)
        edges += self._edges(graph, prefix, ports)

    def _edges(self, graph: dict, prefix: str, ports: dict) -> list[tuple[str, str]]:
        pairs = _pairs(graph.get("edges", ()))
        renamed = self._renamed(graph["nodes"], pairs, prefix)
        found = []
        for pair in pairs:
            ends = []
            for name, kind in zip(pair, ("Output", "Input"), strict=True):
                name = renamed.get(name, name)
                inner = ports.get((name, kind), [prefix + name])
                if not inner:
                    raise InputError(f"an edge names the graph {prefix + name!r}, which has no {kind}")
                if len(inner) > 1:
                    raise InputError(
                        f"node {prefix + name!r} is a graph with {len(inner)} {kind.lower()}s, and an edge does not say"
                        f" which; name {prefix + name}.<{kind.lower()}> in the edge"
                    )
                if inner[0] not in self.nodes:
                    raise InputError(f"an edge names {inner[0]!r}, which is no node")
                ends.append(inner[0])
            found.append(tuple(ends))
        return found

    def _renamed(self, nodes: dict, pairs: list, prefix: str) -> dict[str, str]:
        """Early snnTorch names a nested neuron differently in nodes and edges: one unknown name, one unnamed node."""
        named = {name for pair in pairs for name in pair}
        unknown = [n for n in dict.fromkeys(sum(pairs, ())) if n not in nodes and prefix + n not in self.nodes]
        unnamed = [name for name in nodes if name not in named]
        if not prefix or len(unknown) != 1 or len(unnamed) != 1:
            return {}
        self.notes.append(f"edges name {prefix + unknown[0]!r}, which is no node; taken as {prefix + unnamed[0]!r}")
        return {unknown[0]: unnamed[0]}

    def _join_thresholds(self) -> None:
        """An integrator whose value goes to one Threshold and nowhere else is a neuron that is never reset."""
        integrators = [name for name in self.of_kind("neuron") if self.nodes[name]["type"] in INTEGRATORS]
        for name in integrators:
            kind, threshold = self.nodes[name]["type"], next(iter(self.after[name]), name)
            alone = self.after[name] == [threshold] and self.before[threshold] == [name]
            if not alone or self.nodes[threshold]["type"] != "Threshold":
                continue
            removed = self.nodes.pop(threshold)
            metadata = {**self.nodes[name].get("metadata", {}), **removed.get("metadata", {}), "reset": "none"}
            self.nodes[name] |= {
                "type": INTEGRATORS[kind],
                "v_threshold": removed["threshold"],
                "metadata": {"compare": ">"} | metadata,
            }
            del self.kinds[threshold]
            self.after[name] = self.after.pop(threshold)
            for node in self.after[name]:
                self.before[node] = [name if source == threshold else source for source in self.before[node]]
            self.notes.append(f"nodes {name!r} and {threshold!r} are one {INTEGRATORS[kind]} neuron without reset")


@contextmanager
def blamed(node: str):
    """Put the node's name before what is wrong with it, unless the message names a node already."""
    try:
        yield
    except InputError as error:
        if str(error).startswith("node "):
            raise
        raise InputError(f"node {node!r}: {error}") from None


def _pairs(edges) -> list[tuple[str, str]]:
    edges = np.asarray(edges)
    if not edges.size:
        return []
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind != "U":
        raise InputError("the edges are not pairs of node names")
    return [(str(source), str(target)) for source, target in edges]


def _kind(name: str, node: dict) -> str:
    """Input, Output, Port, or the kind of the node's primitive, after checking that it has all that its type needs."""
    kind = node["type"]
    if not isinstance(node.get("metadata", {}), dict):
        raise InputError(f"node {name!r}: metadata is not a group")
    if kind in PORTS:
        if kind == "Input" and "shape" not in node:
            raise InputError(f"node {name!r} has no shape")
        return kind
    if kind not in primitives():
        known = ", ".join(("Input", "Output", *primitives()))
        raise InputError(f"node {name!r} is of type {kind!r}, which cannot be built; supported are {known}")
    primitive = primitives()[kind]
    for key in primitive.KEYS:
        if key not in node:
            raise InputError(f"node {name!r} has no {key}")
    for key, value in node.items():
        needed = key in primitive.KEYS or key in getattr(primitive, "SHAPED", ()) or key in _OPTIONAL
        if needed and not isinstance(value, str if key == "padding" else ()):
            _check_numbers(name, key, value)
    return primitive.KIND


_OPTIONAL = ("bias", "stride", "padding", "dilation", "groups", "input_shape")


def _check_numbers(name: str, key: str, value) -> None:
    values = np.asarray(value)
    if isinstance(value, dict) or values.dtype.kind not in "biuf" or not values.size:
        raise InputError(f"node {name!r}: {key} holds no numbers")
    endless = key == "v_threshold" and np.all(values == np.inf)  # never fires
    if not np.all(np.isfinite(values)) and not endless:
        raise InputError(f"node {name!r}: {key} holds a value that is not finite")
