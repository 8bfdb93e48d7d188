"""Stores whose banks work side by side: each walks its own events and has its own copy of the accumulators."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...spec.config import CoreConfig, FabricConfig
from ...spec.fixed import index_bits
from ..streams import Queue, Stalls
from . import payload_shape, signature
from .tables import AxonTable, Banks, delayed


def walk_layout(core: CoreConfig, in_lines: bool) -> data.StructLayout:
    """One walk: ``more_lines`` lines after the first, each of ``more_steps`` steps after its first.

    ``reaches`` = 0 is a walk without a step, where both are 0. Without lines, a walk does not name groups.
    """
    count, group = index_bits(core.groups), core.group_bits if in_lines else 0
    return data.StructLayout(
        {
            "reaches": 1,
            "row": index_bits(core.rows),
            "group": group,
            "more_steps": count,
            "more_lines": count if in_lines else 0,
            "row_stride": index_bits(core.rows) if in_lines else 0,
            "group_stride": group,
            "payload": payload_shape(core),
        }
    )


class Walker(wiring.Component):
    """Walks over the synapse rows of one bank, one row per clock: line i step j is row ``row + i * row_stride + j`` and
    group ``group + i * group_stride + j``.

    The first step comes a clock after its walk was taken; walks follow each other without a bubble. One without a step
    takes a clock.

    Members
    -------
    walks : In(stream of :func:`walk_layout`)
    step : Out(enable, row, group, payload)
    active : Out(1)
        A walk takes this clock.
    """

    def __init__(self, core: CoreConfig, in_lines: bool):
        self.layout = walk_layout(core, in_lines)
        members = self.layout.members
        step = {"enable": 1} | {name: members[name] for name in ("row", "group", "payload")}
        super().__init__(
            {
                "walks": In(stream.Signature(self.layout)),
                "step": Out(data.StructLayout(step)),
                "active": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        step, begins = self.step, self.walks.p
        line = Signal(self.layout)  # where the line that is walked began, and how lines follow each other
        more_steps, more_lines = Signal.like(begins.more_steps), Signal.like(begins.more_lines)
        with m.If(more_steps != 0):
            m.d.sync += [
                more_steps.eq(more_steps - 1),
                step.row.eq(step.row + 1),
                step.group.eq(step.group + 1),
            ]
        with m.Elif(more_lines != 0):
            row, group = line.row + line.row_stride, line.group + line.group_stride
            m.d.sync += [
                more_lines.eq(more_lines - 1),
                more_steps.eq(line.more_steps),
                *(to.eq(row) for to in (step.row, line.row)),
                *(to.eq(group) for to in (step.group, line.group)),
            ]
        with m.Else():
            m.d.comb += self.walks.ready.eq(1)
            m.d.sync += [
                self.active.eq(self.walks.valid),
                step.enable.eq(self.walks.valid & begins.reaches),
                *(step[name].eq(begins[name]) for name in ("row", "group", "payload")),
                line.eq(begins),
                more_steps.eq(Mux(self.walks.valid, begins.more_steps, 0)),
                more_lines.eq(Mux(self.walks.valid, begins.more_lines, 0)),
            ]
        return m


class SideBySide(wiring.Component):
    """Base of such a store::

        heads -> axon table -> queue -> walker -> bank -> [products] -> addends      (K times)

    The first step comes 3 clocks after a head was taken, 4 with memory registers; addends ``latency_cycles`` after
    their step. A derived class says what the walk of an axon row is, and the addends of a synapse row.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    columns : int
        Columns of the accumulators per bank.
    in_lines : bool
        Walks have lines and name groups.
    axons_init, walks_init, synapses_init : lists of int, optional
        What the memories hold at power-up; a list per bank for axons and synapses.
    stalls : :class:`~neurogen.rtl.streams.Stalls`, optional
        Gates on the internal streams.

    Members
    -------
    See the package.
    """

    repeats = True
    knows_groups = False

    def __init__(
        self,
        config: FabricConfig,
        *,
        columns: int,
        in_lines: bool,
        axons_init=None,
        walks_init=None,
        synapses_init=None,
        stalls: Stalls | None = None,
    ):
        self.config = config
        self.copies = config.core.banks
        self.in_lines = in_lines
        self.walks_init = walks_init
        self.stalls = stalls or Stalls()
        self._axons = AxonTable(config, axons_init, self.stalls.at("axons"))
        self._banks = Banks(config, synapses_init)
        super().__init__(signature(config, self.copies * columns, config.core.lanes // columns))

    @property
    def latency_cycles(self) -> int:
        """Memory and registers, and product if there are payloads."""
        return self._banks.latency_cycles + (self.config.core.payload_bits > 0)

    def elaborate(self, platform):
        m = Module()
        m.submodules.axons, m.submodules.banks = axons, banks = self._axons, self._banks
        connect(m, flipped(self.axons_port), axons.port)
        connect(m, flipped(self.synapses_port), banks.port)
        self._prepare(m)
        waiting, walkers = Signal(self.copies), [Walker(self.config.core, self.in_lines) for _ in range(self.copies)]
        for bank, walker in enumerate(walkers):
            m.d.comb += waiting[bank].eq(self._supply(m, bank, walker))
        columns = len(self.addends) // self.copies
        for bank, (walker, read, row) in enumerate(zip(walkers, banks.reads, banks.rows, strict=True)):
            m.d.comb += [read.enable.eq(walker.step.enable), read.row.eq(walker.step.row)]
            step = delayed(m, walker.step, banks.latency_cycles)
            for column, addend in enumerate(self._addends(m, bank, step, row)):
                m.d.comb += self.addends[bank * columns + column].eq(addend)
        takes = [walker.walks.valid & walker.walks.ready for walker in walkers]
        active = Cat(walker.active for walker in walkers).any()
        m.d.comb += [
            self.busy.eq(Cat(axons.busy, active, waiting).any()),
            self.walking.eq(active),
        ]
        m.d.sync += [
            self.event_count.eq(sum(takes)),
            self.row_count.eq(sum(walker.step.enable for walker in walkers)),
        ]
        return m

    def _prepare(self, m) -> None:
        """Build what all banks share."""

    def _walk(self, row: data.View) -> dict:
        """The fields of :func:`walk_layout`, but for the payload, from an axon row."""
        raise NotImplementedError

    def _addends(self, m, bank: int, step: data.View, row: Value) -> list:
        """The addends of one bank's synapse row, those of ``step``, for each column."""
        raise NotImplementedError

    def _supply(self, m, bank: int, walker: Walker) -> Value:
        """Connect a bank's walker to its heads, past their axon rows and a queue; whether an event waits there."""
        head, found = self.heads[bank], self._axons.found[bank]
        m.submodules[f"waiting_{bank}"] = queue = Queue(shape=found.payload.shape())
        m.submodules[f"walker_{bank}"] = walker
        connect(m, flipped(head), self._axons.heads[bank])
        connect(m, found, queue.i)
        waiting = self.stalls.gate(m, f"waiting_{bank}", queue.o)
        m.d.comb += [
            walker.walks.valid.eq(waiting.valid),
            waiting.ready.eq(walker.walks.ready),
            walker.walks.p.payload.eq(waiting.p.payload),
            *(walker.walks.p[name].eq(value) for name, value in self._walk(waiting.p.row).items()),
        ]
        return queue.o.valid
