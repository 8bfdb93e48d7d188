"""Frames to the host: words of the fabric, numbered and kept until they are acknowledged."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...spec.fixed import index_bits
from ...spec.link import FRAME_WORDS, HEADER, IDENTITY, NUMBER_BITS, WORD_BITS
from ..image_memory import NO_CHECK
from ..layout import pack
from .crc import Crc
from .slip import ITEM

HALF_BITS = WORD_BITS // 2
HEADER_HALVES, IDENTITY_HALVES = HEADER.width // HALF_BITS, IDENTITY.width // HALF_BITS
assert HEADER_HALVES % 2 == 0

REASONS = data.StructLayout({"answer": 1, "open": 1, "resend": 1})
"""Why a frame is due, besides words that wait: to answer, with the identity, with the wish for other frames again."""

REPORT = data.StructLayout({"ack": NUMBER_BITS, "credit": HEADER["credit"].width, "resend": 1})
"""What an intact frame of the host says about the words that were sent to it."""


class Part(enum.Enum, shape=2):
    """What a frame is made of."""

    HEADER = 0
    IDENTITY = 1
    WORDS = 2
    CRC = 3


class Sender(wiring.Component):
    """Sends frames, as many words in each as wait, at most ``FRAME_WORDS``.

    A byte takes 9 clocks and its way out, so the line is the limit. ``words.ready`` drops while the ring is full of
    words that are not acknowledged. What goes back, or skips words that are acknowledged already, does so between
    frames.

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
        These go into the header. ``credit`` is taken after ``ack``: what comes in between has used up credit.
    due : In(REASONS)
    taken : Out(1)
        A frame that says what is ``due`` takes note of it in this clock.
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
        # What is read in the clock in which it is written is read again before it counts.
        m.submodules.ring = ring = Memory(shape=WORD_BITS, depth=1 << self.words_log2, init=[], attrs=NO_CHECK)
        # base: oldest word that is kept; following: next to be sent; head: next to be taken from the fabric
        base, following, head = Signal(NUMBER_BITS), Signal(NUMBER_BITS), Signal(self.words_log2 + 1)
        self._ring(m, ring.write_port(), base, head)
        read = ring.read_port()
        m.d.comb += [read.addr.eq(following), read.en.eq(1)]
        sent, settle, waits, astray = Signal(), Signal(), Signal(), Signal()
        self._window(m, base, following, head, sent, settle, waits, astray)
        self._frames(m, following, read.data, sent, settle, waits, astray)
        return m

    def _ring(self, m, write, base, head) -> None:
        """Words from the fabric. Whether there is room is known a clock ago, with two words to spare."""
        has_room, held = Signal(), (head - base[: len(head)])[: len(head)]
        m.d.sync += has_room.eq(~(held[-1] | held[1:-1].all()))
        m.d.comb += [
            self.words.ready.eq(has_room & ~self.restart),
            write.addr.eq(head),
            write.data.eq(self.words.payload),
            write.en.eq(self.words.valid & self.words.ready),
        ]
        with m.If(write.en):
            m.d.sync += head.eq(head + 1)
        with m.If(self.restart):
            m.d.sync += head.eq(0)

    def _window(self, m, base, following, head, sent, settle, waits, astray) -> None:
        """``waits``: a word could be sent a clock ago, so what was last taken is out of the ring by now.

        ``astray``: ``following`` has to ``settle`` at ``base`` again.
        """
        size = self.words_log2
        credit, back = Signal.like(self.credit), Signal()
        ahead, acked, held = Signal(signed(size + 2)), Signal(NUMBER_BITS), Signal(size + 1)
        m.d.comb += [
            ahead.eq((following - base)[: size + 2]),
            astray.eq(self.restart | back | ahead[-1]),
            acked.eq(self.report.ack - base),
            held.eq(head - base[: size + 1]),
        ]
        m.d.sync += waits.eq((following[: size + 1] != head) & (ahead < credit) & ~astray)
        with m.If(settle):
            m.d.sync += [following.eq(base), back.eq(0)]
        with m.Elif(sent):
            m.d.sync += following.eq(following + 1)
        with m.If(self.heard & (acked <= held)):
            m.d.sync += [base.eq(self.report.ack), credit.eq(self.report.credit)]
            with m.If(self.report.resend):
                m.d.sync += back.eq(1)
        with m.If(self.restart):
            m.d.sync += [base.eq(0), credit.eq(0), back.eq(1)]

    def _frames(self, m, following, word, sent, settle, waits, astray) -> None:
        """Half-words, bit by bit through the CRC into a byte. ``index`` counts them within each part."""
        m.submodules.crc = crc = Crc()
        half, byte, bits = Signal(HALF_BITS), Signal(8), Signal(range(HALF_BITS))
        part, index, flags = Signal(Part), Signal(range(2 * FRAME_WORDS)), Signal(REASONS)
        # Only this between the ring and a register. index[0] stands when a part begins: a header's halves are even.
        of_word = Signal(HALF_BITS)
        m.d.sync += of_word.eq(word.word_select(index[0], HALF_BITS))
        m.d.comb += [crc.drain.eq(part == Part.CRC), crc.bit.eq(half[0]), self.o.p.byte.eq(byte)]
        with m.FSM(init="IDLE"):
            with m.State("IDLE"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [part.eq(Part.HEADER), index.eq(0)]
                with m.If(astray):
                    m.d.comb += settle.eq(1)
                with m.Elif(self.due.as_value().any() | waits):
                    m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.comb += [self.o.valid.eq(1), self.o.p.end.eq(1)]
                with m.If(self.o.ready):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.next = "SHIFT"
                with m.If((part == Part.HEADER) & (index == 0) & astray):  # a session has started just now
                    m.next = "IDLE"
                with m.Else():
                    self._load(m, half, part, index, flags, following, of_word, sent)
            with m.State("SHIFT"):
                m.d.comb += crc.enable.eq(1)
                m.d.sync += [half.eq(half >> 1), byte.eq(Cat(byte[1:], Mux(crc.drain, crc.out, half[0])))]
                m.d.sync += bits.eq(bits + 1)
                with m.If(bits[:3] == 7):
                    m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "SHIFT"
                    with m.If(bits == 0):
                        self._next(m, part, index, flags.open, waits)
            with m.State("FINISH"):
                m.d.comb += [self.o.valid.eq(1), self.o.p.end.eq(1)]
                with m.If(self.o.ready):
                    m.next = "IDLE"

    def _load(self, m, half, part, index, flags, following, of_word, sent) -> None:
        """Take the next half-word. ``ack`` is the first; a reason that comes later is the next frame's."""
        header = pack(
            HEADER, open=flags.open, resend=flags.resend, poll=0, reserved=0, credit=self.credit, ack=self.ack,
            seq=following, session=self.session,
        )  # fmt: skip
        m.d.sync += index.eq(index + 1)
        with m.Switch(part):
            with m.Case(Part.HEADER):
                with m.If(index == 0):
                    m.d.comb += self.taken.eq(1)
                    m.d.sync += flags.eq(self.due)
                m.d.sync += half.eq(header.word_select(index[: index_bits(HEADER_HALVES)], HALF_BITS))
            with m.Case(Part.IDENTITY):
                halves = [self.identity >> HALF_BITS * i & ((1 << HALF_BITS) - 1) for i in range(IDENTITY_HALVES)]
                m.d.sync += half.eq(Array(halves)[index[: index_bits(IDENTITY_HALVES)]])
            with m.Case(Part.WORDS):
                m.d.sync += half.eq(of_word)
                m.d.comb += sent.eq(index[0])

    def _next(self, m, part, index, with_identity, waits) -> None:
        """After a half-word: what follows. ``index`` is one further already, and returns to 0 after the last word."""
        m.next = "LOAD"
        with m.Switch(part):
            with m.Case(Part.HEADER):
                with m.If(index == HEADER_HALVES):
                    m.d.sync += [index.eq(0), part.eq(Mux(waits, Part.WORDS, Part.CRC))]
                    with m.If(with_identity):
                        m.d.sync += part.eq(Part.IDENTITY)
            with m.Case(Part.IDENTITY):
                with m.If(index == IDENTITY_HALVES):
                    m.d.sync += [index.eq(0), part.eq(Part.CRC)]
            with m.Case(Part.WORDS):
                with m.If(~index[0] & (~waits | (index == 0))):
                    m.d.sync += [index.eq(0), part.eq(Part.CRC)]
            with m.Case(Part.CRC):
                with m.If(index[0] == 0):
                    m.next = "FINISH"
