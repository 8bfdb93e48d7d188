"""A row of weights for every axon and group; all banks walk one range of groups together."""

from collections.abc import Iterator

import numpy as np

from ....spec.config import CoreConfig
from ....spec.image import CoreImage
from ....spec.network import Network, Projection
from ..layout import Chunk, Layout
from ..links import Link, Segment, neighbours, reached
from . import Served, own_rows, set_axons

NAME = "dense"


def layouts(network: Network, population: str, core: CoreConfig) -> Iterator[Layout]:
    yield Layout(population, network.population(population).size, core.lanes)


def arrange(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Chunk]:
    return chunks


def segments(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Segment]:
    """What reaches one core. Neighbouring chunks of one link share an axon: as many rows, one event and packet fewer.

    Where this makes more different group ranges than the core's range table holds, the cheapest are joined.
    """
    spans = list(neighbours(chunks, network_links))
    return joined(spans, _hulls([(first, last) for _, first, last, _ in spans], core.ranges))


def joined(spans: list[tuple], hulls: dict[tuple[int, int], tuple[int, int]]) -> list[Segment]:
    """Segments of the ranges ``hulls`` that contain what links reach; those of one link and range are one."""
    found: dict[tuple, tuple[Chunk, ...]] = {}
    for link, first, last, parts in spans:
        key = (link, *hulls[first, last])
        found[key] = found.get(key, ()) + parts
    segments = [Segment(link, first, last, parts, reached(link, parts)) for (link, first, last), parts in found.items()]
    return [segment for segment in segments if segment.reached.any()]


def _hulls(spans: list[tuple[int, int]], limit: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Map each (first, last) to a range that contains it, at most ``limit`` different ones."""
    weight: dict[tuple[int, int], int] = {}
    for span in spans:
        weight[span] = weight.get(span, 0) + 1
    hull = {span: span for span in weight}
    while len(weight) > limit:
        pairs = [(a, b) for a in weight for b in weight if a < b]
        a, b = min(pairs, key=lambda pair: _joining_cost(*pair, weight))
        union = (min(a[0], b[0]), max(a[1], b[1]))
        merged = weight.pop(a) + weight.pop(b)
        weight[union] = weight.get(union, 0) + merged
        hull = {span: union if found in (a, b) else found for span, found in hull.items()}
    return hull


def _joining_cost(a: tuple[int, int], b: tuple[int, int], weight: dict[tuple[int, int], int]) -> int:
    """Rows that are walked in vain if two ranges become one."""
    size = max(a[1], b[1]) - min(a[0], b[0])
    return sum(weight[span] * (size - (span[1] - span[0])) for span in (a, b))


class Plan:
    """The memories of one core: every axon's rows one after the other, the ranges in ascending order of groups."""

    def __init__(self, served: list[Served], core: CoreConfig):
        self.served = served
        self.rows = np.zeros(core.banks, dtype=np.int64)
        self.bases = [own_rows(self.rows, item.axons, item.segment.steps(item.neurons)) for item in served]
        self.ranges = sorted({(item.segment.first, item.segment.last) for item in served})

    @property
    def walks(self) -> int:
        return len(self.ranges)

    def write(self, image: CoreImage, core: CoreConfig) -> None:
        for row, (first, last) in enumerate(self.ranges):
            image.walks["first"][row], image.walks["last"][row] = first, last
        for item, base in zip(self.served, self.bases, strict=True):
            segment = item.segment
            set_axons(image.axons, item.axons, base=base, range=self.ranges.index((segment.first, segment.last)))
            at = base[:, None] + np.arange(segment.last - segment.first + 1)
            image.synapses[(item.axons % core.banks)[:, None], at] = segment.weights(item.neurons, core.lanes)


def check(image: CoreImage, core: CoreConfig) -> str | None:
    """What is wrong with a core's axon rows, synapse rows and ranges, or None."""
    first, last = image.walks["first"], image.walks["last"]
    bad = np.flatnonzero((first > last) | (last >= core.groups))
    if len(bad):
        row = int(bad[0])
        return f"range {row} is {first[row]}..{last[row]}; the core has groups 0..{core.groups - 1}"
    span = (last - first + 1)[np.minimum(image.axons["range"], core.ranges - 1)]
    bad = np.argwhere((image.axons["range"] >= core.ranges) | (image.axons["base"] + span > core.rows))
    if len(bad):
        bank, local = bad[0]
        return f"axon {local * core.banks + bank} names a range or synapse rows that do not exist"
    return None


def notes(plans: list[Plan]) -> list[str]:
    return []


def rows(projection: Projection, core: CoreConfig) -> int:
    """Synapse rows that a projection takes: every source neuron's."""
    return int(np.count_nonzero(projection.fan_out)) * -(-projection.shape[1] // core.lanes)
