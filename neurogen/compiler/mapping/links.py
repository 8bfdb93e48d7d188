"""What arrives at a core: links, the segments of groups that they reach there, and the axons that this takes."""

from dataclasses import dataclass, field

import numpy as np

from ...spec.config import CoreConfig
from ...spec.errors import InputError
from ...spec.network import Network, Projection
from .schedule import Schedule


@dataclass(frozen=True)
class Chunk:
    """Neurons ``first``.. of a population, ``count`` of them, from group ``group`` of logical core ``core`` on."""

    population: str
    first: int
    count: int
    core: int
    group: int


@dataclass(frozen=True, eq=False)
class Link:
    """All projections from one source with one axonal delay: one event can serve them all. At most one per target."""

    source: str
    delay_ticks: int
    projections: dict[str, Projection] = field(default_factory=dict)  # by target


@dataclass(frozen=True, eq=False)
class Segment:
    """Groups first..last of one core that a link reaches, with one axon for each neuron that is ``reached``."""

    link: Link
    first: int
    last: int
    chunks: tuple[Chunk, ...]
    reached: np.ndarray  # bool (n_source,): has a weight that is not 0 there

    def weights(self, neurons: np.ndarray, lanes: int) -> np.ndarray:
        """Synapse rows of some source neurons, (len(neurons), last - first + 1, lanes); 0 between the chunks."""
        rows = np.zeros((len(neurons), (self.last - self.first + 1) * lanes), dtype=np.int64)
        for chunk in self.chunks:
            at = (chunk.group - self.first) * lanes
            part = self.link.projections[chunk.population].weights[:, chunk.first : chunk.first + chunk.count]
            rows[:, at : at + chunk.count] = part[neurons]
        return rows.reshape(len(neurons), -1, lanes)


def links(network: Network, schedule: Schedule, core: CoreConfig) -> list[Link]:
    """The network's projections by source and axonal delay. Raises InputError if a delay is too long for the slots."""
    found: dict[tuple, Link] = {}
    for projection in network.projections:
        delay = schedule.delay_ticks(projection)
        where = f"projection {projection.source} -> {projection.target}"
        if projection.source in schedule.inputs and delay > core.delay_slots - 2:
            raise InputError(
                f"{where} has its events sent {delay} ticks ahead; with {core.delay_slots} delay slots the fabric takes"
                f" them at most {core.delay_slots - 2} ticks ahead"
            )
        if projection.source not in schedule.inputs and delay > core.delay_slots - 1:
            raise InputError(
                f"{where} needs an axonal delay of {delay} ticks; the"
                f" fabric has {core.delay_slots} slots, for delays of 1..{core.delay_slots - 1}"
            )
        copy = 0
        while projection.target in found.get((projection.source, delay, copy), Link("", 0)).projections:
            copy += 1
        link = found.setdefault((projection.source, delay, copy), Link(projection.source, delay))
        link.projections[projection.target] = projection
    return list(found.values())


def groups_of(count: int, core: CoreConfig) -> int:
    return -(-count // core.lanes)


def segments(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Segment]:
    """What reaches one core. Neighbouring chunks of one link share an axon: as many rows, one event and packet fewer.

    Where this makes more different group ranges than the core's range table holds, the cheapest are joined.
    """
    spans = []
    for link in network_links:
        targets = sorted((chunk for chunk in chunks if chunk.population in link.projections), key=lambda c: c.group)
        for chunk in targets:
            last = chunk.group + groups_of(chunk.count, core) - 1
            if spans and spans[-1][0] is link and spans[-1][2] + 1 == chunk.group:
                spans[-1] = (link, spans[-1][1], last, (*spans[-1][3], chunk))
            else:
                spans.append((link, chunk.group, last, (chunk,)))
    hulls = _hulls([(first, last) for _, first, last, _ in spans], core.ranges)
    joined: dict[tuple, tuple[Chunk, ...]] = {}
    for link, first, last, parts in spans:
        key = (link, *hulls[first, last])
        joined[key] = joined.get(key, ()) + parts
    found = []
    for (link, first, last), parts in joined.items():
        reached = np.zeros(len(next(iter(link.projections.values())).weights), dtype=bool)
        for chunk in parts:
            weights = link.projections[chunk.population].weights
            reached |= weights[:, chunk.first : chunk.first + chunk.count].any(axis=1)
        if reached.any():
            found.append(Segment(link, first, last, parts, reached))
    return found


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


def axons_needed(found: list[Segment]) -> int:
    return sum(int(segment.reached.sum()) for segment in found)
