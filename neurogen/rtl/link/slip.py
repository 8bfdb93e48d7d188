"""SLIP: frames in a stream of bytes, ended by a byte that occurs nowhere else (RFC 1055)."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...spec.link import END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE

ITEM = data.StructLayout({"byte": 8, "end": 1})
"""A byte of a frame, or the frame's end."""

ESCAPED = {END: ESCAPED_END, ESCAPE: ESCAPED_ESCAPE}


class SlipEncoder(wiring.Component):
    """Items to bytes. Latency 0; one byte per clock, two for a byte that is escaped.

    Members
    -------
    i : In(stream of ITEM)
    o : Out(stream of 8 bits)
    """

    def __init__(self):
        super().__init__({"i": In(stream.Signature(ITEM)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        escaped = Signal()  # ESCAPE has gone out
        m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready), self.o.payload.eq(self.i.p.byte)]
        with m.If(self.i.p.end):
            m.d.comb += self.o.payload.eq(END)
        for plain, code in ESCAPED.items():
            with m.Elif(self.i.p.byte == plain):
                m.d.comb += [
                    self.o.payload.eq(Mux(escaped, code, ESCAPE)),
                    self.i.ready.eq(self.o.ready & escaped),
                ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += escaped.eq(~self.i.ready)
        return m


class SlipDecoder(wiring.Component):
    """Bytes to items. Latency 0, one byte per clock. What follows an ESCAPE and is no escaped form is taken as it is: a
    damaged frame, which its CRC reveals.

    Members
    -------
    i : In(stream of 8 bits)
    o : Out(stream of ITEM)
    """

    def __init__(self):
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(ITEM))})

    def elaborate(self, platform):
        m = Module()
        escaped, is_escape = Signal(), Signal()
        m.d.comb += [
            is_escape.eq(~escaped & (self.i.payload == ESCAPE)),
            self.o.p.end.eq(self.i.payload == END),
            self.o.p.byte.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & ~is_escape),
            self.i.ready.eq(self.o.ready | is_escape),
        ]
        for plain, code in ESCAPED.items():
            with m.If(escaped & (self.i.payload == code)):
                m.d.comb += self.o.p.byte.eq(plain)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += escaped.eq(is_escape)
        return m
