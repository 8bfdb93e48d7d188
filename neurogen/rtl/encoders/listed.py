"""Encoders that look at every pixel in every step: a list of those that are not 0."""

from amaranth import *
from amaranth.lib import data
from amaranth.lib.memory import Memory

from ...spec.config import EncoderConfig
from ..image_memory import NO_CHECK
from . import EncoderUnit, pixel_layout


class ListedUnit(EncoderUnit):
    """Walks the list of pixels that are not 0, one per clock; :meth:`_event` says what becomes of each.

    A pixel costs one clock as it comes, and a step ``pixels + 4`` clocks where events do not wait; the first event
    follows its ``step`` by 4 clocks. A list row is ``{line, value, state}``, in block RAM; the state is 0 at the start
    of a sample and written back two clocks after it was read.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.EncoderConfig`
    state_bits : int
        Width of a pixel's state.
    """

    def __init__(self, config: EncoderConfig, state_bits: int = 0):
        self.state_bits = state_bits
        super().__init__(config)

    def _event(self, value: Value, state: Value) -> tuple[Value, Value, Value]:
        """Whether a pixel makes an event, the event's payload, and its next state."""
        raise NotImplementedError

    def elaborate(self, platform):
        m = Module()
        row = data.StructLayout({"pixel": pixel_layout(self.config), "state": self.state_bits})
        # Rows are written two behind those that are read, so what is read of a row that is written does not matter.
        m.submodules.rows = memory = Memory(shape=row, depth=self.config.lines, init=[], attrs=NO_CHECK)
        read, write = memory.read_port(), memory.write_port()
        count, at = Signal(range(self.config.lines + 1)), Signal(range(self.config.lines + 1))
        fetched, found, place, places = Signal(), Signal(row), Signal.like(write.addr), Signal.like(write.addr)
        is_walking, is_found, moves = Signal(), Signal(), Signal()

        fires, payload, state = self._event(found.pixel.value, found.state)
        m.d.comb += [
            moves.eq(~self.events.valid | self.events.ready),
            self.busy.eq(is_walking | fetched | is_found | self.events.valid),
            self.pixels.ready.eq(1),
            read.addr.eq(at),
            read.en.eq(moves),
        ]
        with m.If(self.step):
            m.d.sync += [at.eq(0), is_walking.eq(count != 0)]
        with m.Elif(moves):
            m.d.sync += [at.eq(at + is_walking), is_walking.eq(is_walking & (at + 1 != count))]
        with m.If(moves):
            m.d.sync += [
                fetched.eq(is_walking), places.eq(at),
                is_found.eq(fetched), place.eq(places), found.eq(read.data),
                self.events.valid.eq(is_found & fires), self.events.p.line.eq(found.pixel.line),
                self.events.p.value.eq(payload),
            ]  # fmt: skip

        m.d.comb += [write.addr.eq(count), write.en.eq(self.pixels.valid), write.data.pixel.eq(self.pixels.payload)]
        if self.state_bits:
            with m.If(is_found):
                m.d.comb += [write.addr.eq(place), write.en.eq(moves)]
                m.d.comb += [write.data.pixel.eq(found.pixel), write.data.state.eq(state)]
        with m.If(self.clear):
            m.d.sync += count.eq(0)
        with m.Elif(self.pixels.valid):
            m.d.sync += count.eq(count + 1)
        return m
