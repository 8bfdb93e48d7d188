"""Frames from the host: checked, their words kept for the fabric."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...spec.link import HEADER, NUMBER_BITS, WORD_BITS
from ..image_memory import NO_CHECK
from ..layout import view
from .crc import Crc
from .slip import ITEM

HEADER_WORDS = HEADER.width // WORD_BITS

NEWS = data.StructLayout(
    {
        "damaged": 1,  # all else means nothing
        "open": 1,
        "resend": 1,
        "poll": 1,
        "ours": 1,  # of the session that runs
        "words": 1,  # it carried words
        "gap": 1,  # words before its first are missing
        "credit": HEADER["credit"].width,
        "number": NUMBER_BITS,  # `ack`; of an OPEN, `session`
    }
)
"""What is known of a frame when it has ended."""


class Receiver(wiring.Component):
    """Takes frames apart. Words go into a ring as they come, and count when the frame's CRC proves right.

    An item that starts a byte takes 9 clocks, ``i.ready`` being low in between. Words leave one in two clocks, two
    clocks after their frame's end.

    Words of a frame are taken if the frame belongs to ``session``, its first word is the one that is expected, and all
    fit into the ring, as they do if the host keeps to its credit.

    Parameters
    ----------
    words_log2 : int
        log2 of the words in the ring.

    Members
    -------
    i : In(stream of ITEM)
    words : Out(stream of 32 bits)
    session : In(16)
    restart : In(1)
        Empty the ring, expect word 0. Only between frames.
    ack : Out(16)
        Number of the next word that is expected.
    credit : Out(words_log2)
        Words that have room.
    ended : Out(1)
        A frame ends in this clock; ``news`` tells about it.
    news : Out(NEWS)
    """

    def __init__(self, *, words_log2: int):
        self.words_log2 = words_log2
        super().__init__(
            {
                "i": In(stream.Signature(ITEM)),
                "words": Out(stream.Signature(WORD_BITS)),
                "session": In(NUMBER_BITS),
                "restart": In(1),
                "ack": Out(NUMBER_BITS),
                "credit": Out(words_log2),
                "ended": Out(1),
                "news": Out(NEWS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = Crc()
        # A word is read after it has been written, so what a collision gives does not matter.
        m.submodules.ring = ring = Memory(shape=WORD_BITS, depth=1 << self.words_log2, init=[], attrs=NO_CHECK)
        # Bits: a byte goes through the CRC into the word.
        byte, word, bits_left, bytes_seen = Signal(8), Signal(WORD_BITS), Signal(4), Signal(2)
        shifting, starts, word_done = Signal(), Signal(), Signal()
        m.d.comb += [
            shifting.eq(bits_left.any()),
            self.i.ready.eq(~shifting),
            starts.eq(self.i.valid & ~shifting & ~self.i.p.end),
            word_done.eq(shifting & (bits_left == 1) & (bytes_seen == 3)),
            crc.enable.eq(shifting),
            crc.bit.eq(byte[0]),
        ]
        with m.If(shifting):
            m.d.sync += [byte.eq(byte >> 1), word.eq(Cat(word[1:], byte[0])), bits_left.eq(bits_left - 1)]
            m.d.sync += bytes_seen.eq(bytes_seen + (bits_left == 1))
        with m.If(starts):
            m.d.sync += [byte.eq(self.i.p.byte), bits_left.eq(8)]
        whole = Signal(WORD_BITS)  # the word in the clock of its last bit
        m.d.comb += whole.eq(Cat(word[1:], byte[0]))

        place = Signal(range(HEADER_WORDS + 3))  # words that are complete, up to one more than header and CRC
        self._header(m, place, word_done, whole)
        self._ring(m, ring, place, word_done, whole, starts)

        ends, any_byte = Signal(), Signal()
        m.d.comb += [
            ends.eq(self.i.valid & ~shifting & self.i.p.end),
            any_byte.eq(place.any() | bytes_seen.any()),
            self.ended.eq(ends & any_byte),
            self.news.damaged.eq(~crc.intact | bytes_seen.any() | (place <= HEADER_WORDS)),
            self.news.words.eq(place > HEADER_WORDS + 1),
            crc.clear.eq(ends),
        ]
        with m.If(word_done & (place != HEADER_WORDS + 2)):
            m.d.sync += place.eq(place + 1)
        with m.If(ends):
            m.d.sync += [place.eq(0), bytes_seen.eq(0)]
        return m

    def _header(self, m, place, word_done, whole) -> None:
        """Keep what the header says."""
        lower, upper = (whole, Const(0, WORD_BITS)), (Const(0, WORD_BITS), whole)
        first, second = view(HEADER, Cat(*lower)), view(HEADER, Cat(*upper))
        with m.If(word_done & (place == 0)):
            m.d.sync += [self.news[name].eq(first[name]) for name in ("open", "resend", "poll", "credit")]
            m.d.sync += self.news.number.eq(first.ack)
        with m.If(word_done & (place == 1)):
            ahead = Signal(NUMBER_BITS)
            m.d.comb += ahead.eq(second.seq - self.ack)
            m.d.sync += [self.news.gap.eq(ahead.any() & ~ahead[-1]), self.news.ours.eq(second.session == self.session)]
            with m.If(self.news.open):
                m.d.sync += self.news.number.eq(second.session)

    def _ring(self, m, ring, place, word_done, whole, starts) -> None:
        """Write words behind those that count; let them count at the end of their frame.

        The CRC looks like a word too, and is written, but the number advances only when another word follows.
        """
        write, read = ring.write_port(), ring.read_port()
        size = self.words_log2
        first, number = Signal(size), Signal(NUMBER_BITS)  # the oldest word; the number of the word that is coming
        follows, wanted, offered = Signal(), Signal(), Signal()
        m.d.comb += [
            self.credit.eq(~(self.ack[:size] - first)),
            write.addr.eq(number),
            write.data.eq(whole),
            write.en.eq(word_done & wanted & (place >= HEADER_WORDS)),
            read.addr.eq(first),
            read.en.eq(~offered & (first != self.ack[:size])),
            self.words.valid.eq(offered),
            self.words.payload.eq(read.data),
        ]
        with m.If(word_done & (place == 1)):
            m.d.sync += [number.eq(self.ack), follows.eq(0)]
            m.d.sync += wanted.eq(~self.news.open & (whole == Cat(self.session, self.ack)))
        with m.If(word_done & (place >= HEADER_WORDS)):
            m.d.sync += follows.eq(1)
        with m.If(starts & follows):
            m.d.sync += [number.eq(number + 1), follows.eq(0)]
            with m.If((number + 1)[:size] == first):
                m.d.sync += wanted.eq(0)
        with m.If(self.ended & ~self.news.damaged & wanted):
            m.d.sync += self.ack.eq(number)
        with m.If(read.en):
            m.d.sync += offered.eq(1)
        with m.Elif(self.words.ready):
            m.d.sync += [offered.eq(0), first.eq(first + offered)]
        with m.If(self.restart):
            m.d.sync += [self.ack.eq(0), first.eq(0), offered.eq(0), wanted.eq(0)]
