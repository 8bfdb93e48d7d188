"""The conv store: lines of rows of shared kernels, and lines of groups that they reach."""

from amaranth import *
from amaranth.lib.wiring import connect, flipped

from ...spec import rows
from ...spec.config import FabricConfig
from ..layout import struct
from .side_by_side import SideBySide
from .tables import WalkTable, delayed, products

NAME = "conv"


class Store(SideBySide):
    """See :class:`~neurogen.rtl.synapses.side_by_side.SideBySide`. One column of all lanes per bank."""

    def __init__(self, config: FabricConfig, **options):
        super().__init__(config, columns=1, in_lines=True, **options)

    def _prepare(self, m):
        if not hasattr(self, "walks_port"):
            self._geometries = [struct(rows.walk(self.config)).const({})]
            return
        m.submodules.geometries = table = WalkTable(self.config, self.walks_init)
        connect(m, flipped(self.walks_port), table.port)
        self._geometries = table.rows

    def _walk(self, row):
        reaches, geometry = row.length != 0, Array(self._geometries)[row.geometry]
        return {
            "reaches": reaches,
            "row": row.base,
            "group": row.first,
            "more_steps": Mux(reaches, row.length - 1, 0),
            "more_lines": Mux(reaches, row.lines - 1, 0),
            "row_stride": geometry.row_stride,
            "group_stride": geometry.group_stride,
        }

    def _addends(self, m, bank, step, row):
        core, addend = self.config.core, Signal.like(self.addends[0], name=f"addend_{bank}")
        weights = [row.word_select(lane, core.weight_bits).as_signed() for lane in range(core.lanes)]
        values = products(m, core, weights, step.payload, str(bank))
        late = self.latency_cycles - self._banks.latency_cycles
        m.d.comb += [
            addend.valid.eq(delayed(m, step.enable, late)),
            addend.group.eq(delayed(m, step.group, late)),
            *(addend.lanes[lane].eq(value) for lane, value in enumerate(values)),
        ]
        return [addend]
