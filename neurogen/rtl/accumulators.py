"""The accumulators: one tick's input sum of every neuron, G rows of P lanes.

A flip-flop per group says whether the group was touched in this tick: its first sum replaces what the row held, so
rows never need clearing. A group that was not touched is read from one more row that is never written: this saves a
gate per sum and costs nothing where the groups leave room in the LUT RAM.
"""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..spec.config import FabricConfig
from .synapses import sums_layout

LUT_RAM_ROWS = 16
"""Rows of the LUT RAM of common FPGAs; a multiple of them leaves no room for a row of zeros."""


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
        self.has_zero_row = core.groups % LUT_RAM_ROWS != 0
        super().__init__(
            {
                "sums": In(sums_layout(core)),
                "touched": Out(core.groups),
                "read": In(1),
                "read_group": In(core.group_bits),
                "read_subgroup": In(range(core.subgroups)),
                "read_data": Out(data.ArrayLayout(signed(core.accumulator_bits), core.update_lanes)),
                "release": In(1),
                "release_group": In(core.group_bits),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        core = self.config.core
        row_bits = core.lanes * core.accumulator_bits
        m.submodules.rows = memory = Memory(shape=row_bits, depth=core.groups + self.has_zero_row, init=[])
        pending, total = Signal.like(self.sums), Signal(row_bits)
        row, adds = Signal(row_bits), Signal()  # what the pending sum adds to, and whether it adds at all
        m.d.sync += pending.valid.eq(self.sums.valid)
        with m.If(self.sums.valid):
            m.d.sync += [pending.eq(self.sums), self.touched.bit_select(self.sums.group, 1).eq(1)]
        with m.If(self.release):
            m.d.sync += self.touched.bit_select(self.release_group, 1).eq(0)
        m.d.comb += self.busy.eq(self.sums.valid | pending.valid)

        old = data.View(self.sums.shape().members["lanes"], row)
        for lane in range(core.lanes):
            kept = old[lane] if self.has_zero_row else Mux(adds, old[lane], 0)
            m.d.comb += total.word_select(lane, core.accumulator_bits).eq(kept + pending.lanes[lane])
        write = memory.write_port()
        m.d.comb += [write.addr.eq(pending.group), write.data.eq(total), write.en.eq(pending.valid)]
        self._read_row(m, memory, write, row)

        subgroup = Signal.like(self.read_subgroup)
        m.d.sync += [
            adds.eq(Mux(self.read, self._is_touched(self.read_group), self._is_touched(self.sums.group))),
            subgroup.eq(self.read_subgroup),
        ]
        lanes = row.word_select(subgroup, self.read_data.shape().size)
        m.d.comb += self.read_data.as_value().eq(lanes if self.has_zero_row else Mux(adds, lanes, 0))
        return m

    def _read_row(self, m, memory, write, row):
        """The row that was asked for a clock ago."""
        source = Mux(self.read, self._source(self.read_group), self._source(self.sums.group))
        if self.config.core.accumulators == "distributed":
            read = memory.read_port(domain="comb")
            m.d.sync += read.addr.eq(source)
            m.d.comb += row.eq(read.data)
            return
        read = memory.read_port()
        repeats, is_repeated, previous = Signal(), Signal(), Signal.like(row)
        m.d.comb += [
            read.addr.eq(source),
            repeats.eq(write.en & (write.addr == read.addr)),
            read.en.eq((self.read | self.sums.valid) & ~repeats),
            row.eq(Mux(is_repeated, previous, read.data)),
        ]
        m.d.sync += [is_repeated.eq(repeats), previous.eq(write.data)]

    def _is_touched(self, group):
        return self.touched.bit_select(group, 1)

    def _source(self, group):
        """Where the sums of ``group`` are found."""
        return Mux(self._is_touched(group), group, self.config.core.groups) if self.has_zero_row else group
