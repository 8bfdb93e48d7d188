"""Which neurons live together: populations in chunks of whole groups, on logical cores."""

from collections.abc import Iterator

import numpy as np

from ...spec.config import FabricConfig
from ...spec.errors import InputError
from ...spec.network import Network
from .links import Chunk, Link, axons_needed, groups_of, segments


class Partition:
    """Chunks under construction. Every chunk starts at a group boundary; a core never exceeds its neurons and axons."""

    def __init__(self, network: Network, config: FabricConfig, network_links: list[Link]):
        self.network = network
        self.core = config.core
        self.links = network_links
        self.cores: list[list[Chunk]] = [[] for _ in range(config.nodes)]

    @property
    def chunks(self) -> list[Chunk]:
        return [chunk for chunks in self.cores for chunk in chunks]

    def next_group(self, core: int) -> int:
        return max((chunk.group + groups_of(chunk.count, self.core) for chunk in self.cores[core]), default=0)

    def room(self, core: int) -> int:
        """Neurons that still fit a core."""
        return max(0, self.core.neurons - self.next_group(core) * self.core.lanes)

    def axons(self, core: int, *more: Chunk) -> int:
        return axons_needed(segments([*self.cores[core], *more], self.links, self.core))

    def place(self, population: str, first: int, count: int, core: int) -> int:
        """Put up to ``count`` neurons on a core, as many as have room and axons there; returns how many."""
        count = min(count, self.room(core))
        while count > 0:
            chunk = Chunk(population, first, count, core, self.next_group(core))
            if self.axons(core, chunk) <= self.core.axons:
                self.cores[core].append(chunk)
                return count
            count = 0 if count <= self.core.lanes else groups_of(count, self.core) // 2 * self.core.lanes
        return 0


def partition(
    network: Network, config: FabricConfig, network_links: list[Link], cut: str, rng: np.random.Generator | None
) -> list[Chunk]:
    """Distribute the network's neurons over logical cores 0..nodes-1.

    ``compact`` fills one core after the other; ``balanced`` spreads the groups evenly over all cores; ``random`` cuts
    populations anywhere and puts the pieces anywhere. Raises InputError if the network does not fit.
    """
    quotas = [None] if cut == "random" else _quotas(network, config, cut)
    for quota in quotas:
        state = Partition(network, config, network_links)
        found = _at_random(state, rng) if quota is None else _in_order(state, quota)
        if found is not None:
            return found
    raise _too_large(network, config, network_links)


def _quotas(network: Network, config: FabricConfig, cut: str) -> Iterator[int]:
    """Groups per core to try."""
    total = sum(groups_of(population.size, config.core) for population in network.populations)
    even = -(-total // config.nodes)
    yield from range(even, config.core.groups) if cut == "balanced" else ()
    yield config.core.groups


def _in_order(state: Partition, quota: int) -> list[Chunk] | None:
    """Populations in the order of the network's flow, ``quota`` groups to a core."""
    at = 0
    for name in state.network.order:
        done, size = 0, state.network.population(name).size
        while done < size:
            if at == len(state.cores):
                return None
            left = (quota - state.next_group(at)) * state.core.lanes
            placed = state.place(name, done, min(size - done, left), at)
            done += placed
            if placed == 0 or state.next_group(at) >= quota:
                at += 1
    return state.chunks


def _at_random(state: Partition, rng: np.random.Generator) -> list[Chunk] | None:
    names = list(state.network.order)
    for name in rng.permutation(names):
        done, size = 0, state.network.population(name).size
        while done < size:
            wanted = int(rng.integers(1, size - done + 1))
            for core in rng.permutation(len(state.cores)):
                placed = state.place(str(name), done, wanted, int(core))
                if placed:
                    break
            else:
                return None
            done += placed
    return state.chunks


def _too_large(network: Network, config: FabricConfig, network_links: list[Link]) -> InputError:
    """Why a network does not fit, as precisely as can be said."""
    core = config.core
    for name in network.order:
        one = Chunk(name, 0, min(network.population(name).size, core.lanes, core.neurons), 0, 0)
        needed = axons_needed(segments([one], network_links, core))
        if needed > core.axons:
            return InputError(
                f"network too large for the fabric: population {name!r} has a fan-in of {needed} axons, a core has"
                f" {core.axons}"
            )
    groups = sum(groups_of(population.size, core) for population in network.populations)
    if groups > core.groups * config.nodes:
        return InputError(
            f"network too large for the fabric: needs {groups} groups of {core.lanes} neurons, has"
            f" {core.groups * config.nodes}"
        )
    whole = [Chunk(p.name, 0, p.size, 0, 0) for p in network.populations]
    needed = axons_needed(segments(whole, network_links, core)) if config.nodes == 1 else None
    if needed is not None and needed > core.axons:
        return InputError(f"network too large for the fabric: needs {needed} axons at core (0, 0), has {core.axons}")
    return InputError(
        f"network too large for the fabric: its {groups} groups do not fit {config.nodes} cores of {core.axons} axons"
        f" and {core.neurons} neurons"
    )
