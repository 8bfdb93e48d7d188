"""The update unit: visits the groups that have something to do and runs their neurons through U neuron models.

Steps of the pipeline, a register after each; all of it holds still while a vector waits to be taken::

    take     the next subgroup; address of the sums, then, as they come, those of the other memories
    fetch    what the memories deliver into registers (no logic behind a block RAM)
    decide   does the group work, does it start; initial or stored state
    neuron   U models side by side, `latency_cycles` of them
    store    state row, fresh, rest; the vector of spikes
"""

from typing import NamedTuple

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import memory_map, rows, words
from ..spec.config import FabricConfig
from ..spec.fields import Layout
from ..spec.fixed import index_bits
from ..spec.memory_map import Region
from . import neurons
from .bits import encode, lowest
from .encoder import vector_layout
from .image_memory import NO_CHECK, image_memory
from .layout import struct, view
from .memory_port import MemoryPort, owner_port
from .neurons.pipeline import Pipeline
from .streams import Stalls


class Visits(wiring.Component):
    """The subgroups to visit: lowest group first, one per clock, without a bubble between groups.

    The first subgroup comes 2 clocks after ``start``.

    Members
    -------
    start : In(1)
        Take ``wanted`` as the set of groups.
    next : In(1)
        The current subgroup is taken in this clock.
    valid, group, subgroup, is_last : Out
        The current subgroup, and whether it is the last of its group.
    busy : Out(1)
        Subgroups remain.
    """

    def __init__(self, *, groups: int, subgroups: int):
        self.subgroups = subgroups
        super().__init__(
            {
                "start": In(1),
                "wanted": In(groups),
                "next": In(1),
                "valid": Out(1),
                "group": Out(index_bits(groups)),
                "subgroup": Out(index_bits(subgroups)),
                "is_last": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        pending, chosen, runs = Signal.like(self.wanted), Signal.like(self.wanted), Signal()
        m.d.comb += [
            chosen.eq(lowest(pending)),
            self.is_last.eq(self.subgroup == self.subgroups - 1),
            self.busy.eq(runs & (self.valid | pending.any())),
        ]
        m.d.sync += runs.eq(self.start | self.busy)
        with m.If(~self.busy):
            m.d.sync += pending.eq(self.wanted)  # in every clock, for ``start`` comes late in its clock
        with m.Elif(~self.valid | (self.next & self.is_last)):
            m.d.sync += [
                self.valid.eq(pending.any()),
                self.group.eq(encode(chosen)),
                self.subgroup.eq(0),
                pending.eq(pending & ~chosen),
            ]
        with m.Elif(self.next):
            m.d.sync += self.subgroup.eq(self.subgroup + 1)
        return m


class Outcome(NamedTuple):
    """One neuron's update: the ``state`` to keep, whether it emits, and the ``value`` that it may carry."""

    state: Value
    fires: Value
    value: Value


class UpdateUnit(wiring.Component):
    """Updates the neurons of every group that was touched, is not at rest, or may start.

    Throughput one subgroup of U neurons per clock, without bubbles: with n subgroups to visit and no backpressure,
    ``busy`` is high from the clock after ``start`` for ``n + 1 + latency_cycles`` clocks, one less if the last subgroup
    has no vector, none if n = 0.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    groups_init, neurons_init : list of int, optional
        Rows of the group table and of the per-neuron parameters at power-up.
    stalls : :class:`Stalls`
        A gate before ``vectors``.
    read_cycles : int
        Moves from ``read`` to ``read_data``, >= 1.

    Members
    -------
    start : In(1)
        Begin; ``touched`` and ``timebase`` are valid, and ``timebase`` stays.
    timebase : In
        :func:`neurogen.spec.words.timebase`.
    reset : In(1)
        Every group has its initial state again. Only while not ``busy``.
    touched : In(groups)
        Groups with a sum. 0 arrives as ``read_data`` for the others.
    read, read_group, read_subgroup, read_data : Out, Out, Out, In
        The accumulators' sums.
    advance : Out
        The pipeline moves on by one step; what was read moves with it. Always with ``read``.
    release : Out
        The last subgroup of the group is read in this clock.
    vectors : Out(stream of :func:`~neurogen.rtl.encoder.vector_layout`)
        At least one bit of ``spikes`` is set: who fired, everyone in a ``value`` group, whose payload is not 0 in a
        ``graded`` one.
    fresh : Out(groups)
        Groups that still have their initial state.
    busy : Out(1)
    update_count, cycle_count : Out(1)
        A working group was updated; a subgroup was taken in this clock.
    groups_port, neurons_port, state_port : In(MemoryPort)
        ``neurons_port`` only where there are per-neuron parameters.
    """

    def __init__(
        self,
        config: FabricConfig,
        groups_init=None,
        neurons_init=None,
        stalls: Stalls | None = None,
        read_cycles: int = 1,
    ):
        self.config = config
        self.groups_init = groups_init or []
        self.neurons_init = neurons_init or []
        self.read_cycles = read_cycles
        self.stalls = stalls or Stalls()
        core, self._shapes = config.core, memory_map.shapes(config)
        inits = {Region.GROUPS: groups_init, Region.NEURONS: neurons_init, Region.STATE: None}
        self._inits = {region: init or [] for region, init in inits.items() if region in self._shapes}
        neuron = neurons.model(core.neuron.model).Neuron
        self._lanes = [neuron(core.neuron, core.accumulator_bits) for _ in range(core.update_lanes)]
        super().__init__(
            {
                "start": In(1),
                "timebase": In(struct(words.timebase(config))),
                "reset": In(1),
                "touched": In(core.groups),
                "read": Out(1),
                "read_group": Out(core.group_bits),
                "read_subgroup": Out(index_bits(core.subgroups)),
                "read_data": In(data.ArrayLayout(signed(core.accumulator_bits), core.update_lanes)),
                "advance": Out(1),
                "release": Out(1),
                "vectors": Out(stream.Signature(vector_layout(core))),
                "fresh": Out(core.groups, init=(1 << core.groups) - 1),
                "busy": Out(1),
                "update_count": Out(1),
                "cycle_count": Out(1),
                **{owner_port(region): In(MemoryPort(self._shapes[region])) for region in self._inits},
            }
        )

    @property
    def latency_cycles(self) -> int:
        """Clocks from a subgroup being taken to its vector being offered."""
        return 3 + self.read_cycles + self._lanes[0].latency_cycles

    def elaborate(self, platform):
        m = Module()
        core = self.config.core
        offered = stream.Signature(vector_layout(core)).create()
        connect(m, self.stalls.gate(m, "vectors", offered), flipped(self.vectors))
        enable, rest = Signal(), Signal(core.groups)
        m.submodules.visits = visits = Visits(groups=core.groups, subgroups=core.subgroups)
        m.d.comb += [
            enable.eq(~offered.valid | offered.ready),
            self.advance.eq(enable),
            visits.start.eq(self.start),
            visits.wanted.eq(self.touched | ~rest | self.timebase.restart.replicate(core.groups)),
            visits.next.eq(enable),
        ]
        current = {name: getattr(visits, name) for name in ("valid", "group", "subgroup", "is_last")}
        t = Pipeline(m, enable, resets=("valid",), **current)
        self._read_sums(m, t, t.valid & enable)
        for _ in range(self.read_cycles - 1):
            t.step()
        stored, taken = self._store_port(), t.valid & enable
        outputs = {region: self._table(m, region, t, taken, stored) for region in self._inits}
        t.step()
        self._fetch(m, t, outputs)
        t.step()
        self._decide(m, t)
        t.step()
        self._compute(m, t, enable)
        outcomes = [self._outcome(t, lane, neuron) for lane, neuron in enumerate(self._lanes)]
        self._store(m, t, enable, stored, outcomes)
        self._settle(m, t, enable, rest, outcomes)
        self._offer(m, t, enable, offered, outcomes)
        m.d.comb += self.busy.eq(visits.busy | t.history("valid").any() | offered.valid)
        return m

    def _read_sums(self, m, t, taken):
        m.d.comb += [
            self.cycle_count.eq(taken),
            self.read.eq(taken),
            self.read_group.eq(t.group),
            self.read_subgroup.eq(t.subgroup),
            self.release.eq(taken & t.is_last),
        ]

    def _store_port(self) -> data.View:
        """What the store step writes into the state memory."""
        shape = self._shapes[Region.STATE]
        return Signal(data.StructLayout({"enable": 1, "row": index_bits(shape.rows), "data": shape.width}))

    def _table(self, m, region: Region, t, taken, stored) -> Value:
        """The rows of one region. The configuration unit has the memory's ports between ticks."""
        shape, port = self._shapes[region], getattr(self, owner_port(region))
        m.submodules[region.name.lower()] = memory = self._memory(region, shape)
        read, row = memory.read_port(), t.group if region is Region.GROUPS else Cat(t.subgroup, t.group)
        m.d.comb += [
            read.addr.eq(Mux(port.read, port.row, row)),
            read.en.eq((taken | port.read) & ~port.write),
        ]
        is_state, writable = region is Region.STATE, self.config.core.writable
        if is_state or writable:
            write, configured = memory.write_port(), port.write & writable
            own = stored if is_state else stored.shape().const({})
            m.d.comb += [
                write.en.eq(configured | own.enable),
                write.addr.eq(Mux(configured, port.row, own.row)),
                write.data.eq(Mux(configured, port.write_data, own.data)),
            ]
        return read.data

    def _memory(self, region: Region, shape: memory_map.Shape) -> Memory:
        if region is Region.STATE:
            return Memory(shape=shape.width, depth=shape.rows, init=[], attrs=NO_CHECK)  # a row is visited once
        return image_memory(self.config.core, width=shape.width, rows=shape.rows, init=self._inits[region])

    def _fetch(self, m, t, outputs):
        """What the memories deliver; it holds while the pipeline does."""
        t.let(sums=self.read_data.as_value(), is_fresh=self.fresh.bit_select(t.group, 1))
        t.let(**{_row(region): output for region, output in outputs.items()})

    def _decide(self, m, t):
        """Whether the group works and starts in this tick, and the state that every lane continues from."""
        core, now, group = self.config.core, self.timebase, view(rows.group(self.config), t.groups_row)
        for region in self._inits:
            m.d.comb += getattr(self, owner_port(region)).read_data.eq(getattr(t, _row(region)))
        starts = (now.opening == group.depth) & (now.restart | t.is_fresh)
        closed = now.ended & (group.depth <= now.closing)
        is_used = group.size != 0
        works = is_used & (starts | ~t.is_fresh) & ~closed & (now.phase == group.phase)
        t.let(used=is_used, works=works, starts=starts, delivers=group.value != 0)
        t.let(graded=group.graded != 0, relays=(group.graded != 0) & (group.value == 0))
        for lane in range(core.update_lanes):
            parameters = core.neuron.constants | self._parameters(t, lane)
            stored = _view(core.neuron.state_layout, t.state_row, lane)
            state = Signal(struct(core.neuron.state_layout), name=f"state_{lane}")
            for name in core.neuron.widths:
                m.d.comb += state[name].eq(Mux(t.starts, parameters.get(f"{name}_init", 0), stored[name]))
            current = t.sums.word_select(lane, core.accumulator_bits)
            number = Cat(C(lane, index_bits(core.update_lanes)), t.subgroup)
            t.let(
                **{
                    f"state_{lane}": state.as_value(),
                    f"current_{lane}": current,
                    f"is_zero_{lane}": current == 0,
                    f"exists_{lane}": number < group.size,
                }
            )

    def _parameters(self, t, lane: int) -> dict[str, Value]:
        """The parameters of one lane's neuron that are not folded into logic."""
        neuron = self.config.core.neuron
        group = view(rows.group(self.config), t.groups_row)
        found = {parameter.name: group[parameter.name] for parameter in neuron.tabled("per_population")}
        if Region.NEURONS in self._inits:
            row = _view(neuron.parameter_layout, t.neurons_row, lane)
            found |= {parameter.name: row[parameter.name] for parameter in neuron.tabled("per_neuron")}
        return found

    def _compute(self, m, t, enable):
        """U neurons, ``next_state`` and ``spike`` in the step after their pipeline."""
        for lane, neuron in enumerate(self._lanes):
            m.submodules[f"neuron_{lane}"] = neuron
            m.d.comb += [
                neuron.enable.eq(enable),
                neuron.state.as_value().eq(getattr(t, f"state_{lane}")),
                neuron.current.eq(getattr(t, f"current_{lane}").as_signed()),
            ]
            m.d.comb += [neuron.parameters[name].eq(value) for name, value in self._parameters(t, lane).items()]
        for _ in range(self._lanes[0].latency_cycles):
            t.step()

    def _outcome(self, t, lane: int, neuron) -> Outcome:
        """What a lane's update comes to. A group that relays keeps its state and carries its sum."""
        core, state = self.config.core, neuron.next_state.as_value()
        value = neuron.next_state.v if core.values else C(0, 0)
        if not core.graded:
            return Outcome(state, neuron.spike | t.delivers, value)
        own, total = getattr(t, f"state_{lane}"), getattr(t, f"current_{lane}").as_signed()
        carries = Mux(t.relays, ~getattr(t, f"is_zero_{lane}"), value.any())
        return Outcome(
            state=Mux(t.relays, own, state),
            fires=Mux(t.graded, carries, neuron.spike | t.delivers),
            value=Mux(t.relays, total, value),
        )

    def _store(self, m, t, enable, stored, outcomes):
        m.d.comb += [
            stored.enable.eq(t.valid & t.works & enable),
            stored.row.eq(Cat(t.subgroup, t.group)),
            stored.data.eq(Cat(outcome.state for outcome in outcomes)),
            self.update_count.eq(stored.enable & t.is_last),
        ]

    def _settle(self, m, t, enable, rest, outcomes):
        """``fresh`` and ``rest`` of a group, a clock after its last subgroup is done."""
        quiet, is_first, group = Signal(len(outcomes)), Signal(), Signal.like(t.group)
        steps, ends, works, used, so_far = (Signal() for _ in range(5))
        lanes = [
            ~getattr(t, f"exists_{lane}")
            | (getattr(t, f"is_zero_{lane}") & (outcome.state == getattr(t, f"state_{lane}")) & ~outcome.fires)
            for lane, outcome in enumerate(outcomes)
        ]
        m.d.sync += [steps.eq(t.valid & enable), ends.eq(t.valid & enable & t.is_last)]
        m.d.sync += [quiet.eq(Cat(lanes)), is_first.eq(t.subgroup == 0)]
        m.d.sync += [group.eq(t.group), works.eq(t.works), used.eq(t.used)]
        is_quiet = quiet.all() & (so_far | is_first)
        with m.If(steps):
            m.d.sync += so_far.eq(is_quiet)
        with m.If(ends & (works | ~used)):
            m.d.sync += rest.bit_select(group, 1).eq(is_quiet | ~used)
        with m.If(ends & works):
            m.d.sync += self.fresh.bit_select(group, 1).eq(0)
        with m.If(self.reset):
            m.d.sync += [self.fresh.eq(self.fresh.init), rest.eq(0)]

    def _offer(self, m, t, enable, offered, outcomes):
        """The vector register: it takes the next vector as the last one leaves."""
        exists = Cat(getattr(t, f"exists_{lane}") for lane in range(len(self._lanes)))
        spikes = exists & Cat(outcome.fires for outcome in outcomes)
        with m.If(enable):
            m.d.sync += [
                offered.valid.eq(t.valid & t.works & spikes.any()),
                offered.p.group.eq(t.group),
                offered.p.subgroup.eq(t.subgroup),
                offered.p.value_mode.eq(t.delivers | t.graded),
                offered.p.spikes.eq(spikes),
                *(offered.p.values[lane].eq(outcome.value) for lane, outcome in enumerate(outcomes)),
            ]


def _row(region: Region) -> str:
    return f"{region.name.lower()}_row"


def _view(layout: Layout, row: Value, lane: int) -> data.View:
    """The lane's part of a row that holds one record per lane."""
    return view(layout, row.word_select(lane, layout.width))
