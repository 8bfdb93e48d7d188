"""Relays: sums passed on between cores, put in where a fan-in exceeds a core's axons or a delay its slots.

A relay is a graded population of the model ``sum``. It emits its raw, unsaturated input sum as the payload of an event
with a synapse of weight 1 behind it, so nothing is lost on the way: the network with relays computes the same, step by
step. Each relay in a chain makes what is behind it at least one tick deeper.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...spec.config import CoreConfig, FabricConfig
from ...spec.errors import InputError
from ...spec.fixed import signed_bits_for
from ...spec.kernels import Kernel
from ...spec.network import Network, Population, Projection
from ...spec.neurons import sum as sum_model
from ..accumulator import payloads
from .layout import MapLayout
from .schedule import Schedule, schedule
from .stores import stores


def insert(network: Network, config: FabricConfig) -> Network:
    """``network`` with the relays that ``config`` needs to run it; ``network`` itself where none are needed.

    ``metadata["relays"]`` of the result says what was done, a sentence each. Cores that are not ``graded`` cannot
    relay, so for them nothing changes. Raises InputError, naming the population, where its fan-in cannot be split.
    """
    if not config.core.graded:
        return network
    for population in network.populations:
        found = split(network, population.name, config.core)
        while found is not network:
            network, found = found, split(found, population.name, config.core)
    return _bridged(network, config)


# Fan-in


@dataclass(frozen=True, eq=False)
class _Block:
    """What reaches the ``neurons`` of one group of a population, one row per source neuron with a weight there.

    ``projection`` and ``row`` (F,) say which neuron it is, ``weights`` (F, len(neurons)) what it weighs.
    """

    neurons: np.ndarray
    projection: np.ndarray
    row: np.ndarray
    weights: np.ndarray

    @property
    def fan_in(self) -> int:
        return len(self.row)

    def contributions(self, network: Network, incoming: list[Projection]) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest product of every weight, (F, len(neurons))."""
        ranges = [np.broadcast_to(np.stack(payloads(network, p.source), axis=-1), (p.shape[0], 2)) for p in incoming]
        low, high = np.stack([ranges[p][r] for p, r in zip(self.projection, self.row, strict=True)]).T
        products = self.weights * low[:, None], self.weights * high[:, None]
        return np.minimum(*products), np.maximum(*products)


def crowded(network: Network, name: str, core: CoreConfig) -> Iterator[_Block]:
    """The groups of a population that more axons reach than a core has, however its store lays them out."""
    incoming = network.incoming(name)
    if sum(p.shape[0] for p in incoming) <= core.axons:
        return
    *_, layout = stores()[core.store].layouts(network, name, core)  # the last has the smallest chunks
    boxes = layout.boxes if isinstance(layout, MapLayout) else [layout.chunk(0, layout.units, 0, 0)]
    matrices = [p.matrix.tocsc() if isinstance(p.weights, Kernel) else p.weights for p in incoming]
    for slots in itertools.chain.from_iterable(box.slots for box in boxes):
        neurons = slots[slots >= 0]
        columns = [matrix[:, neurons] for matrix in matrices]
        rows = [np.unique(m.nonzero()[0]) for m in columns]
        if sum(map(len, rows)) > core.axons:
            weights = [
                m[r] if isinstance(m, np.ndarray) else m[r].toarray() for m, r in zip(columns, rows, strict=True)
            ]
            yield _Block(
                neurons,
                projection=np.repeat(np.arange(len(rows)), [len(found) for found in rows]),
                row=np.concatenate(rows),
                weights=np.concatenate(weights),
            )


def split(network: Network, name: str, core: CoreConfig) -> Network:
    """``network`` with one level of relays before every group of neurons of ``name`` that has too many axons.

    A group's axons are cut into as few parts of equal size as fit a core each and whose sums fit a payload. Every part
    goes to a relay for this group alone. Raises InputError where the parts' own axons would be no fewer.
    """
    population, incoming = network.population(name), network.incoming(name)
    blocks = list(crowded(network, name, core))
    if not blocks:
        return network
    names, relays, projections = _free_names(network, f"{name}_part"), [], []
    parts = [_parts(network, name, block, incoming, core) for block in blocks]
    for part in range(max(map(len, parts))):  # relays that share their sources stand together, to share axons too
        for block, found in zip(blocks, parts, strict=True):
            if part < len(found):
                rows, bits = found[part]
                relay = Population(next(names), len(block.neurons), sum_model.NAME, {}, {"v": bits}, graded=True)
                relays.append(relay)
                projections += [*_into(relay, block, rows, incoming), _out_of(relay, block, population)]
    direct = [p for p in (_without(p, blocks) for p in incoming) if p is not None]
    at = network.populations.index(population)
    note = (
        f"population {name}: fan-in {max(block.fan_in for block in blocks):,} exceeds {core.axons:,} axons:"
        f" split into {max(map(len, parts))} parts, one more tick of depth"
    )
    return replace(
        network,
        populations=(*network.populations[:at], *relays, *network.populations[at:]),
        projections=(*(p for p in network.projections if p.target != name), *projections, *direct),
        metadata=_noted(network, note),
    )


def _parts(network: Network, name: str, block: _Block, incoming: list[Projection], core: CoreConfig):
    """The parts of a block's axons, each with the width of its sums: [(indices, bits)]."""
    low, high = block.contributions(network, incoming)
    least, most = core.payload_range
    for number in range(-(-block.fan_in // core.axons), block.fan_in):
        if number * len(block.neurons) >= block.fan_in:
            break
        edges = np.arange(number) * block.fan_in // number
        lows, highs = (np.add.reduceat(part, edges, axis=0) for part in (low, high))
        if lows.min() >= least and highs.max() <= most:
            bits = [max(2, signed_bits_for(int(a.min()), int(b.max()))) for a, b in zip(lows, highs, strict=True)]
            return list(zip(np.split(np.arange(block.fan_in), edges[1:]), bits, strict=True))
    raise InputError(
        f"population {name!r} has a fan-in of {block.fan_in} axons, a core has {core.axons}; it cannot be split"
        f" with payloads of {least}..{most} and groups of {core.lanes} neurons: fewer lanes, or more axons, are needed"
    )


def _into(relay: Population, block: _Block, rows: np.ndarray, incoming: list[Projection]) -> Iterator[Projection]:
    """One part of a block's projections."""
    for index, projection in enumerate(incoming):
        mine = rows[block.projection[rows] == index]
        if len(mine):
            weights = np.zeros((projection.shape[0], relay.size), dtype=np.int64)
            weights[block.row[mine]] = block.weights[mine]
            yield Projection(projection.source, relay.name, weights, projection.delay)


def _out_of(relay: Population, block: _Block, population: Population) -> Projection:
    weights = np.zeros((relay.size, population.size), dtype=np.int64)
    weights[np.arange(relay.size), block.neurons] = 1
    return Projection(relay.name, population.name, weights)


def _without(projection: Projection, blocks: list[_Block]) -> Projection | None:
    """What a projection still reaches on its own, None if that is nothing."""
    weights = projection.dense.copy()
    for block in blocks:
        weights[:, block.neurons] = 0
    return replace(projection, weights=weights) if weights.any() else None


# Delays


def _bridged(network: Network, config: FabricConfig) -> Network:
    """``network`` with a relay in the middle of every way that takes longer than the slots allow, until none does."""
    while True:
        plan = schedule(network, 1 << config.phase_bits)
        late = [p for p in network.projections if plan.delay_ticks(p) > _longest(p, plan, config.core)]
        if not late:
            return network
        hops = {id(p): min(p.delay, _longest(p, plan, config.core) // plan.step_ticks) for p in late}
        first = late[0]
        together = [p for p in late if (p.source, hops[id(p)]) == (first.source, hops[id(first)])]
        network = _repeated(network, together, hops[id(first)], plan.delay_ticks(first))


def _longest(projection: Projection, plan: Schedule, core: CoreConfig) -> int:
    """Ticks that an event may wait in a slot; one of the host's comes before its tick starts."""
    return core.delay_slots - (2 if projection.source in plan.inputs else 1)


def _repeated(network: Network, late: list[Projection], hop: int, ticks: int) -> Network:
    """``network`` with a relay of all neurons of a source, ``hop`` steps behind it, for the projections ``late``."""
    source, size = late[0].source, late[0].shape[0]
    low, high = payloads(network, source)
    bits = max(2, signed_bits_for(int(np.min(low)), int(np.max(high))))
    relay = Population(next(_free_names(network, f"{source}_relay")), size, sum_model.NAME, {}, {"v": bits}, True)
    moved = {id(p): replace(p, source=relay.name, delay=p.delay - hop) for p in late}
    at = [p.name for p in network.populations].index(source) + 1 if source in network.order else 0
    targets = ", ".join(sorted({p.target for p in late}))
    return replace(
        network,
        populations=(*network.populations[:at], relay, *network.populations[at:]),
        projections=(
            *(moved.get(id(p), p) for p in network.projections),
            Projection(source, relay.name, np.eye(size, dtype=np.int64), hop),
        ),
        metadata=_noted(network, f"{source} -> {targets}: {ticks} ticks are too long for the slots: a relay between"),
    )


def _free_names(network: Network, stem: str) -> Iterator[str]:
    taken = {item.name for item in (*network.inputs, *network.populations)}
    return (name for name in (f"{stem}{number}" for number in itertools.count()) if name not in taken)


def _noted(network: Network, note: str) -> dict:
    return network.metadata | {"relays": [*network.metadata.get("relays", []), note]}
