"""Where logical cores stand on the mesh."""

import numpy as np

from ...spec.config import FabricConfig
from .links import Chunk, Link

_LARGEST_SEARCH = 64  # nodes; larger meshes keep the order of the network's flow


def place(
    chunks: list[Chunk],
    outputs: list[str],
    network_links: list[Link],
    config: FabricConfig,
    rng: np.random.Generator | None,
) -> np.ndarray:
    """The node of every logical core, (nodes,). With ``rng`` a random permutation, else few hops, deterministically.

    Starts in row-major order and swaps pairs of nodes while that lowers the sum of source neurons times hops.
    """
    if rng is not None:
        return rng.permutation(config.nodes)
    node_of = np.arange(config.nodes)
    if config.nodes == 1 or config.nodes > _LARGEST_SEARCH:
        return node_of
    traffic, host = _traffic(chunks, outputs, network_links, config.nodes)
    x, y = node_of % config.width, node_of // config.width
    hops = np.abs(x[:, None] - x[None, :]) + np.abs(y[:, None] - y[None, :])

    def cost(assigned: np.ndarray) -> float:
        return float((traffic * hops[np.ix_(assigned, assigned)]).sum() + (host * (x + y)[assigned]).sum())

    best, improved = cost(node_of), True
    while improved:
        improved = False
        for a in range(config.nodes):
            for b in range(a + 1, config.nodes):
                swapped = node_of.copy()
                swapped[[a, b]] = swapped[[b, a]]
                if cost(swapped) < best:
                    node_of, best, improved = swapped, cost(swapped), True
    return node_of


def _traffic(chunks: list[Chunk], outputs: list[str], network_links: list[Link], nodes: int):
    """Source neurons between logical cores (nodes, nodes), and between them and the host (nodes,)."""
    traffic, host = np.zeros((nodes, nodes)), np.zeros(nodes)
    sizes = np.zeros((nodes, nodes))
    for link in network_links:
        sizes[:] = 0
        targets = {chunk.core for chunk in chunks if chunk.population in link.projections}
        sources = [chunk for chunk in chunks if chunk.population == link.source]
        for target in targets:
            for chunk in sources:
                sizes[chunk.core, target] += chunk.count
            if not sources:
                host[target] += len(next(iter(link.projections.values())).weights)
        traffic += sizes
    for chunk in chunks:
        host[chunk.core] += chunk.count * outputs.count(chunk.population)
    return traffic, host
