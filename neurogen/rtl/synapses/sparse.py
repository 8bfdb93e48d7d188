"""The sparse store: lists of rows whose lanes name their groups."""

from amaranth import *

from ...spec import rows
from ...spec.config import FabricConfig
from ..layout import view
from .side_by_side import SideBySide
from .tables import delayed, products

NAME = "sparse"


class Store(SideBySide):
    """See :class:`~neurogen.rtl.synapses.side_by_side.SideBySide`. A column per lane and bank."""

    def __init__(self, config: FabricConfig, **options):
        super().__init__(config, columns=config.core.lanes, in_lines=False, **options)

    def _walk(self, row):
        reaches = row.count != 0
        return {"reaches": reaches, "row": row.base, "more_steps": Mux(reaches, row.count - 1, 0)}

    def _addends(self, m, bank, step, row):
        layout, lanes = rows.synapse(self.config), range(self.config.core.lanes)
        synapses = [view(layout, row.word_select(lane, layout.width)) for lane in lanes]
        weights = [synapse.weight for synapse in synapses]
        values = products(m, self.config.core, weights, step.payload, str(bank))
        late = self.latency_cycles - self._banks.latency_cycles
        addends = []
        for lane, (synapse, value) in enumerate(zip(synapses, values, strict=True)):
            addend = Signal.like(self.addends[0], name=f"addend_{bank}_{lane}")
            m.d.comb += [
                addend.valid.eq(delayed(m, step.enable & synapse.weight.any(), late)),
                addend.group.eq(delayed(m, synapse.group, late)),
                addend.lanes[0].eq(value),
            ]
            addends.append(addend)
        return addends
