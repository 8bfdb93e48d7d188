"""Which neurons live together: populations in chunks of whole groups, on logical cores."""

from collections.abc import Iterator

import numpy as np

from ...spec.config import FabricConfig
from ...spec.errors import InputError
from ...spec.network import Network
from .layout import Chunk, Layout, MapLayout
from .links import Link, axons_needed
from .stores import stores


class Partition:
    """Chunks under construction. Every chunk starts at a group boundary; a core never exceeds its neurons and axons."""

    def __init__(self, network: Network, config: FabricConfig, network_links: list[Link], layouts: dict):
        self.order = network.order
        self.core = config.core
        self.links = network_links
        self.layouts: dict[str, Layout | MapLayout] = layouts
        self.cores: list[list[Chunk]] = [[] for _ in range(config.nodes)]

    @property
    def chunks(self) -> list[Chunk]:
        return [chunk for chunks in self.cores for chunk in chunks]

    def next_group(self, core: int) -> int:
        return max((chunk.last + 1 for chunk in self.cores[core]), default=0)

    def axons(self, core: int, *more: Chunk) -> int:
        return needed([*self.cores[core], *more], self.links, self.core)

    def place(self, population: str, first: int, count: int, core: int, quota: int | None = None) -> int:
        """Put up to ``count`` units on a core, as many as have room and axons there; returns how many.

        The core gets ``quota`` groups at most.
        """
        group, layout = self.next_group(core), self.layouts[population]
        room = self.core.neurons - group * self.core.lanes
        if quota is not None:
            room = min(room, (quota - group) * self.core.lanes)
        count = min(count, layout.fit(first, room)) if room > 0 else 0
        while count > 0:
            chunk = layout.chunk(first, count, core, group)
            if self.axons(core, chunk) <= self.core.axons:
                self.cores[core].append(chunk)
                return count
            count = layout.fewer(count)
        return 0


def needed(chunks: list[Chunk], network_links: list[Link], core) -> int:
    """Axons that some chunks on one core take."""
    return axons_needed(stores()[core.store].segments(chunks, network_links, core))


def partition(
    network: Network, config: FabricConfig, network_links: list[Link], cut: str, rng: np.random.Generator | None
) -> list[Chunk]:
    """Distribute the network's neurons over logical cores 0..nodes-1.

    ``compact`` fills one core after the other; ``balanced`` spreads the groups evenly over all cores; ``random`` cuts
    populations anywhere and puts the pieces anywhere. Raises InputError if the network does not fit.
    """
    layouts = {name: _layout(network, name, config, network_links, rng) for name in network.order}
    total = sum(layout.groups for layout in layouts.values())
    quotas = [None] if cut == "random" else _quotas(total, config, cut)
    for quota in quotas:
        state = Partition(network, config, network_links, layouts)
        found = _at_random(state, rng) if quota is None else _in_order(state, quota)
        if found is not None:
            return found
    raise _too_large(network, config, network_links, layouts)


def _layout(network: Network, name: str, config: FabricConfig, network_links: list[Link], rng) -> Layout | MapLayout:
    """The best layout whose smallest chunks fit a core; with ``rng`` any of those. The best one if none does."""
    core, found = config.core, list(stores()[config.core.store].layouts(network, name, config.core))
    if rng is not None:
        found = [found[at] for at in rng.permutation(len(found))]
    return next((layout for layout in found if _fits(layout, network_links, core)), found[0])


def _fits(layout: Layout | MapLayout, network_links: list[Link], core) -> bool:
    return isinstance(layout, Layout) or all(
        layout.fit(unit, core.neurons) and needed([layout.chunk(unit, 1, 0, 0)], network_links, core) <= core.axons
        for unit in range(layout.units)
    )


def _quotas(total: int, config: FabricConfig, cut: str) -> Iterator[int]:
    """Groups per core to try."""
    even = -(-total // config.nodes)
    yield from range(even, config.core.groups) if cut == "balanced" else ()
    yield config.core.groups


def _in_order(state: Partition, quota: int) -> list[Chunk] | None:
    """Populations in the order of the network's flow, ``quota`` groups to a core."""
    at = 0
    for name in state.order:
        done, size = 0, state.layouts[name].units
        while done < size:
            if at == len(state.cores):
                return None
            placed = state.place(name, done, size - done, at, quota)
            done += placed
            if placed == 0 or state.next_group(at) >= quota:
                at += 1
    return state.chunks


def _at_random(state: Partition, rng: np.random.Generator) -> list[Chunk] | None:
    for name in rng.permutation(list(state.order)):
        done, size = 0, state.layouts[str(name)].units
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


def _too_large(network: Network, config: FabricConfig, network_links: list[Link], layouts: dict) -> InputError:
    """Why a network does not fit, as precisely as can be said."""
    core = config.core
    for name, layout in layouts.items():
        least = 1 if isinstance(layout, MapLayout) else min(core.lanes, core.neurons)
        axons = needed([layout.chunk(0, min(layout.units, least), 0, 0)], network_links, core)
        if axons > core.axons:
            return InputError(
                f"network too large for the fabric: population {name!r} has a fan-in of {axons} axons, a core has"
                f" {core.axons}"
            )
    groups = sum(layout.groups for layout in layouts.values())
    if groups > core.groups * config.nodes:
        return InputError(
            f"network too large for the fabric: needs {groups} groups of {core.lanes} neurons, has"
            f" {core.groups * config.nodes}"
        )
    if config.nodes == 1:
        whole = [Layout(p.name, p.size, core.lanes).chunk(0, p.size, 0, 0) for p in network.populations]
        axons = needed(whole, network_links, core)
        if axons > core.axons:
            return InputError(f"network too large for the fabric: needs {axons} axons at core (0, 0), has {core.axons}")
    return InputError(
        f"network too large for the fabric: its {groups} groups do not fit {config.nodes} cores of {core.axons} axons"
        f" and {core.neurons} neurons"
    )
