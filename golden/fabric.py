"""The fabric at tick level, from the same image that the hardware gets: spikes, states, counters and cycles.

All cores are computed together: axons, groups and neurons are numbered through the fabric (see ``golden.tables``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from neurogen.spec.errors import InputError
from neurogen.spec.image import Image
from neurogen.spec.memory_map import COUNTERS, Status
from neurogen.spec.words import TICK_BITS, Register

from . import cycles, neurons, routing
from .encoders import Coder
from .tables import Tables, check_rectangle, node_numbers

HOST_ENTRY = (0, 0)


@dataclass(frozen=True)
class Timebase:
    """What the barrier tells the cores about a tick (``neurogen.spec.words.timebase``)."""

    slot: int
    phase: int
    opening: int
    closing: int
    ended: bool
    restart: bool


@dataclass(frozen=True)
class Tick:
    """One tick: output ``spikes`` (lines, ascending), ``values`` (k, 2) of (line, value) by line, and who did what.

    ``axons``, ``visited`` and ``emitted`` number axons, groups and neurons through the fabric, ascending.
    """

    tick: int
    spikes: np.ndarray
    values: np.ndarray
    tables: Tables
    axons: np.ndarray
    visited: np.ndarray
    emitted: np.ndarray

    def activity(self, core: int) -> cycles.CoreActivity:
        """What one core did, in hardware order: the input of the cycle model."""
        config, tables = self.tables.image.config.core, self.tables
        axons = _of_core(self.axons, core, config.axons)
        visited = _of_core(self.visited, core, config.groups)
        emitted = _of_core(self.emitted, core, config.groups * config.lanes)
        clocks, spikes = cycles.vectors(visited, emitted, config.lanes, config.update_lanes)
        emitted = emitted + core * config.groups * config.lanes
        routes, owner = tables.neuron_routes.take(emitted)
        return cycles.CoreActivity(
            walks=tables.store.walks(core, axons),
            visited=visited,
            subgroups=config.subgroups,
            vectors=clocks,
            spikes=spikes,
            packets=tables.neuron_routes.counts[emitted],
            words=tables.route_host[routes] * (1 + tables.delivers[emitted[owner] // config.lanes]),
        )

    def tick_cycles(self) -> int:
        """The clocks of TICK_DONE without stalls: exactly on one core, a lower bound on a mesh."""
        config = self.tables.image.config
        return cycles.tick_cycles(config, [self.activity(core) for core in range(config.nodes)])


def _of_core(numbers: np.ndarray, core: int, each: int) -> np.ndarray:
    """The numbers that lie in one core, as that core counts."""
    return numbers[numbers // each == core] - core * each


def _check_extremes(name: str, values: np.ndarray, low: int, high: int) -> None:
    wrong = values[(values < low) | (values > high)]
    if len(wrong):
        raise InputError(f"an event's {name} is {low}..{high}, not {wrong[0]}")


class Fabric:
    """A fabric that runs ``image``. Registers can be set in ``registers``; they start with what the image needs.

    Raises InputError for an image that points outside its memories or the mesh; :meth:`tick` raises it where a sum of
    positive or of negative products leaves the accumulator.
    """

    def __init__(self, image: Image):
        self.image, self.config, self.tables = image, image.config, Tables(image)
        core = self.config.core
        self._model = neurons.model(core.neuron.model)
        self._slots = (core.delay_slots, self.config.nodes * core.axons)
        self._groups = (self.config.nodes * core.groups, core.lanes)
        self._counters = np.zeros((len(COUNTERS), self.config.nodes), dtype=np.int64)
        self._initial = self._model.initial(self.tables.parameters, self._groups)
        self._host_path = cache(self._find_host_path)
        self.refused = 0
        self.registers: dict[Register, int] = {
            Register.SAMPLE_TICKS: 0,
            Register.PERIOD_TICKS: image.step_ticks,
            Register.DEPTH: image.depth,
            Register.OVERLAPPED: 0,
        }
        self.reset()

    def reset(self) -> None:
        """Initial state, empty slots, tick 0 is next, no pixels. Counters and registers stay."""
        self.next = 0
        self._encoded = iter(())
        self._position = 0
        self._pending = np.zeros(self._slots, dtype=bool)
        self._payload = np.zeros(self._slots, dtype=np.int64)
        self._state = {name: values.copy() for name, values in self._initial.items()}
        self._fresh = np.ones(self._groups[0], dtype=bool)
        self._rest = np.zeros(self._groups[0], dtype=bool)

    def state(self, core: int) -> dict[str, np.ndarray]:
        """What the state registers of a core's neurons hold, (groups * lanes,); the initial state of fresh groups."""
        groups = self._of_core(core)
        return {name: values[groups].ravel().copy() for name, values in self._state.items()}

    def fresh(self, core: int) -> np.ndarray:
        """(groups,) bool: the group still has its initial state."""
        return self._fresh[self._of_core(core)].copy()

    def counters(self, core: int) -> dict[Status, int]:
        """The activity counters of a core, modulo 2**counter_bits."""
        mask = (1 << self.config.core.counter_bits) - 1
        return {status: int(self._counters[status, core]) & mask for status in COUNTERS}

    def _of_core(self, core: int) -> slice:
        groups = self.config.core.groups
        return slice(core * groups, (core + 1) * groups)

    # The host

    def events(self, tick: int, rectangle: Sequence, axon, payload=1) -> None:
        """Events for ``tick`` (modulo 2**16) to ``axon`` of every core of ``rectangle`` (x0, x1, y0, y1).

        ``axon`` and ``payload`` are integers or arrays (n,), ``rectangle`` one of four integers or an array (n, 4). The
        events are refused and counted unless ``tick`` is within next..next + D - 2.

        Raises InputError for a rectangle outside the mesh, or an axon or payload that does not exist.
        """
        core = self.config.core
        axon, payload = np.broadcast_arrays(np.atleast_1d(axon), payload)
        rectangles = np.broadcast_to(rectangle, (len(axon), 4))
        least, most = core.payload_range
        _check_extremes("axon", axon, 0, core.axons - 1)
        _check_extremes("payload", payload, least if core.payload_bits else 1, most)
        if (tick - self.next) % (1 << TICK_BITS) > core.delay_slots - 2:
            self.refused += len(axon)
            return
        keys = rectangles @ (1 << np.array([0, 15, 30, 45]))  # one number for each rectangle
        for key in np.unique(keys):
            chosen = keys == key
            corners = tuple(rectangles[chosen][0].tolist())
            self.count_flits(corners, int(chosen.sum()))
            targets, _ = self._host_path(corners)
            addresses = targets[:, None] * core.axons + axon[chosen]
            payloads = np.broadcast_to(payload[chosen], addresses.shape)
            self._deliver(np.full(addresses.size, tick % core.delay_slots), addresses.ravel(), payloads.ravel())

    def pixels(self, values: np.ndarray) -> None:
        """A sample's pixels (n,): from the next step on the encoder makes their events, for its T steps.

        Raises InputError for a fabric without an encoder, and for other pixels than it takes.
        """
        if self.config.encoder is None:
            raise InputError("there are pixels and the fabric has no encoder")
        self._encoded = iter(Coder(self.config.encoder).events(np.asarray(values)[None])[0])

    def lines(self, name: str, payloads: np.ndarray) -> None:
        """The events of one step, one payload for each line of an input (n,), for the next tick and the delays of
        the image; 0 is none."""
        index, *rectangle, axon, delay = self.image.inputs[name].T
        chosen = np.flatnonzero(payloads[index])
        for wait in np.unique(delay[chosen]):
            now = chosen[delay[chosen] == wait]
            corners = np.stack(rectangle, axis=1)[now]
            self.events(int(self.next + wait), corners, axon[now], payloads[index[now]].astype(np.int64))

    def count_flits(self, rectangle: Sequence[int], flits: int, replies: int = 0) -> None:
        """Count the hops of ``flits`` that the host sends to a rectangle, and of ``replies`` from each core of it."""
        targets, hops = self._host_path(tuple(rectangle))
        self._counters[Status.HOPS] += flits * hops
        if replies:
            width = self.config.width
            back = [node for t in targets.tolist() for node in routing.sends_to_host((t % width, t // width))]
            self._counters[Status.HOPS] += replies * self._per_node(node_numbers(back, width))

    def _find_host_path(self, rectangle: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Target cores of a rectangle, and the flits that each node sends for one packet from the host."""
        check_rectangle(rectangle, self.config)
        targets = np.array(node_numbers(routing.cores(rectangle), self.config.width))
        return targets, self._per_node(node_numbers(routing.sends_to_cores(HOST_ENTRY, rectangle), self.config.width))

    def advance(self, ticks: int = 1) -> list[Tick]:
        """Run ``ticks`` ticks."""
        return [self.tick() for _ in range(ticks)]

    def end_sample(self) -> list[Tick]:
        """Drain DEPTH ticks, then reset."""
        ticks = self.advance(self.registers[Register.DEPTH])
        self.reset()
        return ticks

    # A tick

    def timebase(self) -> Timebase:
        """The timebase of the next tick."""
        position, largest = self._position, (1 << self.config.depth_bits) - 1
        length, overlapped = self.registers[Register.SAMPLE_TICKS], bool(self.registers[Register.OVERLAPPED])
        ended = not overlapped and 0 < length <= position
        return Timebase(
            slot=self.next % self.config.core.delay_slots,
            phase=self.next % self.registers[Register.PERIOD_TICKS],
            opening=min(position, largest),
            closing=min(position - length, largest) if ended else 0,
            ended=ended,
            restart=overlapped and position <= self.registers[Register.DEPTH],
        )

    def tick(self) -> Tick:
        """Run one tick: integrate, update, emit."""
        base, number = self.timebase(), self.next
        if base.phase == 0 and (encoded := next(self._encoded, None)) is not None:
            (name,) = self.image.inputs
            self.lines(name, encoded)
        axons = np.flatnonzero(self._pending[base.slot])
        self._pending[base.slot] = False
        sums, touched = self._integrate(axons, self._payload[base.slot, axons])
        visited = np.flatnonzero(touched | ~self._rest | base.restart)
        fired, carried = self._update(base, visited, sums)
        self.next += 1
        self._position += 1
        if self.registers[Register.OVERLAPPED] and self._position == self.registers[Register.SAMPLE_TICKS]:
            self._position = 0
        spikes, values = self._emit(base.slot, fired, carried)
        return Tick(number % (1 << TICK_BITS), spikes, values, self.tables, axons, visited, fired)

    def _per_node(self, nodes, weights=None) -> np.ndarray:
        return np.bincount(nodes, weights, minlength=self.config.nodes).astype(np.int64)

    def _integrate(self, axons: np.ndarray, payloads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Input sums (C * G, P) and touched groups (C * G,) from the events of a slot."""
        store = self.tables.store
        factors = payloads if self.config.core.payload_bits else None
        if not self.tables.proved:
            self._check_sums(axons, factors)
        work = store.work(axons)
        self._counters[Status.EVENTS] += self._per_node(self.tables.axon_core[axons])
        self._counters[Status.ROWS] += work.rows
        self._counters[Status.INTEGRATE_CYCLES] += work.cycles
        return store.sums(axons, factors), work.touched

    def _check_sums(self, axons: np.ndarray, factors: np.ndarray | None) -> None:
        core = self.config.core
        limit = 1 << (core.accumulator_bits - 1)
        high = self.tables.store.sums(axons, factors, lambda products: np.maximum(products, 0))
        low = self.tables.store.sums(axons, factors, lambda products: np.minimum(products, 0))
        bad = np.argwhere(((high >= limit) | (low < -limit)) & self.tables.real)
        if len(bad):
            group, lane = bad[0]
            node, neuron = divmod(group * core.lanes + lane, core.groups * core.lanes)
            raise InputError(
                f"tick {self.next}, core {node}, neuron {neuron}: products add up to {low[group, lane]} and"
                f" {high[group, lane]}, which {core.accumulator_bits} accumulator bits do not hold"
            )

    def _update(self, base: Timebase, visited: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Update the visited groups; the neurons that emit, ascending, and what each carries (1: it spikes)."""
        core, tables = self.config.core, self.tables
        start = (base.opening == tables.depth) & (base.restart | self._fresh)
        working = tables.used & (start | ~self._fresh) & (base.phase == tables.phase)
        if base.ended:
            working &= tables.depth > base.closing
        working = visited[working[visited]]
        self._rest[visited] |= ~tables.used[visited]
        self._counters[Status.UPDATE_CYCLES] += self._per_node(visited // core.groups) * core.subgroups
        self._counters[Status.UPDATES] += self._per_node(working // core.groups)
        if not len(working):
            return working, working

        before = {name: values[working] for name, values in self._state.items()}
        starting = working[start[working]]
        if len(starting):
            for name, values in before.items():
                values[start[working]] = self._initial[name][starting]
        parameters = {
            name: values[working] if isinstance(values, np.ndarray) else values
            for name, values in tables.working_parameters.items()
        }
        current = sums[working]
        after, spike = self._model.step(before, parameters, current, core.neuron.widths)
        relays = tables.relays[working][:, None]
        if relays.any():
            after = {name: np.where(relays, before[name], values) for name, values in after.items()}
        moved = current != 0
        for name, values in after.items():
            moved |= values != before[name]
            self._state[name][working] = values
        real, delivers = tables.real[working], tables.delivers[working][:, None]
        carried = np.where(relays, current, after.get("v", 0))
        emits = real & np.where(delivers, (carried != 0) | ~tables.graded[working][:, None], spike)
        self._fresh[working] = False
        self._rest[working] = ~((moved & real) | emits).any(axis=1)
        self._counters[Status.SPIKES] += self._per_node(working // core.groups, (emits & ~delivers).sum(axis=1))
        row, lane = np.nonzero(emits)
        return working[row] * core.lanes + lane, np.where(delivers, carried, 1)[row, lane]

    def _emit(self, slot: int, fired: np.ndarray, carried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Send the packets of the neurons that emit; the host's spikes and values."""
        core, tables = self.config.core, self.tables
        routes, owner = tables.neuron_routes.take(fired)
        if not len(routes):
            return np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64)
        paths = tables.route_path[routes]
        self._counters[Status.PACKETS] += self._per_node(fired[owner] // (core.groups * core.lanes))
        self._counters[Status.HOPS] += self._per_node(tables.path_hops.take(paths)[0])

        targets, packet = tables.path_targets.take(paths)
        sent = routes[packet]
        slots = (slot + tables.route_delay[sent]) % core.delay_slots
        payloads = carried[owner[packet]] if core.graded else np.ones(len(sent), dtype=np.int64)
        _check_extremes("payload", payloads, *core.payload_range)
        self._deliver(slots, targets * core.axons + tables.route_axon[sent], payloads)

        to_host = tables.route_host[routes]
        lines, sender = tables.route_line[routes[to_host]], owner[to_host]
        is_value = tables.delivers[fired[sender] // core.lanes]
        delivered = np.column_stack([lines[is_value], carried[sender[is_value]]])
        return np.sort(lines[~is_value]), delivered[np.argsort(delivered[:, 0], kind="stable")]

    def _deliver(self, slots: np.ndarray, addresses: np.ndarray, payloads) -> None:
        """Put events into slots. One that finds its axon taken is a collision: the first payload stays."""
        if not len(addresses):
            return
        places, first = np.unique(slots * self._slots[1] + addresses, return_index=True)
        free = ~self._pending.ravel()[places]
        places, first = places[free], first[free]
        self._pending.ravel()[places] = True
        self._payload.ravel()[places] = np.broadcast_to(payloads, addresses.shape)[first]
        if len(places) < len(addresses):
            axons = self.config.core.axons
            self._counters[Status.COLLISIONS] += self._per_node(addresses // axons)
            self._counters[Status.COLLISIONS] -= self._per_node(places % self._slots[1] // axons)
