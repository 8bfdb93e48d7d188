"""Ticks: when one starts, when it is over, and where in its sample it is."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import words
from ..spec.config import HOST_WORD_BITS, FabricConfig
from ..spec.words import TICK_BITS, Response
from .barrier import BarrierControl
from .layout import pack
from .pixel_port import Encoding

MESSAGE = data.StructLayout({"first": HOST_WORD_BITS, "second": HOST_WORD_BITS, "long": 1})
"""A message to the host: one word, or two if ``long``."""


def settings(config: FabricConfig) -> data.StructLayout:
    """The registers that a host may write; ``real_time`` says that ``tick_cycles`` is not 0: never in a small port."""
    return data.StructLayout(
        {
            "sample_ticks": TICK_BITS,
            "period_ticks": config.phase_bits + 1,
            "depth": config.depth_bits,
            "overlapped": 1,
            "tick_cycles": HOST_WORD_BITS if config.host_port == "full" else 0,
            "real_time": 1,
        }
    )


class Orders(wiring.Signature):
    """What the decoder of the host's words asks of the ticks.

    Members
    -------
    exclusive : Out(1)
        A command is waiting for ``idle``, or being executed: no tick may start on its own.
    order : Out(1)
        Run ``count`` ticks, then reset if ``reset_after``; only while ``idle``.
    sending : Out(1)
        A packet waits to enter the fabric.
    settings : Out
        Changed only while ``idle``.
    idle : In(1)
        Nothing runs and nothing is ordered.
    open : In(1)
        An event may be sent in this clock, judged by ``tick`` and ``next`` of the clock before.
    tick, next : In(16)
        The oldest tick whose slot is in use; the first tick that was not ordered yet, two clocks after an order.
    late : In(32)
        The LATE register.
    """

    def __init__(self, config: FabricConfig):
        super().__init__(
            {
                "exclusive": Out(1),
                "order": Out(1),
                "count": Out(TICK_BITS),
                "reset_after": Out(1),
                "sending": Out(1),
                "settings": Out(settings(config)),
                "idle": In(1),
                "open": In(1),
                "tick": In(TICK_BITS),
                "next": In(TICK_BITS),
                "late": In(HOST_WORD_BITS),
            }
        )


class State(enum.Enum, shape=3):
    """What the ticks do."""

    IDLE = 0
    START = 1  # no more events, until those on their way have arrived
    RUN = 2
    DONE = 3  # the host is told
    CLEAR = 4  # a reset waits for the configuration on its way
    CLEARING = 5
    CLEARED = 6


class Ticks(wiring.Component):
    """Starts ticks by order or by the clock, and keeps the timebase.

    From quiescence to the next release of a run lie two clocks. While a tick runs, events may be sent for ticks that
    were not ordered yet; while one is about to start (in real time: is due), they wait.

    In real time a period ends every TICK_CYCLES clocks. A tick starts at the end of each; LATE counts the ends that
    found the tick before still running or still to start, and the next tick then starts as soon as it can.

    The position p in the sample saturates far above the longest sample, so that nothing restarts in an endless one. In
    overlapped mode p is 0 again after SAMPLE_TICKS ticks; slot and phase run on.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`

    Members
    -------
    orders : In(Orders)
    barrier : Out(BarrierControl)
    messages : Out(stream of MESSAGE)
        TICK_DONE with the clocks from the one in which ``barrier.release`` is high to the first in which
        ``barrier.quiescent`` is, and RESET_DONE.
    encoding : Out(Encoding)
        With an encoder: before a tick is released, its events are made.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        super().__init__(
            {
                "orders": In(Orders(config)),
                "barrier": Out(BarrierControl(config)),
                "messages": Out(stream.Signature(MESSAGE)),
            }
            | ({"encoding": Out(Encoding(config))} if config.encoder else {})
        )

    def elaborate(self, platform):
        m = Module()
        orders, barrier, real_time = self.orders, self.barrier, self.orders.settings.real_time
        state, clocks = Signal(State), Signal(self.config.host_count_bits)
        remaining, growth, reset_after = Signal(TICK_BITS), Signal(TICK_BITS), Signal()
        is_ordered = (remaining != 0) | reset_after
        begins, is_over, follows = Signal(), Signal(), Signal()  # follows: the next tick is ordered already
        due = self._period(m, begins, (state == State.START) | (state == State.RUN) | (state == State.DONE))
        m.d.sync += [orders.next.eq(orders.next + growth), growth.eq(0)]
        with m.Switch(state):
            with m.Case(State.IDLE):
                with m.If(orders.order):
                    m.d.sync += [remaining.eq(orders.count), reset_after.eq(orders.reset_after)]
                    m.d.sync += growth.eq(orders.count)
                with m.Elif(reset_after & (remaining == 0)):
                    m.d.sync += state.eq(State.CLEAR)
                with m.Elif(Mux(real_time, due & (is_ordered | ~orders.exclusive), remaining != 0)):
                    m.d.comb += begins.eq(1)
                    m.d.sync += [state.eq(State.START), growth.eq(real_time)]
            with m.Case(State.START):
                with m.If(barrier.quiescent & self.encoding.encoded if self.config.encoder else barrier.quiescent):
                    m.d.comb += barrier.release.eq(1)
                    m.d.sync += [state.eq(State.RUN), clocks.eq(1)]
            with m.Case(State.RUN):
                with m.If(barrier.quiescent):
                    m.d.comb += is_over.eq(1)
                    m.d.sync += [state.eq(State.DONE), follows.eq((remaining > 1) & ~real_time)]
                with m.Else():
                    m.d.sync += clocks.eq(clocks + 1)
            with m.Case(State.DONE):
                with m.If(self.messages.ready):
                    m.d.sync += state.eq(Mux(follows, State.START, State.IDLE))
                    m.d.sync += remaining.eq(remaining - (remaining != 0))
            with m.Case(State.CLEAR):
                with m.If(barrier.quiescent):
                    m.d.comb += barrier.reset.eq(1)
                    m.d.sync += state.eq(State.CLEARING)
            with m.Case(State.CLEARING):
                with m.If(barrier.quiescent):
                    m.d.sync += state.eq(State.CLEARED)
            with m.Case(State.CLEARED):
                with m.If(self.messages.ready):
                    m.d.sync += [state.eq(State.IDLE), reset_after.eq(0), orders.next.eq(0)]
        is_open, was_open = Signal(), Signal()
        m.d.sync += was_open.eq(is_open)
        m.d.comb += [
            orders.idle.eq((state == State.IDLE) & ~is_ordered),
            is_open.eq((state != State.START) & ~reset_after & ~due),
            orders.open.eq(is_open & was_open),
            barrier.sending.eq(orders.sending | self.encoding.sending if self.config.encoder else orders.sending),
        ]
        if self.config.encoder:
            m.d.comb += [
                self.encoding.encode.eq(state == State.START),
                self.encoding.slot.eq(barrier.timebase.slot),
                self.encoding.phase.eq(barrier.timebase.phase),
            ]
        told = self._messages(m, state, clocks, is_over)
        self._timebase(m, step=is_over, clear=told & (state == State.CLEARED))
        return m

    def _messages(self, m, state, clocks, is_over) -> Value:
        """Tells the host that a tick or a reset is done; returns whether it has been told in this clock."""
        layouts, message, tick = words.responses(self.config), self.messages.p, Signal(TICK_BITS)
        with m.If(is_over):
            m.d.sync += tick.eq(self.orders.tick)
        tick_done = pack(layouts[Response.TICK_DONE], opcode=Response.TICK_DONE, tick=tick)
        reset_done = pack(layouts[Response.RESET_DONE], opcode=Response.RESET_DONE)
        m.d.comb += [
            self.messages.valid.eq((state == State.DONE) | (state == State.CLEARED)),
            message.first.eq(Mux(state == State.DONE, tick_done, reset_done)),
            message.second.eq(clocks),
            message.long.eq(state == State.DONE),
        ]
        return self.messages.valid & self.messages.ready

    def _period(self, m, begins, is_ticking) -> Value:
        """Counts TICK_CYCLES down; returns whether a period has ended and its tick has not begun."""
        if self.config.host_port == "small":
            return C(0)
        tick_cycles, real_time = self.orders.settings.tick_cycles, self.orders.settings.real_time
        left, running, due = Signal(HOST_WORD_BITS), Signal(), Signal()
        ends = running & real_time & (left == 0)
        m.d.sync += running.eq(real_time)
        m.d.sync += left.eq(Mux(~running | (left == 0), tick_cycles, left) - 1)
        with m.If(ends):
            m.d.sync += [due.eq(1), self.orders.late.eq(self.orders.late + (due | is_ticking))]
        with m.Elif(begins | ~real_time):
            m.d.sync += due.eq(0)
        return due

    def _timebase(self, m, step, clear) -> None:
        """The position in the sample, and what follows from it one clock later: just before the next release.

        The slot follows at once: schedulers read it ahead.
        """
        settings, base, tick = self.orders.settings, self.barrier.timebase, self.orders.tick
        largest = (1 << self.config.depth_bits) - 1
        position, phase = Signal(TICK_BITS + 1), Signal(self.config.phase_bits)
        restarts, wraps, since_end = Signal(), Signal(), position - settings.sample_ticks
        m.d.sync += [
            restarts.eq(settings.overlapped & (settings.sample_ticks != 0) & (position + 1 >= settings.sample_ticks)),
            wraps.eq(phase + 1 >= settings.period_ticks),
            base.phase.eq(phase),
            base.opening.eq(Mux(position < largest, position, largest)),
            base.closing.eq(Mux(since_end < largest, since_end, largest)),
            base.ended.eq(~settings.overlapped & (settings.sample_ticks != 0) & (position >= settings.sample_ticks)),
            base.restart.eq(settings.overlapped & (position <= settings.depth)),
        ]
        m.d.comb += base.slot.eq(tick)
        with m.If(clear):
            m.d.sync += [tick.eq(0), position.eq(0), phase.eq(0)]
        with m.Elif(step):
            m.d.sync += [
                tick.eq(tick + 1),
                position.eq(Mux(restarts, 0, Mux(position.all(), position, position + 1))),
                phase.eq(Mux(wraps, 0, phase + 1)),
            ]
