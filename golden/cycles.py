"""The cycle model: how long each core's phases and the whole tick last while nothing outside holds the fabric up.

A tick is a chain of blocks; each has a fixed latency, or passes items on as soon as the next one has room. So the clock
of every move is the latest of a few: those of earlier moves, each plus a constant. :func:`tick_cycles` follows the
items of a tick in the order in which the hardware sees them. The constants are the latencies that the blocks of
``neurogen.rtl`` document.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neurogen.spec.config import CoreConfig, FabricConfig

from . import neurons, synapses

TREE_RADIX = 4  # branches of a node in the barrier's trees
FIRST_HEAD = 5  # scheduler: from the start to the first events; one more past a payload memory
FIRST_STEP = 2  # synapse store: from the first event to its first step, beside what it is looked up for
ROW_READ = 2  # synapse store: from a step to its row, one more with memory registers; then products and sums
SUMMED = 2  # accumulators: from a row of sums to the clock in which the update unit may start, if no store knows more
EMPTY_START = 2  # from the release to the update unit's start where there are no events
FIRST_VISIT = 2  # update unit: from its start to the first subgroup
VISIT = 4  # update unit: from a subgroup to its vector, beside the neuron's own clocks and those of its sums
LEAVING = 1  # core: the last state of a tick that keeps it busy


@dataclass(frozen=True)
class CoreActivity:
    """What one core did in one tick, in the order in which the hardware does it.

    walks    clocks of each walk over synapse rows: of the passes, or of the events of the bank that takes longest
    visited  groups that the update unit visits, ``subgroups`` clocks each
    vectors  update clocks (from 0, the first clock of the phase) whose vector enters the encoder's queue
    spikes   neurons that each of these vectors emits, one a clock
    packets  route entries of each emitted neuron, one a clock and at least one clock
    words    words to the host that each packet becomes: 0 of one to cores, 1 of a spike, 2 of a value
    """

    walks: np.ndarray
    visited: np.ndarray
    subgroups: int
    vectors: np.ndarray
    spikes: np.ndarray
    packets: np.ndarray
    words: np.ndarray

    @property
    def integrate_cycles(self) -> int:
        return int(self.walks.sum())

    @property
    def update_cycles(self) -> int:
        return len(self.visited) * self.subgroups

    @property
    def emit_cycles(self) -> int:
        return int(np.maximum(self.packets, 1).sum())


def vectors(visited: np.ndarray, emitted: np.ndarray, lanes: int, update_lanes: int) -> tuple[np.ndarray, np.ndarray]:
    """Update clock and number of neurons of every vector that emits: ``emitted`` are neuron numbers, ascending."""
    position = np.searchsorted(visited, emitted // lanes)
    clocks = position * (lanes // update_lanes) + emitted % lanes // update_lanes
    return np.unique(clocks, return_counts=True)


class _Block:
    """A stream block: items enter in order and can leave from the clock after on, one a clock.

    A register (``places`` None) takes an item in the clock in which the one before leaves. A queue decides by what its
    flip-flops hold: it takes an item a clock after the one that entered ``places`` earlier has left.
    """

    def __init__(self, places: int | None = None):
        self._waits = places is not None
        self._free = deque([0] * (places or 1), maxlen=places or 1)
        self._left = 0

    def enter(self, clock: int) -> int:
        """The clock in which an item enters that comes at ``clock``."""
        return max(clock, self._free[0])

    def offer(self, entered: int) -> int:
        """The first clock in which that item could leave."""
        return max(entered, self._left) + 1

    def leave(self, clock: int) -> None:
        self._left = clock
        self._free.append(clock + self._waits)


class _Roomy(_Block):
    """A block that always has room."""

    def enter(self, clock: int) -> int:
        return clock


def _table(core: CoreConfig) -> list[_Block]:
    """A table behind a stream: its memory's output, and the register behind it."""
    return [_Block() for _ in range(1 + core.memory_registers)]


class _Exit:
    """The way of packets: route table, queue, router, and the core's own scheduler or the host.

    In a mesh the network takes every packet at once.
    """

    def __init__(self, config: FabricConfig):
        self.busy_until = 0
        alone, table = config.nodes == 1, _table(config.core)
        self._left_routes = len(table) + 1
        self._way = [*table, _Block(2), _Block(config.queue_depth) if alone else _Roomy()]
        self._local, self._north, self._host = _Roomy(), _Block() if alone else _Roomy(), _Block()

    def send(self, clock: int, words: int) -> tuple[int, int]:
        """Send a packet whose address comes at ``clock``: when the table takes it, and when it leaves the routes."""
        way = [*self._way, self._north, self._host] if words else [*self._way, self._local]
        entered = [way[0].enter(clock)]
        for block, following in pairwise(way):
            entered.append(following.enter(block.offer(entered[-1])))
            block.leave(entered[-1])
        if words:
            self._host.leave(entered[-1] + words)
            end = entered[-1]
        else:
            end = self._local.offer(entered[-1])
            self._local.leave(end)
        self.busy_until = max(self.busy_until, end)
        return entered[0], entered[self._left_routes]


def _emission(config: FabricConfig, activity: CoreActivity, first: int) -> tuple[int, int, int]:
    """Clocks after a core's release: the last of the update unit, of encoder and routes, and of any packet's way.

    ``first`` is the clock in which the vector of update clock 0 would be offered. The update unit holds still while
    a vector waits.
    """
    waiting, pointers, packets = _Block(1), _table(config.core), _Exit(config)
    words, counts = iter(activity.words.tolist()), iter(activity.packets.tolist())
    taken, done, loaded, free, walked, emitted = first, 0, 0, 0, 0, 0
    for clock, spikes in zip(activity.vectors.tolist(), activity.spikes.tolist(), strict=True):
        taken = waiting.enter(taken + clock - done)
        loaded = max(taken, loaded)
        waiting.leave(loaded)
        for _ in range(spikes):
            loaded = entered = pointers[0].enter(loaded + 1)
            for block, following in pairwise(pointers):
                entered = following.enter(block.offer(entered))
                block.leave(entered)
            found = max(pointers[-1].offer(entered), free)
            pointers[-1].leave(found)
            walked = max(found, walked)
            free = walked + 1 if walked > found else 0  # until then it waits beside the way, and nothing passes
            emitted = max(emitted, walked)
            for _ in range(next(counts)):
                walked, emitted = packets.send(walked + 1, next(words))
        done = clock
    return taken + max(activity.update_cycles - 2 - done, 0), emitted, packets.busy_until


def update_start(core: CoreConfig, activity: CoreActivity) -> int:
    """Clocks from a core's release to the start of its update unit."""
    if not activity.integrate_cycles:
        return EMPTY_START
    product, store = core.payload_bits > 0, synapses.stores()[core.store]
    first_row = FIRST_HEAD + product + store.lookup_cycles(core) + FIRST_STEP + ROW_READ + core.memory_registers
    summed = first_row + activity.integrate_cycles + product + store.sum_cycles(core) + SUMMED
    return summed - store.lead_cycles(core) - 1


def core_cycles(config: FabricConfig, activity: CoreActivity) -> int:
    """Clocks in which a node is busy after its release, with the way of its packets."""
    core = config.core
    start = update_start(core, activity)
    latency = VISIT + synapses.stores()[core.store].read_cycles(core)
    latency += neurons.model(core.neuron.model).latency_cycles(core.neuron)
    updated, emitted, delivered = start, 0, 0
    if len(activity.vectors):
        updated, emitted, delivered = _emission(config, activity, start + FIRST_VISIT + latency)
    elif activity.update_cycles:
        updated = start + activity.update_cycles + latency
    return max(max(updated, emitted) + LEAVING, delivered)


def tick_cycles(config: FabricConfig, activities: Sequence[CoreActivity]) -> int:
    """The clocks of TICK_DONE: exactly for one core, a lower bound for a mesh. ``activities`` has one item per core.

    Exact means: no stalls inside, a host that takes a word in every clock and sends no events while the tick runs
    (what it sent before ADVANCE has arrived before the tick starts).

    The bound is the longest of the cores' own times. Proof: the clock of every move is a maximum of sums of earlier
    moves and constants, so it never falls when another one rises. A packet that has entered a mesh still takes at least
    the clocks that it takes through one router, and the host takes the packets of one core in their order, a word a
    clock; whatever else a mesh adds (further hops, full queues, other cores' packets, stalls) only delays moves.
    """
    latency = 1
    while TREE_RADIX**latency < config.nodes:
        latency += 1
    return 2 * latency + 1 + max(core_cycles(config, activity) for activity in activities)
