"""What drives every node of a graph: linear maps from inputs and neurons, by delay, composed exactly.

A constant is a source as well, called None, of one element that is 1 in every step: a bias passes through later maps
and delays by the same rules as spikes do.
"""

from collections.abc import Callable

import networkx
import numpy as np

from ...spec.errors import InputError
from .. import linear
from ..linear import Diagonal, Map
from .graph import Graph, blamed
from .shapes import Shape, taken

Terms = dict[tuple[str | None, int], Map]
"""Maps by source (an input, a neuron, None for the constant) and delay in steps."""


class Drives:
    """``into(node)`` is the sum of what reaches a node. ``steps(node, times)`` turns times into whole steps.

    Raises InputError that names the node: for a loop without a neuron, and for sizes or shapes that do not fit.
    """

    def __init__(self, graph: Graph, shapes: dict[str, Shape], steps: Callable[[str, np.ndarray], np.ndarray]):
        self.graph, self.shapes, self.steps = graph, shapes, steps
        self.out: dict[str, Terms] = {
            node: {(node, 0): linear.identity(self.size(node))}
            for node in (*graph.of_kind("Input"), *graph.of_kind("neuron"))
        }
        for node in self._stateless():
            with blamed(node):
                self.out[node] = self._through(node)

    def size(self, node: str) -> int:
        """The number of values that a node puts out."""
        return int(np.prod(self.shapes[node]))

    def into(self, node: str, size: int | None = None) -> Terms:
        """The sum of what reaches a node, which takes ``size`` values; None: as many as come."""
        found: Terms = {}
        for before in self.graph.before[node]:
            for key, mapping in self.out[before].items():
                count = mapping.shape[1]
                size = count if size is None else size
                if count != size:
                    raise InputError(f"node {before!r} puts out {count} values where {size} are taken")
                add(found, key, mapping)
        return found

    def _stateless(self) -> list[str]:
        """Nodes without state, such that everything comes after what drives it."""
        graph = networkx.DiGraph()
        graph.add_nodes_from(node for node in self.graph.nodes if node not in self.out)
        graph.add_edges_from((node, after) for node in graph for after in self.graph.after[node] if after in graph)
        try:
            return list(networkx.topological_sort(graph))
        except networkx.NetworkXUnfeasible:
            loop = networkx.find_cycle(graph)
            raise InputError(f"node {loop[0][0]!r} is in a loop without a neuron") from None

    def _through(self, node: str) -> Terms:
        kind, record = self.graph.kinds[node], self.graph.nodes[node]
        if kind in ("Port", "Output"):
            return self.into(node)
        primitive = self.graph.primitive(node)
        shape = taken(self.graph, node, self.shapes)
        if shape is None:
            if node not in self.shapes:
                raise InputError("nothing tells the shape of what reaches it; --input-shape says that of the input")
            shape = self.shapes[node] if primitive.takes(record) is None else primitive.takes(record)
        terms = self.into(node, self._count(primitive.takes(record), shape))
        if kind == "delay":
            return _delayed(terms, self.steps(node, primitive.delays(record, shape)))
        mapping, bias = primitive.apply(record, shape)
        found: Terms = {}
        for key, before in terms.items():
            add(found, key, linear.then(before, mapping))
        if bias is not None and np.any(bias):
            add(found, (None, 0), bias[None, :])
        return found

    @staticmethod
    def _count(pattern, shape: Shape) -> int:
        return pattern[0] if pattern is not None and len(pattern) == 1 else int(np.prod(shape))


def add(terms: Terms, key: tuple[str | None, int], mapping: Map) -> None:
    """Add a map to the terms, unless it is 0."""
    if not linear.is_zero(mapping):
        terms[key] = linear.plus(terms[key], mapping) if key in terms else mapping


def _delayed(terms: Terms, steps: np.ndarray) -> Terms:
    """Every element later by its number of steps."""
    found: Terms = {}
    for (source, delay), mapping in terms.items():
        for value in np.unique(steps):
            part = mapping if np.all(steps == value) else linear.then(mapping, Diagonal((steps == value).astype(float)))
            add(found, (source, delay + int(value)), part)
    return found
