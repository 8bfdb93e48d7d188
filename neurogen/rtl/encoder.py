"""From vectors of U spikes to single neurons."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.config import CoreConfig, FabricConfig
from ..spec.fixed import index_bits
from . import bits


def vector_layout(core: CoreConfig) -> data.StructLayout:
    """U neurons of one subgroup: which of them fire, and what they carry in a group that does not merely spike."""
    return data.StructLayout(
        {
            "group": core.group_bits,
            "subgroup": index_bits(core.subgroups),
            "value_mode": int(core.values or core.graded),
            "spikes": core.update_lanes,
            "values": data.ArrayLayout(core.carried_bits, core.update_lanes),
        }
    )


def spike_layout(core: CoreConfig) -> data.StructLayout:
    """One neuron that spikes, or (``is_value``) carries ``value``, two's complement."""
    return data.StructLayout(
        {
            "neuron": index_bits(core.groups * core.lanes),
            "is_value": int(core.values or core.graded),
            "value": core.carried_bits,
        }
    )


class Encoder(wiring.Component):
    """Emits the neurons whose bits are set, lowest first, vector after vector.

    Latency 1 clock from a vector to its first neuron, throughput one neuron per clock, no bubble between vectors. One
    vector waits beside the one at work; ``vectors.ready`` drops while its place is taken.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`

    Members
    -------
    vectors : In(stream of :func:`vector_layout`)
        At least one bit of ``spikes`` is set.
    spikes : Out(stream of :func:`spike_layout`)
    spike_count : Out(1)
        A neuron that spiked (not a value) leaves in this clock.
    busy : Out(1)
        A vector is inside.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        super().__init__(
            {
                "vectors": In(stream.Signature(vector_layout(config.core))),
                "spikes": Out(stream.Signature(spike_layout(config.core))),
                "spike_count": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        vector, waiting = Signal.like(self.vectors.payload), Signal.like(self.vectors.payload)
        waits, ends = Signal(), Signal()  # ends: there is a place for the next vector
        chosen, rest = Signal.like(vector.spikes), Signal.like(vector.spikes)
        m.d.comb += [
            chosen.eq(bits.lowest(vector.spikes)),
            rest.eq(vector.spikes & ~chosen),
            self.spikes.valid.eq(vector.spikes.any()),
            self.spikes.p.neuron.eq(Cat(bits.encode(chosen), vector.subgroup, vector.group)),
            self.spikes.p.is_value.eq(vector.value_mode),
            self.spikes.p.value.eq(bits.select(chosen, list(vector.values))),
            ends.eq(~rest.any() & (self.spikes.ready | ~self.spikes.valid)),
            self.vectors.ready.eq(~waits),
            self.spike_count.eq(self.spikes.valid & self.spikes.ready & (vector.value_mode == 0)),
            self.busy.eq(self.spikes.valid),
        ]
        with m.If(~waits):
            m.d.sync += waiting.eq(self.vectors.payload)
        m.d.sync += waits.eq(~ends & (waits | self.vectors.valid))
        with m.If(ends):
            m.d.sync += vector.eq(Mux(waits, waiting, self.vectors.payload))
            with m.If(~(waits | self.vectors.valid)):
                m.d.sync += vector.spikes.eq(0)
        with m.Elif(self.spikes.ready):
            m.d.sync += vector.spikes.eq(rest)
        return m
