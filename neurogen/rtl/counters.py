"""Activity counters and the STATUS region."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..spec import memory_map
from ..spec.config import FabricConfig
from ..spec.fixed import index_bits
from ..spec.memory_map import COUNTERS, STATUS_BITS, Region, Status


def increment_bits(config: FabricConfig, status: Status) -> int:
    """Width of what a counter can grow by in one clock."""
    return {
        Status.EVENTS: index_bits(config.core.banks + 1),
        Status.ROWS: index_bits(config.core.banks + 1),
        Status.HOPS: 3,
    }.get(status, 1)


class Counters(wiring.Component):
    """One counter for each of ``memory_map.COUNTERS``, modulo ``2**counter_bits``; growth shows two clocks later.

    Members
    -------
    <counter> : In
        How much it grows in this clock.
    fresh : In(groups)
        Which groups still have their initial state.
    status : Out(rows x 32)
        The STATUS region.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        rows = memory_map.shapes(config)[Region.STATUS].rows
        super().__init__(
            {counter.name.lower(): In(increment_bits(config, counter)) for counter in COUNTERS}
            | {"fresh": In(config.core.groups), "status": Out(data.ArrayLayout(STATUS_BITS, rows))}
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.status.as_value()[len(COUNTERS) * STATUS_BITS :].eq(self.fresh)
        if self.config.core.counter_bits:
            for counter in COUNTERS:
                name = counter.name.lower()
                growth = Signal(increment_bits(self.config, counter), name=f"{name}_growth")
                total = Signal(self.config.core.counter_bits, name=f"{name}_total")
                m.d.sync += [growth.eq(getattr(self, name)), total.eq(total + growth)]
                m.d.comb += self.status[counter].eq(total)
        return m
