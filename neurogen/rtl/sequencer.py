"""The axon sequencer: heads of the banks become passes, passes become synapse rows."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import rows
from ..spec.config import FabricConfig
from ..spec.fixed import index_bits
from ..spec.memory_map import Shape
from .bits import lowest, select
from .layout import struct
from .memory_port import MemoryPort
from .streams import Lookup, Queue, Stalls
from .synapses import step_layout


class Sequencer(wiring.Component):
    """Joins the heads of all banks into passes and walks each pass over its groups.

    A pass takes the smallest range among the heads that wait; every bank whose head has that range gives that one
    event. The pass walks the groups first..last of the range, one per clock: bank k reads row
    ``base_k + (group - first)``.

    The first step comes ``latency_cycles`` after the first head was taken. While heads keep up, passes follow each
    other without a bubble, so n passes over g groups take n * g clocks. Heads are taken ahead, up to three per bank.

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
        :func:`~neurogen.rtl.synapses.step_layout`; nothing can hold it up.
    busy : Out(1)
        An event or a pass is inside.
    event_count : Out(range(K + 1))
        Events taken by the pass that began a clock ago.
    row_count : Out(range(K + 1))
        Rows that the step of a clock ago reads.
    axons_port, walks_port : In(MemoryPort)
    """

    latency_cycles = 3

    def __init__(self, config: FabricConfig, axons_init=None, walks_init=None, stalls: Stalls | None = None):
        self.config = config
        core = config.core
        self.axons_init = axons_init or [[]] * core.banks
        self.walks_init = walks_init or [0] * core.ranges
        self.stalls = stalls or Stalls()
        self.axon_layout = struct(rows.axon(config))
        self.range_layout = struct(rows.walk(config))
        self.waiting_layout = data.StructLayout(
            {"base": index_bits(core.rows), "range": core.ranges, "payload": core.payload_bits}
        )
        head = data.StructLayout({"axon": index_bits(core.bank_axons), "payload": core.payload_bits})
        axons = Shape(core.banks, core.bank_axons, self.axon_layout.size)
        super().__init__(
            {
                "heads": In(stream.Signature(head)).array(core.banks),
                "step": Out(step_layout(core)),
                "busy": Out(1),
                "event_count": Out(range(core.banks + 1)),
                "row_count": Out(range(core.banks + 1)),
                "axons_port": In(MemoryPort(axons)),
                "walks_port": In(MemoryPort(Shape(1, core.ranges, self.range_layout.size))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        core, step = self.config.core, self.step
        waiting = self._look_up(m)
        ranges = self._range_table(m)
        chosen, joins = self._choose(m, waiting)
        walks, last = Signal(), Signal(core.group_bits)  # walks: groups of the pass are left after this clock's
        begins = joins.any() & ~walks

        with m.If(walks):
            m.d.sync += [step.group.eq(step.group + 1), walks.eq(step.group + 1 != last)]
            m.d.sync += [bank.row.eq(bank.row + 1) for bank in step.banks]
        with m.Else():
            m.d.sync += [
                step.valid.eq(begins),
                step.group.eq(select(chosen, [item.first for item in ranges])),
                last.eq(select(chosen, [item.last for item in ranges])),
                walks.eq(begins & select(chosen, [item.walks for item in ranges])),
            ]
            for bank, head, join in zip(step.banks, waiting, joins, strict=True):
                m.d.sync += [bank.enable.eq(join), bank.row.eq(head.p.base), bank.payload.eq(head.p.payload)]
        for head, join in zip(waiting, joins, strict=True):
            m.d.comb += head.ready.eq(join & ~walks)
        self._count(m, begins)
        return m

    def _look_up(self, m) -> list:
        """The axon rows of the heads that wait for a pass: a stream per bank, cut off from the memory by a queue."""
        core, port = self.config.core, self.axons_port
        bank_read = Signal.like(port.bank)
        with m.If(port.read):
            m.d.sync += bank_read.eq(port.bank)
        waiting, is_inside = [], [self.step.valid]
        for bank, head in enumerate(self.heads):
            m.submodules[f"axons_{bank}"] = axons = Lookup(
                row=self.axon_layout,
                rows=core.bank_axons,
                tag=core.payload_bits,
                init=self.axons_init[bank],
                writable=core.writable,
            )
            m.submodules[f"waiting_{bank}"] = queue = Queue(shape=self.waiting_layout)
            found = self.stalls.gate(m, f"axons_{bank}", axons.o)
            m.d.comb += [
                axons.i.p.address.eq(head.p.axon),
                axons.i.p.tag.eq(head.p.payload),
                axons.i.valid.eq(head.valid),
                head.ready.eq(axons.i.ready),
                queue.i.p.base.eq(found.p.row.base),
                queue.i.p.range.eq(Cat(found.p.row.range == r for r in range(core.ranges))),
                queue.i.p.payload.eq(found.p.tag),
                queue.i.valid.eq(found.valid),
                found.ready.eq(queue.i.ready),
                axons.port.row.eq(port.row),
                axons.port.write_data.eq(port.write_data),
                axons.port.write.eq(port.write & (port.bank == bank)),
                axons.port.read.eq(port.read & (port.bank == bank)),
            ]
            with m.If(bank_read == bank):
                m.d.comb += port.read_data.eq(axons.port.read_data)
            waiting.append(queue.o)
            is_inside += [axons.busy, queue.o.valid]
        m.d.comb += self.busy.eq(Cat(is_inside).any())
        return waiting

    def _range_table(self, m) -> list[data.View]:
        """The range table in registers; ``walks``, a clock behind them: the range has more than one group."""
        port, table = self.walks_port, []
        layout = data.StructLayout({**self.range_layout.members, "walks": 1})
        for number, packed in enumerate(self.walks_init):
            init = self.range_layout.from_bits(packed)
            item = Signal(layout, init={"first": init.first, "last": init.last, "walks": init.first != init.last})
            if self.config.core.writable:
                m.d.sync += item.walks.eq(item.first != item.last)
                with m.If(port.write & (port.row == number)):
                    m.d.sync += item.as_value()[: self.range_layout.size].eq(port.write_data)
            with m.If(port.read & (port.row == number)):
                m.d.sync += port.read_data.eq(item.as_value())
            table.append(item)
        return table

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
