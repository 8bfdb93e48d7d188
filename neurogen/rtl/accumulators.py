"""The accumulators: one tick's input sum of every neuron, G rows of P lanes.

A flip-flop per group says whether the group was touched in this tick: its first sum replaces what the row held, so
rows never need clearing.
"""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..spec.config import FabricConfig
from .synapses import sums_layout


class Accumulators(wiring.Component):
    """Adds one row of sums per clock; read by the update unit, U lanes at a time.

    A sum is in its row two clocks after it arrives. ``distributed`` rows are read asynchronously and written at the
    next edge (LUT RAM). ``block`` rows are read synchronously (block RAM); a group that repeats at once is forwarded,
    for a row is never read in the clock in which it is written.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`

    Members
    -------
    sums : In
        :func:`~neurogen.rtl.synapses.sums_layout`. Never together with ``read``, nor while ``busy`` then.
    touched : Out(groups)
        Groups with a sum in this tick.
    read : In(1)
        Fetch ``update_lanes`` sums: lanes ``read_subgroup * U ...`` of group ``read_group``.
    read_data : Out
        The sums, one clock after ``read``, for that clock only; 0 where the group is not touched.
    release : In(1)
        Forget the sums of ``release_group``.
    busy : Out(1)
        A sum is on its way into its row.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        core = config.core
        self.update_lanes = data.ArrayLayout(signed(core.accumulator_bits), core.update_lanes)
        super().__init__(
            {
                "sums": In(sums_layout(core)),
                "touched": Out(core.groups),
                "read": In(1),
                "read_group": In(core.group_bits),
                "read_subgroup": In(range(core.subgroups)),
                "read_data": Out(self.update_lanes),
                "release": In(1),
                "release_group": In(core.group_bits),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        core = self.config.core
        row_bits = core.lanes * core.accumulator_bits
        m.submodules.rows = memory = Memory(shape=row_bits, depth=core.groups, init=[])
        pending, adds = Signal(sums_layout(core)), Signal()
        row, total = Signal(row_bits), Signal(row_bits)
        is_touched = self.touched.bit_select(self.sums.group, 1)
        repeats = pending.valid & (pending.group == self.sums.group)
        m.d.sync += pending.valid.eq(self.sums.valid)
        with m.If(self.sums.valid):
            m.d.sync += [pending.eq(self.sums), adds.eq(is_touched | repeats)]
        m.d.comb += self.busy.eq(self.sums.valid | pending.valid)

        old = data.View(sums_layout(core).members["lanes"], row)
        for lane in range(core.lanes):
            kept = Mux(adds, old[lane], 0)
            m.d.comb += total.word_select(lane, core.accumulator_bits).eq(kept + pending.lanes[lane])
        write = memory.write_port()
        m.d.comb += [write.addr.eq(pending.group), write.data.eq(total), write.en.eq(pending.valid)]
        with m.If(pending.valid):
            m.d.sync += self.touched.bit_select(pending.group, 1).eq(1)
        with m.If(self.release):
            m.d.sync += self.touched.bit_select(self.release_group, 1).eq(0)

        kind = {"distributed": self._read_asynchronously, "block": self._read_synchronously}[core.accumulators]
        kind(m, memory, pending, row, total, repeats)
        return m

    def _read_asynchronously(self, m, memory, pending, row, total, repeats):
        read = memory.read_port(domain="comb")
        m.d.comb += [read.addr.eq(Mux(self.read, self.read_group, pending.group)), row.eq(read.data)]
        subgroup = row.word_select(self.read_subgroup, self.update_lanes.size)
        m.d.sync += self.read_data.as_value().eq(Mux(self._read_is_touched(), subgroup, 0))

    def _read_synchronously(self, m, memory, pending, row, total, repeats):
        read = memory.read_port()
        is_repeated, previous = Signal(), Signal.like(total)
        is_fetched, subgroup = Signal(), Signal.like(self.read_subgroup)
        m.d.comb += [
            read.addr.eq(Mux(self.read, self.read_group, self.sums.group)),
            read.en.eq(self.read | (self.sums.valid & ~repeats)),
            row.eq(Mux(is_repeated, previous, read.data)),
        ]
        m.d.sync += [is_repeated.eq(repeats), is_fetched.eq(self._read_is_touched()), subgroup.eq(self.read_subgroup)]
        with m.If(pending.valid):
            m.d.sync += previous.eq(total)
        lanes = read.data.word_select(subgroup, self.update_lanes.size)
        m.d.comb += self.read_data.as_value().eq(Mux(is_fetched, lanes, 0))

    def _read_is_touched(self):
        return self.touched.bit_select(self.read_group, 1)
