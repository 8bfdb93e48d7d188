"""The boot loader: plays what a board's flash holds into the link, as if a host had sent it."""

import math

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec.boot import HEADER, LENGTH_BITS, OFFSET, READ, WAKE, WAKE_SECONDS, header

COMMAND_BITS, ADDRESS_BITS, BYTE_BITS = 8, 24, 8


class State(enum.Enum, shape=3):
    """What is on the flash's pins."""

    START = 0
    WAKE = 1
    REST = 2  # the flash wakes up
    READ = 3  # command and address
    HEADER = 4
    FRAMES = 5
    DONE = 6


class BootLoader(wiring.Component):
    """Reads the boot image once, after reset. One byte in 16 clocks where ``o`` is ready: SCK is half the clock.

    SPI mode 0. What the flash says is sampled at the end of SCK's high half, a whole period of SCK after the edge that
    asked for it. An image of another build, or none, ends it after the header.

    Parameters
    ----------
    clock_hz : int
    build_digest : int
        The one that the image has to have.

    Members
    -------
    sck, select, copi : Out(1)
        To the flash; ``select`` is active high.
    cipo : In(1)
    o : Out(stream of 8 bits)
        The frames' bytes.
    busy : Out(1)
        Until the last byte has been taken.
    """

    def __init__(self, *, clock_hz: int, build_digest: int):
        self.rest_cycles = math.ceil(WAKE_SECONDS * clock_hz)
        self.header = header(build_digest, length=0)
        super().__init__(
            {
                "sck": Out(1),
                "select": Out(1),
                "copi": Out(1),
                "cipo": In(1),
                "o": Out(stream.Signature(BYTE_BITS)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        state, place = Signal(State), Signal(range(HEADER.width))  # place: of the bit in what is sent or expected
        left = Signal(LENGTH_BITS, init=self.rest_cycles)  # clocks of the rest; then bytes that are still to come
        runs, sampled = Signal(), Signal()  # sampled: this clock edge ends a bit
        m.d.comb += [
            runs.eq(~self.o.valid | self.o.ready),
            sampled.eq(self.sck & runs),
            self.busy.eq(state != State.DONE),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.Switch(state):
            with m.Case(State.START):
                m.d.sync += [self.select.eq(1), state.eq(State.WAKE)]
            with m.Case(State.WAKE):
                self._send(m, place, WAKE, COMMAND_BITS, then=[state.eq(State.REST), self.select.eq(0)])
            with m.Case(State.REST):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.d.sync += [state.eq(State.READ), self.select.eq(1)]
            with m.Case(State.READ):
                order = READ << ADDRESS_BITS | OFFSET
                self._send(m, place, order, COMMAND_BITS + ADDRESS_BITS, then=[state.eq(State.HEADER)])
            with m.Case(State.HEADER):
                self._check(m, state, place, left)
            with m.Case(State.FRAMES):
                self._take(m, state, place, left, runs, sampled)
        return m

    def _send(self, m, place, value: int, bits: int, then) -> None:
        """``bits`` bits of ``value``, the highest first."""
        m.d.comb += self.copi.eq(_backwards(value, bits).bit_select(place, 1))
        m.d.sync += [self.sck.eq(~self.sck), place.eq(place + self.sck)]
        with m.If(self.sck & (place == bits - 1)):
            m.d.sync += [place.eq(0), *then]

    def _check(self, m, state, place, left) -> None:
        """Compare all of the header but the length, which comes last and is kept."""
        expected = _backwards(self.header, HEADER.width)
        m.d.sync += [self.sck.eq(~self.sck), place.eq(place + self.sck)]
        with m.If(self.sck):
            m.d.sync += left.eq(Cat(self.cipo, left))
            with m.If((place < HEADER.width - LENGTH_BITS) & (self.cipo != expected.bit_select(place, 1))):
                m.d.sync += [state.eq(State.DONE), self.select.eq(0)]
            with m.Elif(place == HEADER.width - 1):
                m.d.sync += [place.eq(0), state.eq(State.FRAMES)]

    def _take(self, m, state, place, left, runs, sampled) -> None:
        """Bytes, the highest bit first; the clock stops while one waits."""
        with m.If(runs & (left != 0)):
            m.d.sync += self.sck.eq(~self.sck)
        with m.If(sampled):
            m.d.sync += [self.o.payload.eq(Cat(self.cipo, self.o.payload)), place.eq(place + 1)]
            with m.If(place[:3].all()):
                m.d.sync += [self.o.valid.eq(1), left.eq(left - 1)]
        with m.If((left == 0) & runs):
            m.d.sync += [state.eq(State.DONE), self.select.eq(0)]


def _backwards(value: int, bits: int) -> Const:
    """The constant whose bit 0 is the highest of ``value``."""
    return Const(int(f"{value:0{bits}b}"[::-1], 2), bits)
