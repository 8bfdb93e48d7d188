"""How good a mapping is: the flits that an image sends, by link, and how few they could be."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np

from ...spec.config import FabricConfig
from ...spec.image import Image
from ...spec.topologies.mesh import Direction
from .axons import Rectangle
from .placement import WHOLE, best, lower_bound
from .traffic import Mesh, Traffic, flits

HOST = -1
SHUFFLES = 50
SEED = 1


class Event(NamedTuple):
    """What one spike sends from a node, or HOST: a packet to each rectangle of ``to``, to the host if there is none."""

    source: int
    to: tuple[Rectangle, ...]


def sent(image: Image, emitted: np.ndarray, inputs: Mapping[str, np.ndarray]) -> Counter[Event]:
    """How often which event was sent.

    ``emitted`` (nodes, groups * lanes) counts the events of every core's neurons, ``inputs`` those of the input lines.
    """
    found: Counter[Event] = Counter()
    columns = ("delay", "x0", "x1", "y0", "y1")
    for node, core in enumerate(image.cores):
        routes = np.stack([core.routes[name] for name in columns], axis=1)
        for neuron in np.flatnonzero(emitted[node]):
            first = core.pointers["first"][neuron]
            mine = slice(first, first + core.pointers["count"][neuron])
            host = core.routes["host"][mine].astype(bool)
            for to in [*_together(routes[mine][~host]), *[()] * int(host.sum())]:
                found[Event(node, to)] += int(emitted[node, neuron])
    for name, entries in image.inputs.items():
        for line in np.unique(entries[:, 0]):
            mine = entries[entries[:, 0] == line][:, [6, 1, 2, 3, 4]]
            for to in _together(mine) if inputs[name][line] else ():
                found[Event(HOST, to)] += int(inputs[name][line])
    return found


def _together(rows: np.ndarray) -> list[tuple[Rectangle, ...]]:
    """Rows (delay, x0, x1, y0, y1) as sets of disjoint rectangles: what could be sent as one event."""
    groups: list[tuple[int, list[Rectangle]]] = []
    for delay, *corners in rows.tolist():
        rectangle = tuple(corners)
        for other, members in groups:
            if other == delay and not any(_overlap(rectangle, member) for member in members):
                members.append(rectangle)
                break
        else:
            groups.append((delay, [rectangle]))
    return [tuple(members) for _, members in groups]


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] <= b[1] and b[0] <= a[1] and a[2] <= b[3] and b[2] <= a[3]


def links(events: Mapping[Event, int], config: FabricConfig) -> np.ndarray:
    """Flits that left every router through each port, (nodes, 5); their sum over the ports is what HOPS counts."""
    found = np.zeros((config.height, config.width, len(Direction)), dtype=np.int64)
    for event, count in events.items():
        y, x = divmod(max(event.source, 0), config.width)
        if not event.to:
            found[y, 1 : x + 1, Direction.W] += count
            found[: y + 1, 0, Direction.N] += count
        for rectangle in event.to:
            for row, column, port in _tree(x, y, rectangle):
                found[row, column, port] += count
    return found.reshape(config.nodes, len(Direction))


def _tree(x: int, y: int, rectangle: Rectangle) -> Iterator[tuple[slice, slice, Direction]]:
    """Rows, columns and port of the flits of one packet from (x, y) to a rectangle of cores."""
    x0, x1, y0, y1 = rectangle
    inside = slice(x0, x1 + 1)
    yield slice(y, y + 1), slice(x0 + 1, x + 1), Direction.W
    yield slice(y, y + 1), slice(x, max(x, x1)), Direction.E
    yield slice(y0 + 1, y + 1), inside, Direction.N
    yield slice(y, max(y, y1)), inside, Direction.S
    yield slice(y0, y1 + 1), inside, Direction.L


def _traffic(events: Mapping[Event, int], config: FabricConfig) -> Traffic:
    """The same events between nodes."""
    weights: dict[frozenset[int], np.ndarray] = {}
    to_host = np.zeros(config.nodes)
    for event, count in events.items():
        if not event.to:
            to_host[event.source] += count
            continue
        nodes = frozenset(
            y * config.width + x for x0, x1, y0, y1 in event.to for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)
        )
        weights.setdefault(nodes, np.zeros(config.nodes + 1))[event.source] += count
    return Traffic(tuple(weights), np.array(list(weights.values())).reshape(-1, config.nodes + 1), to_host)


@dataclass(frozen=True)
class Hops:
    """Flits of a placement; no placement of the same cores needs fewer than ``bound``, a random one needs ``random``.

    ``best`` is the fewest that any placement needs, where the mesh is small enough to look at all of them.
    """

    placed: int
    bound: float
    random: float
    best: float | None


def hops(events: Mapping[Event, int], config: FabricConfig) -> Hops:
    """How good the placement is, by the events that were sent."""
    found, mesh = _traffic(events, config), Mesh(config)
    rng = np.random.default_rng(SEED)
    shuffled = [flits(found, mesh, rng.permutation(config.nodes)) for _ in range(SHUFFLES)]
    return Hops(
        placed=int(links(events, config).sum()),
        bound=float(lower_bound(found, config)),
        random=float(np.mean(shuffled)),
        best=flits(found, mesh, best(found, mesh)) if factorial(config.nodes) <= WHOLE else None,
    )
