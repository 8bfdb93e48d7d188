"""The link: bytes of a line on one side, the fabric's words on the other."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...spec.link import NUMBER_BITS, WORD_BITS
from .receiver import Receiver
from .sender import REASONS, Sender
from .slip import SlipDecoder, SlipEncoder


class Link(wiring.Component):
    """The board's side of ``spec.link``: sessions, and what has to be answered.

    A frame is answered in a clock or two after its end, or after the frame that is being sent. A byte may come every 10
    clocks; one that comes earlier waits, if whoever brings it can.

    Parameters
    ----------
    identity : int
        What OPEN is answered with.
    receive_log2, send_log2 : int
        log2 of the words in the rings: what the host may send ahead, and what may wait to be acknowledged.

    Members
    -------
    i : In(stream of 8 bits)
        Bytes from the line.
    o : Out(stream of 8 bits)
        Bytes to the line.
    words_out : Out(stream of 32 bits)
        To the fabric.
    words_in : In(stream of 32 bits)
        From the fabric.
    restart : Out(1)
        A session starts: reset what the words go to and come from.
    """

    def __init__(self, *, identity: int, receive_log2: int = 8, send_log2: int = 8):
        for name, value in (("receive_log2", receive_log2), ("send_log2", send_log2)):
            if not 2 <= value <= 11:
                raise ValueError(f"Link {name} is 2..11, not {value!r}")
        self.identity = identity
        self.receive_log2 = receive_log2
        self.send_log2 = send_log2
        byte, word = stream.Signature(8), stream.Signature(WORD_BITS)
        super().__init__(
            {"i": In(byte), "o": Out(byte), "words_out": Out(word), "words_in": In(word), "restart": Out(1)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.decoder = decoder = SlipDecoder()
        m.submodules.encoder = encoder = SlipEncoder()
        m.submodules.receiver = receiver = Receiver(words_log2=self.receive_log2)
        m.submodules.sender = sender = Sender(words_log2=self.send_log2, identity=self.identity)
        connect(m, flipped(self.i), decoder.i)
        connect(m, decoder.o, receiver.i)
        connect(m, receiver.words, flipped(self.words_out))
        connect(m, flipped(self.words_in), sender.words)
        connect(m, sender.o, encoder.i)
        connect(m, encoder.o, flipped(self.o))

        session, due, news = Signal(NUMBER_BITS), Signal(REASONS), receiver.news
        m.d.comb += [
            receiver.session.eq(session),
            receiver.restart.eq(self.restart),
            sender.session.eq(session),
            sender.ack.eq(receiver.ack),
            sender.credit.eq(receiver.credit),
            sender.due.eq(due),
            sender.restart.eq(self.restart),
            sender.report.ack.eq(news.number),
            sender.report.credit.eq(news.credit),
            sender.report.resend.eq(news.resend),
        ]
        self._answer(m, receiver, sender, session, due)
        return m

    def _answer(self, m, receiver, sender, session, due) -> None:
        """Follow sessions, and note what is due; one frame says all that is due when it starts."""
        news, scarce = receiver.news, Signal()  # scarce: the host was told of less than half of the ring
        has_room = receiver.credit[-1]
        m.d.sync += self.restart.eq(0)
        with m.If(sender.taken):
            m.d.sync += [due.eq(0), scarce.eq(~has_room)]
        with m.Elif(scarce & has_room):
            m.d.sync += due.answer.eq(1)
        with m.If(receiver.ended & news.damaged):
            m.d.sync += [due.answer.eq(1), due.resend.eq(1)]
        with m.Elif(receiver.ended & news.open):
            m.d.sync += [due.open.eq(1), session.eq(news.number), self.restart.eq(session != news.number)]
        with m.Elif(receiver.ended):
            m.d.comb += sender.heard.eq(news.ours)
            with m.If(~news.ours | news.poll | news.words):
                m.d.sync += due.answer.eq(1)
            with m.If(news.ours & news.gap):
                m.d.sync += due.resend.eq(1)
