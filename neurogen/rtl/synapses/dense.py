"""The dense store: every axon row holds a weight for every lane; the banks' rows of one step are added in a tree::

heads -> sequencer -> step -> banks -> weights (K x P) -> [products] -> adder tree, a register per level -> sums (P)
"""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...spec import memory_map
from ...spec.config import FabricConfig
from ...spec.fixed import index_bits
from ...spec.memory_map import Region
from ..memory_port import MemoryPort, owner_port
from ..sequencer import Sequencer, step_layout
from ..streams import Stalls
from . import addend_layout, signature
from .tables import Banks, delayed, products

NAME = "dense"


class DenseRows(wiring.Component):
    """K banks of rows of P weights: K * P synaptic operations per clock. Never stalls.

    ``sums.lanes[p] = sum over enabled banks k of weight[k][row_k][p] * x_k`` with x = 1 where the payload has no bits.
    Sums are exact modulo ``2**accumulator_bits``, which is exact because the image proves that they fit.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    init : list of lists of int, optional
        Rows of every bank at power-up; zeros if not given.

    Members
    -------
    step : In
        :func:`~neurogen.rtl.sequencer.step_layout`; at least one bank is enabled where it is valid.
    sums : Out
        :func:`~neurogen.rtl.synapses.addend_layout`, ``latency_cycles`` later.
    port : In(MemoryPort)
        Region SYNAPSES.
    """

    def __init__(self, config: FabricConfig, init=None):
        self.config = config
        self._banks = Banks(config, init)
        super().__init__(
            {
                "step": In(step_layout(config.core)),
                "sums": Out(addend_layout(config.core, config.core.lanes)),
                "port": In(MemoryPort(memory_map.shapes(config)[Region.SYNAPSES])),
            }
        )

    @property
    def latency_cycles(self) -> int:
        """Memory and registers, product if there are payloads, and one clock per level of the tree."""
        core = self.config.core
        return self._banks.latency_cycles + (core.payload_bits > 0) + index_bits(core.banks)

    def elaborate(self, platform):
        m = Module()
        core = self.config.core
        m.submodules.banks = banks = self._banks
        connect(m, flipped(self.port), banks.port)
        addends = []
        for bank, (asked, read, row) in enumerate(zip(self.step.banks, banks.reads, banks.rows, strict=True)):
            m.d.comb += [read.enable.eq(asked.enable & self.step.valid), read.row.eq(asked.row)]
            weights = [row.word_select(lane, core.weight_bits).as_signed() for lane in range(core.lanes)]
            # 0 beside the row of zeros of a bank that takes no part: the payload may be of an event that never was.
            payload = delayed(m, Mux(asked.enable, asked.payload, 0), banks.latency_cycles)
            addends.append(products(m, core, weights, payload, str(bank)))
        while len(addends) > 1:
            addends = self._level(m, addends)
        m.d.comb += [
            *(self.sums.lanes[lane].eq(total) for lane, total in enumerate(addends[0])),
            self.sums.valid.eq(delayed(m, self.step.valid, self.latency_cycles)),
            self.sums.group.eq(delayed(m, self.step.group, self.latency_cycles)),
        ]
        return m

    def _level(self, m, addends):
        """One level of the adder tree: half as many addends, one clock later."""
        sums = []
        for left, right in zip(addends[::2], addends[1::2], strict=True):
            totals = []
            for a, b in zip(left, right, strict=True):
                bits = min(max(len(a), len(b)) + 1, self.config.core.accumulator_bits)
                total = Signal(signed(bits))
                m.d.sync += total.eq(a + b)
                totals.append(total)
            sums.append(totals)
        return sums


class Store(wiring.Component):
    """See the package. All banks together feed one copy of the accumulators, with one column of all lanes."""

    copies = 1
    repeats = False
    knows_groups = True

    def __init__(
        self, config: FabricConfig, axons_init=None, walks_init=None, synapses_init=None, stalls: Stalls | None = None
    ):
        self._sequencer = Sequencer(config, axons_init, walks_init, (stalls or Stalls()).at("sequencer"))
        self._rows = DenseRows(config, synapses_init)
        super().__init__(signature(config, 1, config.core.lanes) | {"reaches": Out(config.core.groups)})

    @property
    def latency_cycles(self) -> int:
        return self._rows.latency_cycles

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequencer = sequencer = self._sequencer
        m.submodules.rows = store = self._rows
        for outer, inner in zip(self.heads, sequencer.heads, strict=True):
            connect(m, flipped(outer), inner)
        connect(m, flipped(self.synapses_port), store.port)
        for name in (owner_port(Region.AXONS), owner_port(Region.WALKS)):
            if hasattr(self, name):
                connect(m, flipped(getattr(self, name)), getattr(sequencer, name))
        m.d.comb += [
            store.step.eq(sequencer.step),
            self.addends[0].eq(store.sums),
            self.busy.eq(sequencer.busy),
            self.walking.eq(sequencer.walking),
            self.reaches.eq(Mux(sequencer.step.valid, 1 << sequencer.step.group, 0)),
            self.event_count.eq(sequencer.event_count),
            self.row_count.eq(sequencer.row_count),
        ]
        return m
