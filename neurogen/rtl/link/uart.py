"""A UART, 8N1, for any ratio of clock to baud rate from 4 up."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ...spec.link import MIN_CLOCKS_PER_BIT

DATA_BITS = 8
TOLERANCE = 0.002
"""Of the bit length. At the tenth bit a sample is off by 2 % of a bit, beside the crystals' own error."""


def pace(clock_hz: int, baud: int) -> tuple[int, int]:
    """(width, step): an accumulator of ``width`` bits that grows by ``step`` each clock overflows ``baud`` times a
    second, to within ``TOLERANCE``.

    Raises ValueError where a bit has less than ``MIN_CLOCKS_PER_BIT`` clocks.
    """
    if clock_hz < MIN_CLOCKS_PER_BIT * baud:
        raise ValueError(f"a UART of {baud} baud needs a clock of {MIN_CLOCKS_PER_BIT * baud} Hz, not {clock_hz}")
    width = 1
    while abs((step := round((baud << width) / clock_hz)) * clock_hz / (baud << width) - 1) > TOLERANCE:
        width += 1
    return width, step


class Pace(wiring.Component):
    """Ticks once per bit, of ``2**width / step`` clocks on average.

    Members
    -------
    start : In(1)
        The next tick comes a whole bit later, with ``half`` half a bit.
    half : In(1)
    tick : Out(1)
    """

    def __init__(self, *, width: int, step: int):
        self.width = width
        self.step = step
        super().__init__({"start": In(1), "half": In(1), "tick": Out(1)})

    def elaborate(self, platform):
        m = Module()
        phase, following = Signal(self.width), Signal(self.width + 1)
        m.d.comb += [following.eq(phase + self.step), self.tick.eq(following[-1] & ~self.start)]
        m.d.sync += phase.eq(following)
        with m.If(self.start):
            m.d.sync += phase.eq(self.half << (self.width - 1))
        return m


class UartRx(wiring.Component):
    """Takes bytes from a line.

    The line is synchronised, and read as the majority of three clocks, so a glitch of one clock is not seen. A low line
    starts a byte if it is still low half a bit later; bits are read in their middle. A byte whose stop bit is low is
    dropped, and the next one starts after the line was high again.

    A byte is offered for one clock, half a bit before it ends on the line, and is lost if it is not taken then; bytes
    are at least 9.5 bits apart.

    Parameters
    ----------
    clock_hz, baud : int

    Members
    -------
    rx : In(1)
    o : Out(stream of 8 bits)
        Does not wait for ``ready``.
    """

    def __init__(self, *, clock_hz: int, baud: int):
        self.clock_hz = clock_hz
        self.baud = baud
        self.width, self.step = pace(clock_hz, baud)
        super().__init__({"rx": In(1), "o": Out(stream.Signature(DATA_BITS))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pace = pace = Pace(width=self.width, step=self.step)
        now, before, line = Signal(init=1), Signal(2, init=0b11), Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, now, init=1)
        m.d.sync += [before.eq(Cat(now, before)), line.eq(Mux(now, before.any(), before.all()))]
        shift, left = Signal(DATA_BITS), Signal(range(DATA_BITS))
        m.d.comb += [self.o.payload.eq(shift), pace.half.eq(1)]
        with m.FSM(init="BREAK"):
            with m.State("BREAK"):
                m.d.comb += pace.start.eq(1)
                with m.If(line):
                    m.next = "IDLE"
            with m.State("IDLE"):
                m.d.comb += pace.start.eq(line)
                m.d.sync += left.eq(DATA_BITS - 1)
                with m.If(pace.tick):
                    m.next = "DATA"
            with m.State("DATA"):
                with m.If(pace.tick):
                    m.d.sync += [shift.eq(Cat(shift[1:], line)), left.eq(left - 1)]
                    with m.If(left == 0):
                        m.next = "STOP"
            with m.State("STOP"):
                m.d.comb += self.o.valid.eq(pace.tick & line)
                with m.If(pace.tick & line):
                    m.next = "IDLE"
                with m.Elif(pace.tick):
                    m.next = "BREAK"
        return m


class UartTx(wiring.Component):
    """Puts bytes on a line: a low start bit, eight bits, lowest first, and a high stop bit.

    Latency 1 clock to the start bit; throughput one byte in ten bits and a clock. ``i.ready`` is low while a byte is on
    the line.

    Parameters
    ----------
    clock_hz, baud : int

    Members
    -------
    i : In(stream of 8 bits)
    tx : Out(1)
    """

    def __init__(self, *, clock_hz: int, baud: int):
        self.clock_hz = clock_hz
        self.baud = baud
        self.width, self.step = pace(clock_hz, baud)
        super().__init__({"i": In(stream.Signature(DATA_BITS)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pace = pace = Pace(width=self.width, step=self.step)
        following = Signal(DATA_BITS + 2)  # two more ones: the stop bit, and one that is gone when that bit ends
        m.d.comb += [self.i.ready.eq(~following.any()), pace.start.eq(self.i.ready)]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [self.tx.eq(0), following.eq(Cat(self.i.payload, 1, 1))]
        with m.Elif(pace.tick):
            m.d.sync += [self.tx.eq(following[0]), following.eq(following[1:])]
        return m
