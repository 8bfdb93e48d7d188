"""The frames' CRC, one bit per clock."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...spec.link import CRC_POLYNOMIAL, CRC_RESIDUE


class Crc(wiring.Component):
    """CRC-32 of a sequence of bits.

    Members
    -------
    clear : In(1)
        Start again.
    enable : In(1)
        Take ``bit``; with ``drain``, give the next bit of the CRC instead.
    bit, drain : In(1)
    out : Out(1)
        The next bit of the CRC.
    intact : Out(1)
        The bits so far were followed by their CRC.
    """

    def __init__(self):
        super().__init__(
            {"clear": In(1), "enable": In(1), "bit": In(1), "drain": In(1), "out": Out(1), "intact": Out(1)}
        )

    def elaborate(self, platform):
        m = Module()
        register, feedback = Signal(32, init=~0), Signal()
        m.d.comb += [
            feedback.eq((register[0] ^ self.bit) & ~self.drain),
            self.out.eq(~register[0]),
            self.intact.eq(register == CRC_RESIDUE),
        ]
        with m.If(self.clear):
            m.d.sync += register.eq(~0)
        with m.Elif(self.enable):
            m.d.sync += register.eq((register >> 1) ^ (feedback.replicate(32) & CRC_POLYNOMIAL))
        return m
