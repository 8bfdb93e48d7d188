"""The dense store: every axon row holds a weight for every lane; the banks' rows of one step are added in a tree.

Memory outputs go straight into registers that clear where a bank takes no part, so no logic stands behind a block RAM::

    step -> memory -> weights (K x P) -> [products] -> adder tree, a register per level -> sums (P)
"""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...spec import memory_map
from ...spec.config import FabricConfig
from ...spec.fixed import index_bits
from ...spec.memory_map import Region
from ..memory_port import MemoryPort
from . import step_layout, sums_layout

NAME = "dense"


class DenseStore(wiring.Component):
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
        :func:`~neurogen.rtl.synapses.step_layout`.
    sums : Out
        :func:`~neurogen.rtl.synapses.sums_layout`, ``latency_cycles`` later.
    port : In(MemoryPort)
        Region SYNAPSES.
    """

    def __init__(self, config: FabricConfig, init=None):
        self.config = config
        self.init = init
        self.shape = memory_map.shapes(config)[Region.SYNAPSES]
        super().__init__(
            {
                "step": In(step_layout(config.core)),
                "sums": Out(sums_layout(config.core)),
                "port": In(MemoryPort(self.shape)),
            }
        )

    @property
    def latency_cycles(self) -> int:
        """Memory, register, product if there are payloads, and one clock per level of the tree."""
        core = self.config.core
        return 2 + (core.payload_bits > 0) + index_bits(core.banks)

    def elaborate(self, platform):
        m = Module()
        core = self.config.core
        reading = self.step.valid | self.port.read
        rows = [self._bank(m, bank, reading) for bank in range(core.banks)]
        # Banks that do not take part are 0, so the row that the port asked for is the OR of all.
        m.d.comb += self.port.read_data.eq(_tree(rows, lambda a, b: a | b))

        addends = [[row.word_select(lane, core.weight_bits).as_signed() for lane in range(core.lanes)] for row in rows]
        if core.payload_bits:
            addends = [self._products(m, bank, weights) for bank, weights in enumerate(addends)]
        while len(addends) > 1:
            addends = self._level(m, addends)
        for lane, total in enumerate(addends[0]):
            m.d.comb += self.sums.lanes[lane].eq(total)
        self._delay(m, self.step.valid, self.sums.valid)
        self._delay(m, self.step.group, self.sums.group)
        return m

    def _bank(self, m, bank: int, reading):
        """The row of one bank two clocks after its step, 0 if the bank is not enabled."""
        core = self.config.core
        init = self.init[bank] if self.init else []
        m.submodules[f"bank_{bank}"] = memory = Memory(shape=self.shape.width, depth=self.shape.rows, init=init)
        read, asked = memory.read_port(), self.step.banks[bank]
        is_selected, loads, clears = Signal(), Signal(), Signal()
        row = Signal(self.shape.width, name=f"row_{bank}")
        m.d.comb += [
            is_selected.eq(self.port.read & (self.port.bank == bank)),
            read.addr.eq(Mux(self.step.valid, asked.row, self.port.row)),
            # Never in the clock of a write: synthesis would add logic to define what is read then.
            read.en.eq(((self.step.valid & asked.enable) | is_selected) & ~self.port.write),
        ]
        # Clearing comes before loading, so that it maps to the registers' own synchronous reset.
        m.d.sync += [loads.eq(read.en), clears.eq(reading & ~read.en)]
        with m.If(clears):
            m.d.sync += row.eq(0)
        with m.Elif(loads):
            m.d.sync += row.eq(read.data)
        if core.writable:
            write = memory.write_port()
            m.d.comb += [
                write.addr.eq(self.port.row),
                write.data.eq(self.port.write_data),
                write.en.eq(self.port.write & (self.port.bank == bank)),
            ]
        return row

    def _products(self, m, bank: int, weights):
        """Every weight times the payload of its bank's event, one clock later."""
        core = self.config.core
        payload = Signal.like(self.step.banks[bank].payload, name=f"payload_{bank}")
        early = Signal.like(payload, name=f"payload_{bank}_early")
        m.d.sync += [early.eq(self.step.banks[bank].payload), payload.eq(early)]
        products = []
        for lane, weight in enumerate(weights):
            product = Signal(signed(core.weight_bits + core.payload_bits), name=f"product_{bank}_{lane}")
            m.d.sync += product.eq(weight * payload)
            products.append(product)
        return products

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

    def _delay(self, m, value, delayed):
        for _ in range(self.latency_cycles):
            late = Signal.like(value)
            m.d.sync += late.eq(value)
            value = late
        m.d.comb += delayed.eq(value)


def _tree(values, combine):
    """``values`` combined in pairs, balanced."""
    while len(values) > 1:
        pairs = [combine(a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[2 * len(pairs) :]
    return values[0]
