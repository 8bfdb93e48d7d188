"""The accumulators: one tick's input sum of every neuron, G rows of P lanes, a copy for every bank that adds by itself.

A copy is made of columns, memories of G rows for some of the lanes: one column of all lanes where these always add to
one group, one for every lane where each has a group of its own. A flip-flop per copy and group says whether the group
was touched in this tick. What was not touched is 0, in one of two ways:

* it is read from one more row that is never written, where all lanes of a row are touched together: this costs nothing
  if the groups leave room in the LUT RAM;
* else every row is written back to 0 once the update unit has read it, which takes a gate per sum.
"""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..spec.config import CoreConfig, FabricConfig
from ..spec.fixed import index_bits
from .image_memory import NO_CHECK
from .synapses import addend_layout
from .synapses.tables import delayed

LUT_RAM_ROWS = 16
"""Rows of the LUT RAM of common FPGAs; a multiple of them leaves no room for a row of zeros."""


class Column(wiring.Component):
    """G rows of the sums of some lanes. One addend per clock, in its row two clocks after it arrives.

    ``distributed`` rows are read asynchronously and written at the next edge (LUT RAM). ``block`` rows are read
    synchronously (block RAM), and a row is never read in the clock in which it is written: where a group ``repeats`` in
    the next clock, its sum is forwarded.

    Members
    -------
    addend : In
        :func:`~neurogen.rtl.synapses.addend_layout`. Never together with ``read``.
    touched : In(groups)
        Groups with an addend before this clock, in any column of the copy.
    read, group : In
        Fetch the row of ``group``.
    row : Out
        The row, from one clock after ``read`` until the next clock of ``advance``; 0 if the group is not touched.
    release : In(1)
        Together with ``read``: the group is not ``touched`` any more from the next clock on.
    advance : In(1)
        What was read moves on.
    """

    def __init__(self, core: CoreConfig, lanes: int, repeats: bool = True):
        self.core = core
        self.repeats = repeats
        self.row_bits = lanes * core.accumulator_bits
        self.has_zero_row = lanes == core.lanes and core.groups % LUT_RAM_ROWS != 0
        super().__init__(
            {
                "addend": In(addend_layout(core, lanes)),
                "touched": In(core.groups),
                "read": In(1),
                "group": In(core.group_bits),
                "release": In(1),
                "advance": In(1),
                "row": Out(self.row_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        groups, bits = self.core.groups, self.core.accumulator_bits
        attributes = {} if self.repeats else NO_CHECK
        m.submodules.rows = memory = Memory(
            shape=self.row_bits, depth=groups + self.has_zero_row, init=[], attrs=attributes
        )
        asks, asked, place = self.read | self.addend.valid, Signal.like(self.group), Signal(range(memory.depth))
        m.d.comb += asked.eq(Mux(self.read, self.group, self.addend.group))
        places = [
            Mux(self.touched.bit_select(group, 1), group, groups) if self.has_zero_row else group
            for group in (self.group, self.addend.group)
        ]
        m.d.comb += place.eq(Mux(self.read, *places))  # decided for both, and chosen then: ``read`` comes late

        pending, total, write = Signal.like(self.addend), Signal(self.row_bits), memory.write_port()
        m.d.sync += pending.valid.eq(self.addend.valid)
        with m.If(self.addend.valid):
            m.d.sync += pending.lanes.eq(self.addend.lanes)
        with m.If(asks):
            m.d.sync += pending.group.eq(asked)
        for lane, value in enumerate(pending.lanes):
            m.d.comb += total.word_select(lane, bits).eq(self.row.word_select(lane, bits) + value)
        m.d.comb += [write.addr.eq(pending.group), write.data.eq(total), write.en.eq(pending.valid)]
        if not self.has_zero_row:
            self._clear(m, write)
        (self._read_distributed if self.core.accumulators == "distributed" else self._read_block)(
            m, memory, write, asks, place, total
        )
        return m

    def _clear(self, m, write):
        """Write 0 to a row as it moves on."""
        clears = Signal()
        with m.If(self.advance):
            m.d.sync += clears.eq(self.read & self.release)
        with m.If(clears):
            m.d.comb += [write.data.eq(0), write.en.eq(self.advance)]

    def _read_distributed(self, m, memory, write, asks, place, total):
        read = memory.read_port(domain="comb")
        with m.If(asks):
            m.d.sync += read.addr.eq(place)
        m.d.comb += self.row.eq(read.data)

    def _read_block(self, m, memory, write, asks, place, total):
        read, repeats = memory.read_port(), Signal()
        if not self.repeats:
            m.d.comb += [read.addr.eq(place), read.en.eq(asks), self.row.eq(read.data)]
            return
        is_repeated, previous = Signal(), Signal.like(total)
        m.d.comb += [
            read.addr.eq(place),
            repeats.eq(write.en & (write.addr == place)),
            read.en.eq(asks & ~repeats),
            self.row.eq(Mux(is_repeated, previous, read.data)),
        ]
        with m.If(asks):
            m.d.sync += is_repeated.eq(repeats)
        m.d.sync += previous.eq(total)


class Accumulators(wiring.Component):
    """Adds up the addends of one tick; read by the update unit, U lanes at a time, as the sum of all copies.

    Sums are exact modulo ``2**accumulator_bits``. ``read_data`` comes ``read_cycles`` moves after ``read``: the row of
    each copy, then a clock per level of the tree that adds the copies.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    copies, columns : int
        Copies, each of so many columns.
    repeats : bool
        A column may have addends for one group in consecutive clocks. Always so where rows are ``distributed``.

    Members
    -------
    addends : In(:func:`~neurogen.rtl.synapses.addend_layout`), copies * columns
        Those of copy 0 first. Never together with ``read``, nor while ``busy`` then.
    touched : Out(groups)
        Groups with an addend in this tick; complete while not ``busy``.
    read : In(1)
        Fetch ``update_lanes`` sums: lanes ``read_subgroup * U ...`` of group ``read_group``. Only with ``advance``.
    release : In(1)
        Together with ``read``: the sums of this group are not needed any more.
    advance : In(1)
        What was read moves on by one step; it holds in every other clock.
    read_data : Out
        The sums; 0 where the group is not touched.
    busy : Out(1)
        An addend is on its way into its row.
    """

    def __init__(self, config: FabricConfig, copies: int = 1, columns: int = 1, repeats: bool = True):
        self.config = config
        self.copies = copies
        self.columns = columns
        core = config.core
        self._columns = [Column(core, core.lanes // columns, repeats) for _ in range(copies * columns)]
        super().__init__(
            {
                "addends": In(addend_layout(core, core.lanes // columns)).array(copies * columns),
                "touched": Out(core.groups),
                "read": In(1),
                "read_group": In(core.group_bits),
                "read_subgroup": In(range(core.subgroups)),
                "release": In(1),
                "advance": In(1),
                "read_data": Out(data.ArrayLayout(signed(core.accumulator_bits), core.update_lanes)),
                "busy": Out(1),
            }
        )

    @property
    def read_cycles(self) -> int:
        """Clocks from ``read`` to ``read_data``."""
        return 1 + index_bits(self.copies)

    def elaborate(self, platform):
        m = Module()
        arrives, pending = Cat(addend.valid for addend in self.addends).any(), Signal()
        m.d.sync += pending.eq(arrives)
        m.d.comb += self.busy.eq(arrives | pending)
        touched = [self._touch(m, copy) for copy in range(self.copies)]
        m.d.comb += self.touched.eq(reduce(or_, touched))
        for number, (addend, column) in enumerate(zip(self.addends, self._columns, strict=True)):
            m.submodules[f"column_{number}"] = column
            m.d.comb += [
                column.addend.eq(addend),
                column.touched.eq(touched[number // self.columns]),
                column.read.eq(self.read),
                column.group.eq(self.read_group),
                column.release.eq(self.release),
                column.advance.eq(self.advance),
            ]
        self._add_copies(m)
        return m

    def _touch(self, m, copy: int) -> Signal:
        """The groups that are touched in one copy; where nothing looks at them in between, a clock late."""
        touched, groups = Signal.like(self.touched, name=f"touched_{copy}"), range(self.config.core.groups)
        own = slice(copy * self.columns, (copy + 1) * self.columns)
        pairs = zip(self.addends[own], self._columns[own], strict=True)
        hits = reduce(or_, (self._decode(m, addend, column.has_zero_row) for addend, column in pairs))
        kept = Cat(~(self.read & self.release & (self.read_group == g)) for g in groups)
        m.d.sync += touched.eq((touched | hits) & kept)
        return touched

    def _decode(self, m, addend, at_once: bool) -> Value:
        """The group of an addend, one-hot: its two halves are decoded first, and unless ``at_once`` registered."""
        groups, half = self.config.core.groups, len(addend.group) // 2
        low = Cat(addend.group[:half] == i for i in range(1 << half))
        high = Cat(addend.valid & (addend.group[half:] == i) for i in range(-(-groups >> half)))
        if not at_once:
            low, high = delayed(m, low, 1), delayed(m, high, 1)
        return Cat(high[g >> half] & low[g & (1 << half) - 1] for g in range(groups))

    def _add_copies(self, m):
        """The chosen lanes of all copies, added in a tree with a register per level."""
        core, bits = self.config.core, self.config.core.accumulator_bits
        subgroup = Signal.like(self.read_subgroup)
        with m.If(self.read):
            m.d.sync += subgroup.eq(self.read_subgroup)
        starts = range(0, len(self._columns), self.columns)
        rows = [Cat(column.row for column in self._columns[start : start + self.columns]) for start in starts]
        sums = [row.word_select(subgroup, core.update_lanes * bits) for row in rows]
        while len(sums) > 1:
            level = []
            for left, right in zip(sums[::2], sums[1::2], strict=True):
                total = Signal.like(left, name=f"sum_of_{2 * self.copies // len(sums)}")
                with m.If(self.advance):
                    for lane in range(core.update_lanes):
                        pair = [side.word_select(lane, bits) for side in (left, right)]
                        m.d.sync += total.word_select(lane, bits).eq(pair[0] + pair[1])
                level.append(total)
            sums = level
        m.d.comb += self.read_data.as_value().eq(sums[0])
