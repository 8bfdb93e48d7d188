"""What arrives at a core: links, the segments of groups that they reach there, and the axons that this takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ...spec.config import CoreConfig
from ...spec.errors import InputError
from ...spec.kernels import Kernel
from ...spec.network import Network, Projection
from .layout import Chunk
from .schedule import Schedule


@dataclass(frozen=True, eq=False)
class Link:
    """All projections from one source with one axonal delay: one event can serve them all. At most one per target."""

    source: str
    delay_ticks: int
    projections: dict[str, Projection] = field(default_factory=dict)  # by target

    @property
    def size(self) -> int:
        """Neurons of the source."""
        return next(iter(self.projections.values())).shape[0]


@dataclass(frozen=True, eq=False)
class Segment:
    """Groups first..last of one core that a link reaches, with one axon for each neuron that is ``reached``.

    This one has a weight of its own for every neuron and slot; synapse stores have others besides.
    """

    link: Link
    first: int
    last: int
    chunks: tuple[Chunk, ...]
    reached: np.ndarray  # bool (n_source,): an event of the neuron has something to do there

    def steps(self, neurons: np.ndarray) -> np.ndarray:
        """Synapse rows that an event of each of ``neurons`` walks over."""
        return np.full(len(neurons), self.last - self.first + 1)

    def kinds(self, neurons: np.ndarray) -> np.ndarray | None:
        """Neurons of one kind share synapse rows where they share a bank; None: no neurons do."""
        return None

    def weights(self, neurons: np.ndarray, lanes: int) -> np.ndarray:
        """Synapse rows of some source neurons, (len(neurons), last - first + 1, lanes); 0 between the chunks."""
        rows = np.zeros((len(neurons), (self.last - self.first + 1) * lanes), dtype=np.int64)
        for chunk in self.chunks:
            at = (chunk.group - self.first) * lanes + chunk.places
            rows[:, at] = part(self.link.projections[chunk.population], chunk.neurons)[neurons]
        return rows.reshape(len(neurons), -1, lanes)


def part(projection: Projection, targets: np.ndarray) -> np.ndarray:
    """The weights to some targets, (n_source, len(targets)); a view where they are neighbours."""
    if isinstance(projection.weights, Kernel):
        return projection.weights.columns[:, targets].toarray()
    if (np.diff(targets) == 1).all():
        return projection.weights[:, targets[0] : targets[-1] + 1]
    return projection.weights[:, targets]


def reached(link: Link, chunks: tuple[Chunk, ...]) -> np.ndarray:
    """(n_source,) bool: the neuron has a weight that is not 0 to one of the ``chunks``."""
    found = np.zeros(link.size, dtype=bool)
    for chunk in chunks:
        projection = link.projections[chunk.population]
        if isinstance(projection.weights, Kernel):
            found[projection.weights.columns[:, chunk.neurons].indices] = True
        else:
            found |= part(projection, chunk.neurons).any(axis=1)
    return found


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
        same = [link for (*key, _), link in found.items() if key == [projection.source, delay]]
        copy = sum(projection.target in link.projections for link in same)
        link = found.setdefault((projection.source, delay, copy), Link(projection.source, delay))
        link.projections[projection.target] = projection
    return list(found.values())


def neighbours(chunks: list[Chunk], network_links: list[Link]) -> Iterator[tuple[Link, int, int, tuple[Chunk, ...]]]:
    """(link, first and last group, chunks): what each link reaches, chunks with no group between them together."""
    for link in network_links:
        targets = sorted((chunk for chunk in chunks if chunk.population in link.projections), key=lambda c: c.group)
        start = 0
        for stop in range(1, len(targets) + 1):
            if stop == len(targets) or targets[stop - 1].last + 1 != targets[stop].group:
                yield link, targets[start].group, targets[stop - 1].last, tuple(targets[start:stop])
                start = stop


def axons_needed(found: list[Segment]) -> int:
    return sum(int(np.count_nonzero(segment.reached)) for segment in found)
