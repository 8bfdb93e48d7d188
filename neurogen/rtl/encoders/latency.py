"""The latency encoder: pixels are sorted by their step as they come."""

from amaranth import *
from amaranth.lib import data, enum
from amaranth.lib.memory import Memory

from . import EncoderUnit

NAME = "latency"


class State(enum.Enum, shape=3):
    """What the unit does."""

    IDLE = 0
    TIME = 1  # the step of the pixel is known
    LINK = 2  # the line before it in that step's list is known
    HEAD = 3  # the first line of the step's list is known
    NEXT = 4  # the next one is


class Unit(EncoderUnit):
    """The equation of :mod:`neurogen.spec.encoders.latency`.

    One list of lines for each step: ``heads`` has a list's first line, ``links`` what follows each line, a flip-flop
    for each step says whether its list has any. A pixel that fires takes 3 clocks as it comes, one that does not 2; a
    step takes 2 clocks for each event, 1 more if it has any, and none if it has none. So an image costs 5 clocks for
    each event and 2 for each other pixel that is not 0: of MNIST on average 750. The step of a pixel is looked up in a
    table of ``full + 1`` rows.
    """

    def elaborate(self, platform):
        m = Module()
        config, pixel, event = self.config, self.pixels.p, self.events.p
        never, state, now = config.steps, Signal(State), Signal(range(config.steps))
        m.submodules.times = times = Memory(shape=range(never + 1), depth=config.full + 1, init=self._times())
        m.submodules.heads = heads = Memory(shape=config.line_bits, depth=config.steps, init=[])
        link = data.StructLayout({"line": config.line_bits, "last": 1})
        m.submodules.links = links = Memory(shape=link, depth=config.lines, init=[])
        filled = Signal(config.steps)
        time, first, next_ = times.read_port(), heads.read_port(), links.read_port()
        set_first, set_next = heads.write_port(), links.write_port()
        at = Signal(range(config.steps))  # the step of the pixel

        m.d.comb += [
            self.busy.eq(state != State.IDLE),
            self.pixels.ready.eq((state == State.LINK) | ((state == State.TIME) & (time.data == never))),
            time.addr.eq(pixel.value),
            time.en.eq(state == State.IDLE),
            first.addr.eq(Mux(state == State.IDLE, now, time.data)),
            first.en.eq((state == State.IDLE) | (state == State.TIME)),
            next_.addr.eq(event.line),
            next_.en.eq(self.events.valid),
            set_first.addr.eq(at),
            set_first.data.eq(pixel.line),
            set_first.en.eq(state == State.LINK),
            set_next.addr.eq(pixel.line),
            set_next.data.eq(Cat(first.data, ~filled.bit_select(at, 1))),
            set_next.en.eq(state == State.LINK),
            event.value.eq(1),
        ]
        with m.Switch(state):
            with m.Case(State.IDLE):
                with m.If(self.step):
                    m.d.sync += now.eq(now + 1)
                    with m.If(filled.bit_select(now, 1)):
                        m.d.sync += state.eq(State.HEAD)
                with m.Elif(self.pixels.valid):
                    m.d.sync += state.eq(State.TIME)
            with m.Case(State.TIME):
                m.d.sync += [at.eq(time.data), state.eq(Mux(time.data == never, State.IDLE, State.LINK))]
            with m.Case(State.LINK):
                m.d.sync += [filled.bit_select(at, 1).eq(1), state.eq(State.IDLE)]
            with m.Case(State.HEAD):
                m.d.sync += [event.line.eq(first.data), self.events.valid.eq(1), state.eq(State.NEXT)]
            with m.Case(State.NEXT):
                with m.If(self.events.valid & self.events.ready):
                    m.d.sync += self.events.valid.eq(0)
                with m.Elif(~self.events.valid & next_.data.last):
                    m.d.sync += state.eq(State.IDLE)
                with m.Elif(~self.events.valid):
                    m.d.sync += [event.line.eq(next_.data.line), self.events.valid.eq(1)]
        with m.If(self.clear):
            m.d.sync += [filled.eq(0), now.eq(0)]
        return m

    def _times(self) -> list[int]:
        """The step in which each pixel fires; T for never."""
        full, least, steps = self.config.full, self.config.constants["least"], self.config.steps
        # round(d / full) of d = (full - x) * (T - 1), halves up
        rounded = (((full - x) * (steps - 1), x) for x in range(full + 1))
        return [d // full + (2 * (d % full) >= full) if x > least else steps for d, x in rounded]
