"""Frames to the host: words of the fabric, numbered and kept until they are acknowledged."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ...spec.link import FRAME_WORDS, HEADER, IDENTITY, IDENTITY_WORDS, NUMBER_BITS
from ..layout import pack
from .crc import Crc
from .receiver import WORD_BITS
from .slip import ITEM


IDENTITY_BITS = exact_log2(IDENTITY_WORDS)


class Part(enum.Enum, shape=2):
    """What a frame is made of, in this order; the words may be missing."""

    FLAGS = 0
    NUMBERS = 1
    WORDS = 2
    CRC = 3


REASONS = data.StructLayout({"answer": 1, "open": 1, "resend": 1})
"""Why a frame is due, besides words that wait: to answer, with the identity, with the wish for other frames again."""

REPORT = data.StructLayout({"ack": NUMBER_BITS, "credit": HEADER["credit"].width, "resend": 1})
"""What an intact frame of the host says about the words that were sent to it."""


class Sender(wiring.Component):
    """Sends frames, as many words in each as wait, at most ``FRAME_WORDS``.

    A byte takes 9 clocks and its way out, so the line is the limit. ``words.ready`` drops while the ring is full of words
    that are not acknowledged. A frame that goes back, or skips words that came back as acknowledged, starts between frames.

    Parameters
    ----------
    words_log2 : int
        log2 of the words in the ring.
    identity : int
        What follows the header of an answer to OPEN.

    Members
    -------
    words : In(stream of 32 bits)
    o : Out(stream of ITEM)
    ack : In(16)
    credit : In(12)
    session : In(16)
        These go into the header; ``ack`` and ``credit`` are taken in the same clock.
    due : In(REASONS)
    taken : Out(1)
        A frame that says what is ``due`` starts in this clock.
    heard : In(1)
        ``report`` is valid.
    report : In(REPORT)
    restart : In(1)
        Forget all words, count from 0.
    """

    def __init__(self, *, words_log2: int, identity: int):
        self.words_log2 = words_log2
        self.identity = identity
        super().__init__(
            {
                "words": In(stream.Signature(WORD_BITS)),
                "o": Out(stream.Signature(ITEM)),
                "ack": In(NUMBER_BITS),
                "credit": In(HEADER["credit"].width),
                "session": In(NUMBER_BITS),
                "due": In(REASONS),
                "taken": Out(1),
                "heard": In(1),
                "report": In(REPORT),
                "restart": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # base: oldest word that is kept; following: next to be sent; head: next to be taken from the fabric
        base, following, head = Signal(NUMBER_BITS), Signal(NUMBER_BITS), Signal(self.words_log2 + 1)
        waits, astray = Signal(), Signal()
        word = self._ring(m, base, following, head)
        settle, sent = Signal(), Signal()
        self._window(m, base, following, head, waits, astray, settle, sent)
        self._frames(m, word, following, waits, astray, settle, sent)
        return m

    def _ring(self, m, base, following, head) -> Value:
        """Words from the fabric; returns the one at ``following``, a clock after that has changed."""
        m.submodules.ring = ring = Memory(shape=WORD_BITS, depth=1 << self.words_log2, init=[])
        write, read = ring.write_port(), ring.read_port()
        is_full = Signal()
        m.d.comb += [
            is_full.eq((head ^ base[: len(head)]) == 1 << self.words_log2),
            self.words.ready.eq(~is_full & ~self.restart),
            write.addr.eq(head),
            write.data.eq(self.words.payload),
            write.en.eq(self.words.valid & self.words.ready),
            read.addr.eq(following),
            read.en.eq(1),
        ]
        with m.If(write.en):
            m.d.sync += head.eq(head + 1)
        return read.data

    def _window(self, m, base, following, head, waits, astray, settle, sent) -> None:
        """Which words may be sent, and which need not be kept."""
        size = self.words_log2
        credit, back = Signal.like(self.credit), Signal()
        ahead, acked, held = Signal(signed(size + 2)), Signal(NUMBER_BITS), Signal(size + 1)
        m.d.comb += [
            ahead.eq((following - base)[: size + 2]),
            astray.eq(back | ahead[-1]),
            waits.eq((following[: size + 1] != head) & (ahead < credit)),
            acked.eq(self.report.ack - base),
            held.eq(head - base[: size + 1]),
        ]
        with m.If(settle):
            m.d.sync += [following.eq(base), back.eq(0)]
        with m.Elif(sent):
            m.d.sync += following.eq(following + 1)
        with m.If(self.heard & (acked <= held)):
            m.d.sync += [base.eq(self.report.ack), credit.eq(self.report.credit)]
            with m.If(self.report.resend):
                m.d.sync += back.eq(1)
        with m.If(self.restart):
            m.d.sync += [base.eq(0), following.eq(0), head.eq(0), credit.eq(0), back.eq(1)]

    def _frames(self, m, word, following, waits, astray, settle, sent) -> None:
        """Header, words and CRC, bit by bit through the CRC into a byte."""
        m.submodules.crc = crc = Crc()
        shift, byte, bits, count = Signal(WORD_BITS), Signal(8), Signal(5), Signal(range(FRAME_WORDS))
        part, with_identity = Signal(Part), Signal()
        header = pack(
            HEADER, open=self.due.open, resend=self.due.resend, poll=0, reserved=0, credit=self.credit, ack=self.ack,
            seq=following, session=self.session,
        )  # fmt: skip
        identity = Array(self.identity >> (WORD_BITS * i) & 0xFFFFFFFF for i in range(IDENTITY_WORDS))[
            count[:IDENTITY_BITS]
        ]
        m.d.comb += [crc.drain.eq(part == Part.CRC), crc.bit.eq(shift[0]), self.o.p.byte.eq(byte)]
        with m.FSM(init="IDLE"):
            with m.State("IDLE"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [part.eq(Part.FLAGS), count.eq(0)]
                with m.If(astray):
                    m.d.comb += settle.eq(1)
                with m.Elif(self.due.as_value().any() | waits):
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.comb += [self.o.valid.eq(1), self.o.p.end.eq(1)]
                with m.If(self.o.ready):
                    m.next = "LOAD"
            with m.State("LOAD"):
                with m.Switch(part):
                    with m.Case(Part.FLAGS):
                        m.d.sync += [shift.eq(header[:WORD_BITS]), with_identity.eq(self.due.open)]
                        m.d.comb += self.taken.eq(1)
                    with m.Case(Part.NUMBERS):
                        m.d.sync += shift.eq(header[WORD_BITS:])
                    with m.Case(Part.WORDS):
                        m.d.sync += [shift.eq(Mux(with_identity, identity, word)), count.eq(count + 1)]
                        m.d.comb += sent.eq(~with_identity)
                m.d.sync += bits.eq(0)
                m.next = "SHIFT"
            with m.State("SHIFT"):
                m.d.comb += crc.enable.eq(1)
                m.d.sync += [shift.eq(shift >> 1), byte.eq(Cat(byte[1:], Mux(crc.drain, crc.out, shift[0])))]
                m.d.sync += bits.eq(bits + 1)
                with m.If(bits[:3] == 7):
                    m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "SHIFT"
                    with m.If(bits == 0):
                        self._next(m, part, count, with_identity, waits)
            with m.State("FINISH"):
                m.d.comb += [self.o.valid.eq(1), self.o.p.end.eq(1)]
                with m.If(self.o.ready):
                    m.next = "IDLE"

    def _next(self, m, part, count, with_identity, waits) -> None:
        """What follows a whole word. ``count`` is 0 before the first word of a frame, and after the last that it holds."""
        index = Mux(with_identity, count[:IDENTITY_BITS], count)
        more = (with_identity | waits) & ((part == Part.NUMBERS) | index.any())
        m.next = "LOAD"
        with m.If(part == Part.FLAGS):
            m.d.sync += part.eq(Part.NUMBERS)
        with m.Elif(part == Part.CRC):
            m.next = "FINISH"
        with m.Elif(more):
            m.d.sync += part.eq(Part.WORDS)
        with m.Else():
            m.d.sync += part.eq(Part.CRC)
