"""Pixels beside the host port's events: words of pixels in, the events of every step out, by the build's encoder."""

from functools import partial

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import packet, rows, words
from ..spec.config import HOST_WORD_BITS, EncoderConfig, FabricConfig
from ..spec.encoders import PIXEL_BITS
from ..spec.packet import Kind
from . import encoders
from .encoders import pixel_layout
from .image_memory import image_memory
from .layout import pack, view
from .streams import Lookup


class Unpacker(wiring.Component):
    """Words become the pixels that are not 0, brighter ones than ``full`` as ``full``.

    A word takes one clock, and one more for each of its pixels up to the last that is not 0.

    Members
    -------
    start : In(1)
        The words of a sample follow.
    words : In(stream of 32 bits)
    pixels : Out(stream of :func:`pixel_layout`)
    busy : Out(1)
        From the clock after ``start`` until the last pixel has been taken.
    """

    def __init__(self, config: EncoderConfig):
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "words": In(stream.Signature(HOST_WORD_BITS)),
                "pixels": Out(stream.Signature(pixel_layout(config))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        count = words.pixel_words(self.config)
        last_mask = (1 << HOST_WORD_BITS - (count * words.WORD_PIXELS - self.config.lines) * PIXEL_BITS) - 1
        rest, place = Signal(HOST_WORD_BITS), Signal(range(words.WORD_PIXELS))
        left, number = Signal(range(count + 1)), Signal(range(count))  # words to come; number of the one that is here
        byte, full = rest[:PIXEL_BITS], self.config.full
        m.d.comb += [
            self.words.ready.eq((rest == 0) & (left != 0)),
            self.busy.eq((rest != 0) | (left != 0)),
            self.pixels.valid.eq(byte != 0),
            self.pixels.p.line.eq(Cat(place, number)),
            self.pixels.p.value.eq(Mux(byte > full, full, byte)),
        ]
        with m.If(self.start):
            m.d.sync += [left.eq(count), number.eq(-1)]
        with m.Elif(self.words.valid & self.words.ready):
            payload = self.words.payload
            m.d.sync += [
                rest.eq(Mux(left == 1, payload & last_mask, payload)),
                place.eq(0), number.eq(number + 1), left.eq(left - 1),
            ]  # fmt: skip
        with m.Elif(self.pixels.ready | (byte == 0)):
            m.d.sync += [rest.eq(rest >> PIXEL_BITS), place.eq(place + 1)]
        return m


class Fan(wiring.Component):
    """Events become the rows of the table that say where they go: ``ways`` clocks for each."""

    def __init__(self, config: EncoderConfig, table: Lookup):
        self.config = config
        super().__init__(
            {
                "i": In(stream.Signature(pixel_layout(config))),
                "o": Out(stream.Signature(table.i.payload.shape())),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lines, ways = self.config.lines, self.config.ways
        offset, way = Signal(range(self.config.entries)), Signal(range(ways))
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.o.p.address.eq(self.i.p.line + offset),
            self.o.p.tag.eq(self.i.p.value),
            self.i.ready.eq(self.o.ready & (way == ways - 1)),
        ]
        if ways > 1:
            with m.If(self.o.valid & self.o.ready):
                m.d.sync += [way.eq(way + 1), offset.eq(offset + lines)]
                with m.If(self.i.ready):
                    m.d.sync += [way.eq(0), offset.eq(0)]
        return m


class Entries(wiring.Signature):
    """How the host's registers ENTRY_ROW and ENTRY reach the table.

    Members
    -------
    set_row, write, next : Out(1)
        ENTRY_ROW becomes ``data``; the row becomes ``data``; ENTRY_ROW goes on.
    data : Out(32)
    row : In(32)
        The row; only while ``ready``.
    ready : In(1)
    """

    def __init__(self):
        super().__init__(
            {
                **{name: Out(1) for name in ("set_row", "write", "next")},
                "data": Out(HOST_WORD_BITS),
                "row": In(HOST_WORD_BITS),
                "ready": In(1),
            }
        )


class Encoding(wiring.Signature):
    """What the ticks ask of the encoder.

    Members
    -------
    encode : Out(1)
        A tick is about to start; no other events are sent any more.
    slot, phase : Out
        Of that tick.
    encoded : In(1)
        All its events have been sent, or are about to be (``sending``).
    sending : In(1)
        A packet waits to enter the fabric.
    """

    def __init__(self, config: FabricConfig):
        super().__init__(
            {
                "encode": Out(1),
                "slot": Out(config.core.slot_bits),
                "phase": Out(config.phase_bits),
                "encoded": In(1),
                "sending": In(1),
            }
        )


class PixelPort(wiring.Component):
    """Takes a sample's pixels and, at each of its T steps, sends the events that the encoder makes of them.

    The first step is the first one of the network's (phase 0) that starts when all pixels are there; steps in which
    no event is due cost no clock where no pixels are, and a few where there are. An event goes to the used ones of the
    line's ``ways`` entries, one packet per clock at most; the first packet leaves 3 clocks after the event. See the
    encoder's unit for what pixels and steps take.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    entries_init : list of int, optional
        Rows of the table at power-up.

    Members
    -------
    start : In(1)
        The words of a sample follow, and the sample before is over.
    words : In(stream of 32 bits)
    busy : Out(1)
        From the clock after ``start`` until all pixels are kept: words are pixels.
    clear : In(1)
        Forget all pixels.
    encoding : In(Encoding)
    entries : In(Entries)
    others : In(1)
        A packet of somebody else's waits to enter the fabric.
    packets : Out(stream of flits)
    """

    def __init__(self, config: FabricConfig, entries_init=()):
        self.config = config
        self.entries_init = entries_init
        super().__init__(
            {
                "start": In(1),
                "words": In(stream.Signature(HOST_WORD_BITS)),
                "busy": Out(1),
                "clear": In(1),
                "encoding": In(Encoding(config)),
                "entries": In(Entries()),
                "others": In(1),
                "packets": Out(stream.Signature(packet.flit_bits(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        encoder = self.config.encoder
        m.submodules.unpacker = unpacker = Unpacker(encoder)
        m.submodules.unit = unit = encoders.encoder(encoder.name).Unit(encoder)
        m.submodules.table = table = Lookup(
            row=rows.entry(self.config).width,
            rows=encoder.entries,
            tag=PIXEL_BITS,
            init=self.entries_init,
            writable=self.config.core.writable,
            memory=partial(image_memory, self.config.core),
        )
        m.submodules.fan = fan = Fan(encoder, table)
        connect(m, flipped(self.words), unpacker.words)
        connect(m, unpacker.pixels, unit.pixels)
        connect(m, unit.events, fan.i)
        connect(m, fan.o, table.i)
        m.d.comb += [unpacker.start.eq(self.start), unit.clear.eq(self.start | self.clear)]
        is_sending = self._send(m, table)
        self._step(m, unit, unpacker, is_sending)
        self._access(m, table)
        return m

    def _send(self, m, table) -> Value:
        """A packet for each used entry; returns whether one is on its way."""
        row, value, is_row = Signal(table.o.p.row.shape()), Signal(PIXEL_BITS), Signal()
        moves = ~self.packets.valid | self.packets.ready
        entry, kind = view(rows.entry(self.config), row), Kind.SPIKE
        where = {field.name: entry[field.name] for field in packet.rectangle(self.config).fields}
        slot = (self.encoding.slot + entry.delay)[: self.config.core.slot_bits]
        flit = pack(
            packet.to_core(self.config)[kind], kind=kind, host=0, **where, axon=entry.axon, slot=slot, payload=value
        )
        m.d.comb += table.o.ready.eq(moves)
        with m.If(moves):
            m.d.sync += [
                is_row.eq(table.o.valid), row.eq(table.o.p.row), value.eq(table.o.p.tag),
                self.packets.valid.eq(is_row & entry.used), self.packets.payload.eq(flit),
            ]  # fmt: skip
        m.d.comb += self.encoding.sending.eq(self.packets.valid)
        return table.o.valid | is_row | self.packets.valid

    def _step(self, m, unit, unpacker, is_sending) -> None:
        """One step of the encoder for each first tick of a step, as long as there are any."""
        encoding, left = self.encoding, Signal(range(self.config.encoder.steps + 1))
        is_running, is_done, was_busy = Signal(), Signal(), Signal()
        is_due = (left != 0) & (encoding.phase == 0) & ~is_done
        m.d.comb += [
            encoding.encoded.eq(~is_running & ~is_due),
            unit.step.eq(encoding.encode & is_due & ~is_running & ~self.others),
            self.busy.eq(unpacker.busy | (unit.busy & ~is_running)),
        ]
        m.d.sync += [was_busy.eq(self.busy), is_done.eq(encoding.encode & is_done)]
        with m.If(unit.step):
            m.d.sync += [is_running.eq(1), left.eq(left - 1)]
        with m.Elif(is_running & ~unit.busy & ~is_sending):
            m.d.sync += [is_running.eq(0), is_done.eq(1)]
        with m.If(self.start | self.clear):
            m.d.sync += left.eq(0)
        with m.Elif(was_busy & ~self.busy):
            m.d.sync += left.eq(self.config.encoder.steps)

    def _access(self, m, table) -> None:
        """The host's registers. What the table's port reads is there three clocks after its row was changed."""
        entries, row, settled = self.entries, Signal(table.port.row.shape()), Signal(2)
        m.d.comb += [
            table.port.row.eq(row),
            table.port.read.eq(~self.encoding.encode),
            table.port.write.eq(entries.write),
            table.port.write_data.eq(entries.data),
            entries.row.eq(table.port.read_data),
            entries.ready.eq(settled.all()),
        ]
        m.d.sync += settled.eq(Cat(1, settled))
        with m.If(entries.set_row | entries.next):
            m.d.sync += [row.eq(Mux(entries.set_row, entries.data, row + 1)), settled.eq(0)]
