"""Lists of synapses: an axon's rows hold, on each lane, the neurons of that lane that it reaches."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ....spec.config import CoreConfig
from ....spec.image import CoreImage
from ....spec.kernels import Kernel
from ....spec.network import Network, Projection
from ..layout import Chunk, Layout
from ..links import Link, Segment, part, reached
from . import Served, own_rows, set_axons

NAME = "sparse"


def layouts(network: Network, population: str, core: CoreConfig) -> Iterator[Layout]:
    yield Layout(population, network.population(population).size, core.lanes)


def arrange(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Chunk]:
    """The chunks of one core, the neurons of each on the lanes where lists get least longer.

    Neurons of many synapses first; each takes the lane, among those with room, on which the fewest of its axons' lists
    grow, and of these the one with the fewest synapses.
    """
    first_axon = np.cumsum([0, *(link.size for link in network_links)])
    lengths = np.zeros((first_axon[-1], core.lanes), dtype=np.int64)
    lanes = [np.zeros(chunk.count, dtype=np.int64) for chunk in chunks]
    room = [chunk.count // core.lanes + (np.arange(core.lanes) < chunk.count % core.lanes) for chunk in chunks]
    fan_ins = [_fan_ins(chunk, network_links, first_axon) for chunk in chunks]
    waiting = [(-len(axons), number, at) for number, found in enumerate(fan_ins) for at, axons in enumerate(found)]
    for _, number, at in sorted(waiting):
        axons = fan_ins[number][at]
        mine = lengths[axons]
        growing = (mine == mine.max(axis=1, keepdims=True)).sum(axis=0)
        cost = np.where(room[number] > 0, growing * (lengths.size + 1) + mine.sum(axis=0), np.iinfo(np.int64).max)
        lane = lanes[number][at] = int(cost.argmin())
        lengths[axons, lane] += 1
        room[number][lane] -= 1
    return [replace(chunk, slots=_slots(chunk, lane)) for chunk, lane in zip(chunks, lanes, strict=True)]


def _fan_ins(chunk: Chunk, network_links: list[Link], first_axon: np.ndarray) -> list[np.ndarray]:
    """The axons that reach each neuron of a chunk, every source neuron of every link having one."""
    found = [_synapses(link, chunk)[:2] for link in network_links]
    numbered = [sources + first for (sources, _), first in zip(found, first_axon, strict=False)]
    targets = np.concatenate([at for _, at in found])
    axons = np.concatenate(numbered)[np.argsort(targets, kind="stable")]
    return np.split(axons, np.cumsum(np.bincount(targets, minlength=chunk.count)))[: chunk.count]


def _slots(chunk: Chunk, lanes: np.ndarray) -> np.ndarray:
    """Slots (groups, lanes) where every neuron of a chunk is on its lane, in the lowest group that is free there."""
    slots = np.full(chunk.slots.shape, -1)
    groups = np.zeros(slots.shape[1], dtype=np.int64)
    for neuron, lane in zip(chunk.neurons, lanes, strict=True):
        slots[groups[lane], lane] = neuron
        groups[lane] += 1
    return slots


def _synapses(link: Link, chunk: Chunk) -> np.ndarray:
    """(3, n): source, position in ``chunk.neurons`` and weight of a link's synapses to a chunk."""
    if chunk.population not in link.projections:
        return np.zeros((3, 0), dtype=np.int64)
    projection = link.projections[chunk.population]
    if isinstance(projection.weights, Kernel):
        found = projection.weights.columns[:, chunk.neurons].tocoo()
        return np.stack([found.row, found.col, found.data]).astype(np.int64)
    weights = part(projection, chunk.neurons)
    sources, at = np.nonzero(weights)
    return np.stack([sources, at, weights[sources, at]])


@dataclass(frozen=True, eq=False)
class ListSegment(Segment):
    """Everything that a link reaches at one core, by one axon for each source neuron."""

    lanes: int

    @cached_property
    def synapses(self) -> tuple[np.ndarray, ...]:
        """(source, row of its list, lane, group, weight) of every synapse."""
        columns = []
        for chunk in self.chunks:
            source, at, weight = _synapses(self.link, chunk)
            columns.append(np.stack([source, chunk.group * self.lanes + chunk.places[at], weight]))
        source, slot, weight = np.concatenate(columns, axis=1)
        group, lane = np.divmod(slot, self.lanes)
        order = np.lexsort((group, lane, source))
        source, lane, group, weight = source[order], lane[order], group[order], weight[order]
        lists = source * self.lanes + lane
        row = np.arange(len(lists)) - np.searchsorted(lists, lists)
        return source, row, lane, group, weight

    def steps(self, neurons: np.ndarray) -> np.ndarray:
        """Synapse rows that an event of each of ``neurons`` walks over: the longest of its lanes' lists."""
        source, row, *_ = self.synapses
        counts = np.zeros(self.link.size, dtype=np.int64)
        np.maximum.at(counts, source, row + 1)
        return counts[neurons]


def segments(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Segment]:
    """What reaches one core: one segment for each link."""
    found = []
    for link in network_links:
        targets = tuple(chunk for chunk in chunks if chunk.population in link.projections)
        if targets:
            first, last = min(chunk.group for chunk in targets), max(chunk.last for chunk in targets)
            found.append(ListSegment(link, first, last, targets, reached(link, targets), core.lanes))
    return [segment for segment in found if segment.reached.any()]


class Plan:
    """The memories of one core: every axon's list, one after the other."""

    walks = 0

    def __init__(self, served: list[Served], core: CoreConfig):
        self.served, self.lanes = served, core.lanes
        self.rows = np.zeros(core.banks, dtype=np.int64)
        self.counts = [item.segment.steps(item.neurons) for item in served]
        self.bases = [own_rows(self.rows, item.axons, counts) for item, counts in zip(served, self.counts, strict=True)]

    @property
    def synapses(self) -> int:
        return sum(int(np.isin(item.segment.synapses[0], item.neurons).sum()) for item in self.served)

    def write(self, image: CoreImage, core: CoreConfig) -> None:
        for item, base, counts in zip(self.served, self.bases, self.counts, strict=True):
            set_axons(image.axons, item.axons, base=base, count=counts)
            source, row, lane, group, weight = item.segment.synapses
            number = np.full(item.segment.link.size, -1)
            number[item.neurons] = np.arange(len(item.neurons))
            mine = number[source] >= 0
            at = number[source[mine]]
            where = item.axons[at] % core.banks, base[at] + row[mine], lane[mine]
            image.synapses[where] = weight[mine]
            image.targets["group"][where] = group[mine]


def check(image: CoreImage, core: CoreConfig) -> str | None:
    """What is wrong with a core's axon rows and lists, or None."""
    bad = np.argwhere((image.axons["count"] > 0) & (image.axons["base"] + image.axons["count"] > core.rows))
    if len(bad):
        bank, local = bad[0]
        return f"the list of axon {local * core.banks + bank} has synapse rows that do not exist"
    bad = np.argwhere((image.synapses != 0) & (image.targets["group"] >= core.groups))
    if len(bad):
        bank, row, lane = bad[0]
        return f"lane {lane} of synapse row {row} in bank {bank} names a group that does not exist"
    return None


def notes(plans: list[Plan]) -> list[str]:
    room = sum(int(plan.rows.sum()) for plan in plans) * plans[0].lanes
    return [f"lists are {sum(plan.synapses for plan in plans) / max(room, 1):.0%} full"]


def rows(projection: Projection, core: CoreConfig) -> int:
    """Synapse rows that a projection takes if every row is full but the last of each list."""
    return int((-(-projection.fan_out // core.lanes)).sum())
