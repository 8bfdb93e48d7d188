"""What goes where on the mesh, and what it costs there: flits on the trees of X-then-Y routing.

A packet to a rectangle takes a trunk along its source's row, a branch along each of the rectangle's columns, and one
flit out of the router at each of its cores; the host's packets start at router (0, 0). A packet to the host goes
west, north and out. The cost of a placement is the number of flits: what the routers' HOPS counters add up to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ...spec.config import FabricConfig
from .axons import Rectangle, cover, patterns
from .layout import Chunk
from .links import Segment

Activity = Mapping[str, np.ndarray]
"""Input or population -> events of each neuron per step, (n,). What it does not name is taken to fire in every step."""


@dataclass(frozen=True)
class Traffic:
    """Packets per step between logical cores and the host.

    ``targets[s]`` is a set of cores that get one event together. ``weights[s, c]`` is how many core c sends to it in a
    step, the last column what the host sends; ``to_host[c]`` is what core c sends to the host.
    """

    targets: tuple[frozenset[int], ...]
    weights: np.ndarray
    to_host: np.ndarray

    @property
    def cores(self) -> int:
        return len(self.to_host)


def collect(
    chunks: list[Chunk], outputs: list[str], per_core: list[list[Segment]], activity: Activity | None = None
) -> Traffic:
    """The traffic of a mapping whose chunks and segments stand on logical cores."""
    cores, activity = len(per_core), activity or {}
    sources: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        sources.setdefault(chunk.population, []).append(chunk)
    weights: dict[frozenset[int], np.ndarray] = {}
    for link, neurons, by_core in patterns(per_core):
        row = weights.setdefault(frozenset(by_core), np.zeros(cores + 1))
        events = activity[link.source][neurons] if link.source in activity else np.ones(len(neurons))
        if link.source not in sources:
            row[cores] += events.sum()
        for chunk in sources.get(link.source, ()):
            row[chunk.core] += events[chunk.place_of(neurons) >= 0].sum()
    to_host = np.zeros(cores)
    for chunk in chunks:
        fired = activity[chunk.population][chunk.neurons] if chunk.population in activity else np.ones(chunk.count)
        to_host[chunk.core] += outputs.count(chunk.population) * fired.sum()
    return Traffic(tuple(weights), np.array(list(weights.values())).reshape(-1, cores + 1), to_host)


class Mesh:
    """Flits on a mesh; nodes are numbered row by row."""

    def __init__(self, config: FabricConfig):
        self.width, self.height = config.width, config.height
        self.y, self.x = np.divmod(np.arange(config.nodes), config.width)
        self.to_host = self.x + self.y + 1
        self.hops = np.abs(self.x[:, None] - self.x) + np.abs(self.y[:, None] - self.y)
        self.tree = cache(self._tree)

    def flits(self, rectangle: Rectangle) -> np.ndarray:
        """Flits of one packet to a rectangle, from every node; those of the host's packet are node 0's."""
        x0, x1, y0, y1 = rectangle
        columns, rows = x1 - x0 + 1, y1 - y0 + 1
        trunk = np.maximum(self.x - x0, 0) + np.maximum(x1 - self.x, 0)
        branch = np.maximum(self.y - y0, 0) + np.maximum(y1 - self.y, 0)
        return trunk + columns * branch + columns * rows

    def _tree(self, nodes: int) -> np.ndarray:
        """Flits of one event to a set of nodes, as bits of a number, from every node: one packet to each rectangle."""
        chosen = {node for node in range(len(self.x)) if nodes >> node & 1}
        return np.sum([self.flits(rectangle) for rectangle in cover(chosen, self.width)], axis=0)


def bits(targets: frozenset[int], node_of: np.ndarray) -> int:
    """The nodes of some cores, as bits of a number."""
    return sum(1 << int(node_of[core]) for core in targets)


def flits(found: Traffic, mesh: Mesh, node_of: np.ndarray) -> float:
    """Flits per step of a placement, ``node_of[core]``."""
    total = found.to_host @ mesh.to_host[node_of]
    for targets, weights in zip(found.targets, found.weights, strict=True):
        tree = mesh.tree(bits(targets, node_of))
        total += weights[:-1] @ tree[node_of] + weights[-1] * tree[0]
    return float(total)
