"""The host port: two streams of 32-bit words on one side, packets and the barrier on the other."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import packet, words
from ..spec.config import HOST_WORD_BITS, FabricConfig
from ..spec.packet import Kind
from ..spec.words import Response
from .barrier import BarrierControl
from .decoder import Decoder
from .layout import pack, view
from .pixel_port import PixelPort
from .streams import Queue, Slot, Stalls
from .ticks import MESSAGE, Ticks

RESPONSES = {Kind.SPIKE: Response.SPIKE, Kind.VALUE: Response.VALUE, Kind.REPLY: Response.REPLY}
"""What a packet to the host becomes."""


class Emitter(wiring.Component):
    """Turns packets and messages into words, in the order in which they come.

    Messages come while the fabric is quiescent, so a tick's output precedes its TICK_DONE. Latency 1 clock, throughput
    one word per clock. Packets of kinds that no core sends to the host vanish.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`

    Members
    -------
    packets : In(stream of flits)
    messages : In(stream of MESSAGE)
    words : Out(stream of 32 bits)
    replied : Out(1)
        A REPLY is taken in this clock.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        super().__init__(
            {
                "packets": In(stream.Signature(packet.flit_bits(config))),
                "messages": In(stream.Signature(MESSAGE)),
                "words": Out(stream.Signature(HOST_WORD_BITS)),
                "replied": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        chosen, is_message = Signal(MESSAGE), Signal()
        second, second_waits, is_free = Signal(HOST_WORD_BITS), Signal(), Signal()
        with m.If(self.packets.valid):
            self._translate(m, chosen, is_message)
        with m.Else():
            m.d.comb += [chosen.eq(self.messages.payload), is_message.eq(self.messages.valid)]
        m.d.comb += [
            is_free.eq(~second_waits & (~self.words.valid | self.words.ready)),
            self.packets.ready.eq(is_free),
            self.messages.ready.eq(is_free & ~self.packets.valid),
        ]
        with m.If(is_free):
            m.d.sync += [
                self.words.valid.eq(is_message),
                self.words.payload.eq(chosen.first),
                second.eq(chosen.second),
                second_waits.eq(is_message & chosen.long),
            ]
        with m.Elif(self.words.ready):
            m.d.sync += [self.words.payload.eq(second), second_waits.eq(0)]
        return m

    def _translate(self, m, chosen, is_message) -> None:
        """The packet that waits, as a message."""
        kind = view(packet.header(self.config), self.packets.payload).kind
        m.d.comb += self.replied.eq(self.packets.ready & (kind == Kind.REPLY))
        with m.Switch(kind):
            for sent, layout in packet.to_host(self.config).items():
                response = RESPONSES[sent]
                flit, first = view(layout, self.packets.payload), words.responses(self.config)[response]
                operands = {field.name: flit[field.name] for field in first.fields if field.name != "opcode"}
                with m.Case(sent):
                    m.d.comb += [is_message.eq(1), chosen.first.eq(pack(first, opcode=response, **operands))]
                    if sent is Kind.VALUE:
                        m.d.comb += [chosen.second.eq(flit.value), chosen.long.eq(1)]


class HostPort(wiring.Component):
    """Executes the host's commands and tells it what the fabric does.

    The clocks of TICK_DONE run from the release at the barrier's root to the first clock in which the root sees
    quiescence: ``2 * latency_cycles + 1`` for a tick in which nothing happens, and as many more as nodes are busy (see
    :class:`~neurogen.rtl.barrier.Barrier`). They include the delivery of events that the host sends during the tick,
    and the time that the host lets output wait.

    A host that does not take ``words_out`` stops the ticks; nothing is lost. Both word streams are registered.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    period_ticks, depth : int
        PERIOD_TICKS and DEPTH at power-up.
    entries_init : list of int, optional
        The encoder's table at power-up.
    stalls : :class:`Stalls`, optional
        Gates on the internal streams.

    Members
    -------
    words_in : In(stream of 32 bits)
    words_out : Out(stream of 32 bits)
    packets_out : Out(stream of flits)
        To the N port of router (0, 0).
    packets_in : In(stream of flits)
        From it.
    barrier : Out(BarrierControl)
    """

    def __init__(
        self, config: FabricConfig, *, period_ticks: int = 1, depth: int = 0, entries_init=(),
        stalls: Stalls | None = None,
    ):  # fmt: skip
        self.config = config
        self.period_ticks = period_ticks
        self.depth = depth
        self.entries_init = entries_init
        self.stalls = stalls or Stalls()
        word, flit = stream.Signature(HOST_WORD_BITS), stream.Signature(packet.flit_bits(config))
        super().__init__(
            {
                "words_in": In(word),
                "words_out": Out(word),
                "packets_out": Out(flit),
                "packets_in": In(flit),
                "barrier": Out(BarrierControl(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        gate = self.stalls.gate
        is_small = self.config.host_port == "small"
        m.submodules.words_in = words_in = (Slot if is_small else Queue)(shape=HOST_WORD_BITS)
        m.submodules.decoder = decoder = Decoder(self.config, period_ticks=self.period_ticks, depth=self.depth)
        m.submodules.ticks = ticks = Ticks(self.config)
        m.submodules.emitter = emitter = Emitter(self.config)
        connect(m, flipped(self.words_in), words_in.i)
        commands, packets = gate(m, "commands", words_in.o), decoder.packets
        if self.config.encoder:
            packets = self._encode(m, commands, decoder, ticks)
        else:
            connect(m, commands, decoder.words)
        connect(m, decoder.orders, ticks.orders)
        connect(m, ticks.barrier, flipped(self.barrier))
        connect(m, packets, flipped(self.packets_out))
        connect(m, flipped(self.packets_in), emitter.packets)
        responses = gate(m, "responses", emitter.words)
        if not is_small:
            m.submodules.words_out = words_out = Queue(shape=HOST_WORD_BITS)
            connect(m, responses, words_out.i)
            responses = words_out.o
        connect(m, responses, flipped(self.words_out))
        # PEEK is answered only while the ticks are idle and have nothing to tell.
        m.d.comb += [
            emitter.messages.payload.eq(Mux(ticks.messages.valid, ticks.messages.payload, decoder.answers.payload)),
            emitter.messages.valid.eq(ticks.messages.valid | decoder.answers.valid),
            ticks.messages.ready.eq(emitter.messages.ready),
            decoder.answers.ready.eq(emitter.messages.ready & ~ticks.messages.valid),
            decoder.replied.eq(emitter.replied),
        ]
        return m

    def _encode(self, m, commands, decoder: Decoder, ticks: Ticks):
        """The pixel port between the words, the decoder and the ticks; returns the packets of both."""
        m.submodules.pixel_port = port = PixelPort(self.config, self.entries_init)
        packets = stream.Signature(packet.flit_bits(self.config)).create()
        connect(m, ticks.encoding, port.encoding)
        connect(m, decoder.entries, port.entries)
        m.d.comb += [
            port.start.eq(decoder.pixels),
            port.clear.eq(ticks.barrier.reset),
            port.words.payload.eq(commands.payload),
            port.words.valid.eq(commands.valid & port.busy),
            decoder.words.payload.eq(commands.payload),
            decoder.words.valid.eq(commands.valid & ~port.busy),
            commands.ready.eq(Mux(port.busy, port.words.ready, decoder.words.ready)),
            # The decoder offers no packet while the encoder does: see Encoding.
            port.others.eq(decoder.packets.valid),
            packets.payload.eq(Mux(port.packets.valid, port.packets.payload, decoder.packets.payload)),
            packets.valid.eq(port.packets.valid | decoder.packets.valid),
            port.packets.ready.eq(packets.ready),
            decoder.packets.ready.eq(packets.ready & ~port.packets.valid),
        ]
        return packets
