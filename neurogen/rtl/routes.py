"""From neurons to packets: each neuron has a slice of the route table, each entry makes a packet."""

from functools import partial

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import memory_map, packet, rows
from ..spec.config import FabricConfig
from ..spec.fixed import index_bits
from ..spec.memory_map import Region
from ..spec.packet import Kind
from .encoder import spike_layout
from .image_memory import image_memory
from .layout import pack, struct, view
from .memory_port import MemoryPort
from .streams import Lookup, Skid, Stalls


class Walk(wiring.Component):
    """A pointer row becomes the addresses ``first .. first + count - 1``, each with the pointer's tag.

    Latency 1 clock, throughput one address per clock without a bubble between rows; a ``count`` of 0 costs one clock.
    """

    def __init__(self, *, pointer: data.StructLayout, tag, address_bits: int):
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"row": pointer, "tag": tag}))),
                "o": Out(stream.Signature(data.StructLayout({"address": address_bits, "tag": tag}))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        row = self.i.p.row
        left, is_last = Signal.like(row.count), Signal()  # left: this address and those after it
        m.d.comb += [
            self.busy.eq(self.o.valid),
            self.i.ready.eq(~self.o.valid | (is_last & self.o.ready)),
        ]
        with m.If(self.i.ready):
            m.d.sync += [
                self.o.valid.eq(self.i.valid & (row.count != 0)),
                self.o.p.address.eq(row.first),
                self.o.p.tag.eq(self.i.p.tag),
                left.eq(row.count),
                is_last.eq(row.count == 1),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [self.o.p.address.eq(self.o.p.address + 1), left.eq(left - 1), is_last.eq(left == 2)]
        return m


class Routes(wiring.Component):
    """Sends one packet for every route entry of every neuron that fires, in order.

    Latency 3 clocks from a neuron to its first packet, 5 with memory registers; throughput one packet per clock without
    a bubble between neurons; a neuron without entries costs one clock. ``spikes.ready`` drops when packets are not
    taken.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    pointers_init, routes_init : list of int, optional
        Rows at power-up.
    stalls : :class:`Stalls`
        Gates behind both tables.

    Members
    -------
    spikes : In(stream of :func:`~neurogen.rtl.encoder.spike_layout`)
    tick_slot : In
        The current tick mod D; stable while ``busy``.
    packets : Out(stream of flits)
        To cores SPIKE with slot ``(tick_slot + delay) mod D``, payload the carried value or 1; to the host SPIKE, or
        VALUE for a carried value.
    packet_count : Out(1)
        A packet leaves in this clock.
    busy : Out(1)
        A neuron or a packet is inside.
    pointers_port, routes_port : In(MemoryPort)
    """

    def __init__(self, config: FabricConfig, pointers_init=None, routes_init=None, stalls: Stalls | None = None):
        self.config = config
        self.pointers_init = pointers_init or []
        self.routes_init = routes_init or []
        self.stalls = stalls or Stalls()
        shapes = memory_map.shapes(config)
        super().__init__(
            {
                "spikes": In(stream.Signature(spike_layout(config.core))),
                "tick_slot": In(config.core.slot_bits),
                "packets": Out(stream.Signature(packet.flit_bits(config))),
                "packet_count": Out(1),
                "busy": Out(1),
                "pointers_port": In(MemoryPort(shapes[Region.POINTERS])),
                "routes_port": In(MemoryPort(shapes[Region.ROUTES])),
            }
        )

    def elaborate(self, platform):
        m = Module()
        core, shapes, spike = self.config.core, memory_map.shapes(self.config), self.spikes.p
        tag = data.StructLayout({"is_value": spike.is_value.shape(), "value": spike.value.shape()})
        m.submodules.pointers = pointers = Lookup(
            row=struct(rows.pointer(self.config)),
            rows=shapes[Region.POINTERS].rows,
            tag=tag,
            init=self.pointers_init,
            writable=core.writable,
            registered=core.memory_registers,
            memory=partial(image_memory, core),
        )
        m.submodules.skid = skid = Skid(shape=pointers.o.payload.shape())
        m.submodules.walk = walk = Walk(pointer=pointers.row, tag=tag, address_bits=index_bits(core.routes))
        m.submodules.entries = entries = Lookup(
            row=rows.route_bits(self.config),
            rows=core.routes,
            tag=tag,
            init=self.routes_init,
            writable=core.writable,
            registered=core.memory_registers,
            memory=partial(image_memory, core),
        )
        found = self.stalls.gate(m, "entries", entries.o)

        connect(m, pointers.o, skid.i)
        connect(m, self.stalls.gate(m, "pointers", skid.o), walk.i)
        connect(m, walk.o, entries.i)
        connect(m, flipped(self.pointers_port), pointers.port)
        connect(m, flipped(self.routes_port), entries.port)
        m.d.comb += [
            pointers.i.p.address.eq(spike.neuron),
            pointers.i.p.tag.is_value.eq(spike.is_value),
            pointers.i.p.tag.value.eq(spike.value),
            pointers.i.valid.eq(self.spikes.valid),
            self.spikes.ready.eq(pointers.i.ready),
            self.packets.payload.eq(self._flit(found.p.row, found.p.tag)),
            self.packets.valid.eq(found.valid),
            found.ready.eq(self.packets.ready),
            self.packet_count.eq(self.packets.valid & self.packets.ready),
            self.busy.eq(pointers.busy | skid.o.valid | walk.busy | entries.busy),
        ]
        return m

    def _flit(self, row: Value, tag: data.View) -> Value:
        """The packet that a route entry makes."""
        to_core, to_host = packet.to_core(self.config), packet.to_host(self.config)
        entry, output = view(rows.route_to_core(self.config), row), view(rows.route_to_host(self.config), row)
        core = self.config.core
        slot = (self.tick_slot + entry.delay)[: core.slot_bits]
        payload = Mux(tag.is_value, tag.value, 1)[: core.payload_bits] if core.graded else 1
        event = pack(
            to_core[Kind.SPIKE],
            kind=Kind.SPIKE, host=0, x0=entry.x0, x1=entry.x1, y0=entry.y0, y1=entry.y1,
            axon=entry.axon, slot=slot, payload=payload,
        )  # fmt: skip
        spike = pack(to_host[Kind.SPIKE], kind=Kind.SPIKE, host=1, line=output.line)
        if core.values:
            value = pack(to_host[Kind.VALUE], kind=Kind.VALUE, host=1, line=output.line, value=tag.value)
            spike = Mux(tag.is_value, value, spike)
        return Mux(entry.host, spike, event)
