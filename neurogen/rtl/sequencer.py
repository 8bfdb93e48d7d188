"""The axon sequencer of dense cores: heads of the banks become passes, passes become synapse rows."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import memory_map, rows
from ..spec.config import FabricConfig
from ..spec.fixed import index_bits
from ..spec.memory_map import Region
from .bits import lowest, select
from .layout import struct
from .memory_port import MemoryPort, owner_port
from .streams import Queue, Stalls
from .synapses import head_layout, payload_shape
from .synapses.tables import AxonTable, WalkTable


def step_layout(core) -> data.StructLayout:
    """What is asked of the synapse rows in one clock: a row of every enabled bank, all for one group."""
    bank = data.StructLayout({"enable": 1, "row": index_bits(core.rows), "payload": payload_shape(core)})
    return data.StructLayout({"valid": 1, "group": core.group_bits, "banks": data.ArrayLayout(bank, core.banks)})


class Sequencer(wiring.Component):
    """Joins the heads of all banks into passes and walks each pass over its groups.

    A pass takes the smallest range among the heads that wait; every bank whose head has that range gives that one
    event. The pass walks the groups first..last of the range, one per clock: bank k reads row
    ``base_k + (group - first)``.

    The first step comes ``latency_cycles`` after the first head was taken. While heads keep up, passes follow each
    other without a bubble, so n passes over g groups take n * g clocks. But where the accumulators are in block RAM, a
    pass that begins with the group that the one before ended with waits for a clock. Heads are taken ahead, up to three
    per bank, four with memory registers.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    axons_init : list of list of int, optional
        Axon rows of every bank at power-up.
    walks_init : list of int, optional
        Rows of the range table at power-up.
    stalls : :class:`~neurogen.rtl.streams.Stalls`, optional
        Gates on the internal streams.

    Members
    -------
    heads : In(stream of axon, payload), K
    step : Out
        :func:`step_layout`; nothing can hold it up.
    walking : Out(1)
        A pass takes this clock: it has a step, or waits for the group's row.
    busy : Out(1)
        An event or a pass is inside.
    event_count : Out(range(K + 1))
        Events taken by the pass that began a clock ago.
    row_count : Out(range(K + 1))
        Rows that the step of a clock ago reads.
    axons_port, walks_port : In(MemoryPort)
        Where there are such rows: none of axons in a full store, none of walks either, nor if there is one group only.
    """

    def __init__(self, config: FabricConfig, axons_init=None, walks_init=None, stalls: Stalls | None = None):
        self.config = config
        core, shapes = config.core, memory_map.shapes(config)
        self.walks_init = walks_init or [0] * core.walks
        self._axons = AxonTable(config, axons_init, stalls) if Region.AXONS in shapes else None
        self.latency_cycles = 3 + core.memory_registers if self._axons else 2
        self._ranges = WalkTable(config, walks_init) if Region.WALKS in shapes else None
        self.waiting_layout = data.StructLayout(
            {"base": index_bits(core.rows), "range": core.walks, "payload": payload_shape(core)}
        )
        super().__init__(
            {
                "heads": In(stream.Signature(head_layout(core))).array(core.banks),
                "step": Out(step_layout(core)),
                "walking": Out(1),
                "busy": Out(1),
                "event_count": Out(range(core.banks + 1)),
                "row_count": Out(range(core.banks + 1)),
            }
            | {owner_port(r): In(MemoryPort(shapes[r])) for r in (Region.AXONS, Region.WALKS) if r in shapes}
        )

    def elaborate(self, platform):
        m = Module()
        core, step = self.config.core, self.step
        waiting = self._look_up(m)
        ranges, is_long = self._range_table(m)
        chosen, joins = self._choose(m, waiting)
        walks, last = Signal(), Signal(core.group_bits)  # walks: groups of the pass are left after this clock's
        first, waits = Signal.like(step.group), Signal()
        m.d.comb += first.eq(select(chosen, [item.first for item in ranges]))
        repeats = step.valid & (step.group == first) if core.accumulators == "block" else C(0)
        begins = joins.any() & ~walks & ~repeats
        m.d.comb += self.walking.eq(step.valid | waits)
        m.d.sync += waits.eq(joins.any() & ~walks & repeats)

        with m.If(walks):
            m.d.sync += [step.group.eq(step.group + 1), walks.eq(step.group + 1 != last)]
            m.d.sync += [bank.row.eq(bank.row + 1) for bank in step.banks]
        with m.Else():
            m.d.sync += [
                step.valid.eq(begins),
                step.group.eq(first),
                last.eq(select(chosen, [item.last for item in ranges])),
                walks.eq(begins & select(chosen, is_long)),
            ]
            for bank, head, join in zip(step.banks, waiting, joins, strict=True):
                m.d.sync += [bank.enable.eq(join), bank.row.eq(head.p.base), bank.payload.eq(head.p.payload)]
        for head, join in zip(waiting, joins, strict=True):
            m.d.comb += head.ready.eq(join & ~walks & ~repeats)
        self._count(m, begins)
        return m

    def _look_up(self, m) -> list:
        """First rows and ranges of the heads that wait for a pass: a stream per bank, behind a queue."""
        core, found = self.config.core, self.heads
        waiting, is_inside = [], [self.step.valid]
        if self._axons:
            m.submodules.axons = axons = self._axons
            connect(m, flipped(self.axons_port), axons.port)
            for bank, head in enumerate(self.heads):
                connect(m, flipped(head), axons.heads[bank])
            found, is_inside = axons.found, [*is_inside, axons.busy]
        for bank, item in enumerate(found):
            m.submodules[f"waiting_{bank}"] = queue = Queue(shape=self.waiting_layout)
            if self._axons:
                base, ranges = item.p.row.base, Cat(item.p.row.range == r for r in range(core.walks))
            else:
                base, ranges = item.p.axon * core.groups, C(1)
            m.d.comb += [
                queue.i.p.base.eq(base),
                queue.i.p.range.eq(ranges),
                queue.i.p.payload.eq(item.p.payload),
                queue.i.valid.eq(item.valid),
                item.ready.eq(queue.i.ready),
            ]
            waiting.append(queue.o)
            is_inside.append(queue.o.valid)
        m.d.comb += self.busy.eq(Cat(is_inside).any())
        return waiting

    def _range_table(self, m) -> tuple[list, list]:
        """The ranges, and a clock behind them whether each has more than one group."""
        core = self.config.core
        if self._ranges is None:
            everything = data.StructLayout({"first": core.group_bits, "last": core.group_bits})
            return [everything.const({"last": core.groups - 1})] * core.walks, [C(core.groups > 1)] * core.walks
        layout = struct(rows.walk(self.config))
        m.submodules.ranges = self._ranges
        connect(m, flipped(self.walks_port), self._ranges.port)
        is_long = []
        for packed, item in zip(self.walks_init, self._ranges.rows, strict=True):
            init = layout.from_bits(packed)
            flag = Signal(init=init.first != init.last)
            m.d.sync += flag.eq(item.first != item.last)
            is_long.append(flag)
        return list(self._ranges.rows), is_long

    def _choose(self, m, waiting) -> tuple[Value, Value]:
        """The smallest range among the heads, one-hot, and the banks whose head has it."""
        wanted = [head.p.range & head.valid.replicate(len(head.p.range)) for head in waiting]
        chosen, joins = Signal(len(wanted[0])), Signal(len(wanted))
        if len(chosen) == 1:
            m.d.comb += [chosen.eq(1), joins.eq(Cat(wanted))]
        else:
            present = Signal.like(chosen)
            m.d.comb += [
                present.eq(reduce(or_, wanted)),
                chosen.eq(lowest(present)),
                joins.eq(Cat((chosen & own).any() for own in wanted)),
            ]
        return chosen, joins

    def _count(self, m, begins):
        """Counts of the step, a clock late: the counters need not see the step's timing."""
        rows, is_first = Signal.like(self.row_count), Signal()
        with m.If(self.step.valid):
            m.d.comb += rows.eq(sum(bank.enable for bank in self.step.banks))
        m.d.sync += [is_first.eq(begins), self.row_count.eq(rows), self.event_count.eq(Mux(is_first, rows, 0))]
