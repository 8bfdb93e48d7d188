"""Where logical cores stand on the mesh: few flits, by the traffic that they really send.

Finding the best place for every core is a quadratic assignment problem, with trees in place of paths. It is solved
as one with paths (scipy's FAQ, from several starts); each solution is improved by swaps of two cores on the cost of
the trees, the best one also by annealing. Small meshes are searched whole. Deterministic; 64 cores take seconds.
"""

from itertools import combinations, permutations
from math import factorial

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment

from ...spec.config import FabricConfig
from .traffic import Mesh, Traffic, bits, flits

WHOLE = 720  # placements: meshes of up to six nodes are searched whole
STARTS = 4
MOVES = 20, 20_000  # of annealing: times the square of the nodes, and at most
WORK = 50_000  # trees to look at: a bound where neurons reach many different sets of cores
LARGEST = 64  # nodes; larger meshes take a start as it is
HEATS = (0.01, 0.003)  # of all flits: what a swap may cost at first
TOLERANCE = 1e-9
SEED = 1


def place(found: Traffic, config: FabricConfig, rng: np.random.Generator | None = None) -> np.ndarray:
    """The node of every logical core, (nodes,). With ``rng`` a random permutation, else few flits."""
    if rng is not None:
        return rng.permutation(config.nodes)
    order = np.arange(config.nodes)
    if config.nodes == 1:
        return order
    mesh = Mesh(config)
    if factorial(config.nodes) <= WHOLE:
        return best(found, mesh)
    if config.nodes > LARGEST:
        return _fewest(found, mesh, [order, *_assigned(found, mesh, 1)])
    starts = sorted([order, *_assigned(found, mesh, STARTS)], key=lambda start: flits(found, mesh, start))
    node_of = _fewest(found, mesh, [_Search(found, mesh, start).descend() for start in starts])
    for heat in HEATS:
        node_of = _fewest(found, mesh, [node_of, _Search(found, mesh, node_of).anneal(heat)])
    return node_of


def _fewest(found: Traffic, mesh: Mesh, placements: list[np.ndarray]) -> np.ndarray:
    return min(placements, key=lambda node_of: flits(found, mesh, node_of))


def best(found: Traffic, mesh: Mesh) -> np.ndarray:
    """The placement of fewest flits, the first one of those, by looking at all of them."""
    every = np.array(list(permutations(range(found.cores))))
    total = (mesh.to_host[every] * found.to_host).sum(axis=1)
    trees = np.array([mesh.tree(nodes) if nodes else np.zeros(found.cores) for nodes in range(1 << found.cores)])
    for targets, weights in zip(found.targets, found.weights, strict=True):
        nodes = (1 << every[:, sorted(targets)]).sum(axis=1)
        total += trees[nodes, 0] * weights[-1]
        for core in np.flatnonzero(weights[:-1]):
            total += trees[nodes, every[:, core]] * weights[core]
    return every[total.argmin()]


def _assigned(found: Traffic, mesh: Mesh, starts: int) -> list[np.ndarray]:
    """Solutions of the problem with paths: trees count as their average path, and their targets attract each other."""
    cores = found.cores
    between = np.zeros((cores + 1, cores + 1))  # the last row and column are the host
    for targets, weights in zip(found.targets, found.weights, strict=True):
        members = sorted(targets)
        between[:, members] += weights[:, None] / len(members)
        between[np.ix_(members, members)] += weights.sum() / len(members) ** 2
    between[:cores, cores] += found.to_host
    np.fill_diagonal(between, 0)
    distance = np.zeros((cores + 1, cores + 1))
    distance[:cores, :cores] = mesh.hops
    distance[cores, :cores] = distance[:cores, cores] = mesh.to_host
    rng = np.random.default_rng(SEED)
    options = {"partial_match": np.array([[cores, cores]]), "rng": rng, "tol": 1e-3}
    found_at = []
    for start in range(starts):
        options["P0"] = "randomized" if start else "barycenter"
        found_at.append(quadratic_assignment(between, distance, options=dict(options)).col_ind[:cores])
    return found_at


class _Search:
    """A placement under way, with the tree of every set of targets."""

    def __init__(self, found: Traffic, mesh: Mesh, node_of: np.ndarray):
        self.found, self.mesh, self.node_of = found, mesh, node_of.copy()
        self.nodes = [bits(targets, node_of) for targets in found.targets]
        self.trees = np.array([mesh.tree(nodes) for nodes in self.nodes]).reshape(-1, found.cores)
        self.member = np.zeros(self.trees.shape, dtype=bool)
        for row, targets in zip(self.member, found.targets, strict=True):
            row[list(targets)] = True

    def change(self, a: int, b: int) -> tuple[float, dict[int, int]]:
        """What a swap of cores ``a`` and ``b`` adds to the flits, and where the sets that it moves would be."""
        found, here, there = self.found, self.node_of[a], self.node_of[b]
        added = (found.to_host[a] - found.to_host[b]) * (self.mesh.to_host[there] - self.mesh.to_host[here])
        added += (found.weights[:, a] - found.weights[:, b]) @ (self.trees[:, there] - self.trees[:, here])
        swapped = self.node_of.copy()
        swapped[[a, b]] = there, here
        moved = {}
        for index in np.flatnonzero(self.member[:, a] != self.member[:, b]).tolist():
            moved[index] = self.nodes[index] ^ (1 << int(here)) ^ (1 << int(there))
            grown = self.mesh.tree(moved[index]) - self.trees[index]
            added += found.weights[index, :-1] @ grown[swapped] + found.weights[index, -1] * grown[0]
        return float(added), moved

    def swap(self, a: int, b: int, moved: dict[int, int]) -> None:
        self.node_of[[a, b]] = self.node_of[[b, a]]
        for index, nodes in moved.items():
            self.nodes[index], self.trees[index] = nodes, self.mesh.tree(nodes)

    @property
    def spent(self) -> bool:
        """The work is used up."""
        return self.mesh.tree.cache_info().misses > WORK

    def descend(self) -> np.ndarray:
        """Swap two cores wherever that saves flits, until nothing does."""
        improved = True
        while improved:
            improved = False
            for a, b in combinations(range(self.found.cores), 2):
                if self.spent:
                    return self.node_of
                added, moved = self.change(a, b)
                if added < -TOLERANCE:
                    self.swap(a, b, moved)
                    improved = True
        return self.node_of

    def anneal(self, heat: float) -> np.ndarray:
        """Try random swaps, at first also such as cost about ``heat`` of all flits; then descend."""
        rng, cores = np.random.default_rng(SEED), self.found.cores
        moves = min(MOVES[0] * cores**2, MOVES[1])
        allowed = -np.log(rng.random(moves)) * np.linspace(heat, 0, moves) * flits(self.found, self.mesh, self.node_of)
        chosen = rng.integers(cores, size=(moves, 2)).tolist()
        for (a, b), limit in zip(chosen, allowed, strict=True):
            if a != b and not self.spent:
                added, moved = self.change(a, b)
                if added < limit:
                    self.swap(a, b, moved)
        return self.descend()


def lower_bound(found: Traffic, config: FabricConfig) -> float:
    """Flits per step that no placement can save (P. C. Gilmore 1962, E. L. Lawler 1963).

    Wherever a core stands, its events to one other core each take at least the distances to as many nodes, the
    busiest the shortest, and one flit out; an event to k cores takes k flits out and at least one more for each of
    them but its own. The cheapest assignment of cores to nodes by these costs is the bound.
    """
    mesh, cores = Mesh(config), found.cores
    cost = np.outer(found.to_host, mesh.to_host).astype(float)
    nearest = np.sort(mesh.hops, axis=1)[:, 1:]
    alone: list[list[float]] = [[] for _ in range(cores)]
    total = 0.0
    for targets, weights in zip(found.targets, found.weights, strict=True):
        own = np.array([core in targets for core in range(cores)])
        total += weights.sum() * len(targets)
        if len(targets) > 1:
            total += weights[:-1] @ (len(targets) - own) + weights[-1] * (len(targets) - 1)
            continue
        (target,) = targets
        cost[target] += weights[-1] * (mesh.to_host - 1)
        for core in np.flatnonzero(weights[:-1] * ~own):
            alone[core].append(weights[core])
    for core, weights in enumerate(alone):
        cost[core] += nearest[:, : len(weights)] @ np.sort(weights)[::-1]
    return total + float(cost[linear_sum_assignment(cost)].sum())
