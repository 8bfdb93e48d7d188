# amaranth: UnusedElaboratable=no
"""The link's streams keep the rules, and SLIP gives back what it took."""

import pytest
from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from neurogen.rtl.link.link import Link
from neurogen.rtl.link.receiver import Receiver
from neurogen.rtl.link.sender import Sender
from neurogen.rtl.link.slip import ITEM, SlipDecoder, SlipEncoder
from neurogen.rtl.streams import Queue
from neurogen.spec.link import END
from rtl_tests.formal.harness import Proof, prove
from rtl_tests.formal.streams import bounded, in_order, offer, take, valid_ignores_ready


class ThereAndBack(wiring.Component):
    """A queue of bytes between encoder and decoder."""

    def __init__(self):
        super().__init__({"i": In(stream.Signature(ITEM)), "o": Out(stream.Signature(ITEM)), "line": Out(8)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder, m.submodules.decoder = encoder, decoder = SlipEncoder(), SlipDecoder()
        m.submodules.queue = queue = Queue(shape=8)
        connect(m, flipped(self.i), encoder.i)
        connect(m, encoder.o, queue.i)
        connect(m, queue.o, decoder.i)
        connect(m, decoder.o, flipped(self.o))
        m.d.comb += self.line.eq(queue.o.payload)
        return m


def test_slip_gives_back_what_it_took():
    block = ThereAndBack()
    proof = Proof("slip", block)
    enter, leave = offer(proof, block.i), take(proof, block.o)

    def item(view) -> Value:  # the byte of an end means nothing
        return Cat(Mux(view.end, 0, view.byte), view.end)

    in_order(proof, enter=enter, leave=leave, item=item(block.i.p), seen=item(block.o.p), capacity=2)
    proof.check("END only ends", ~(leave & ~block.o.p.end) | (block.line != END))
    bounded(proof, "takes an item", block.i.valid & ~block.i.ready & block.o.ready, limit=3)
    proof.cover("an escaped byte leaves", leave & ~block.o.p.end & (block.o.p.byte == END))
    prove(proof)


BLOCKS = {
    "encoder": SlipEncoder(),
    "decoder": SlipDecoder(),
    "receiver": Receiver(words_log2=3),
    "sender": Sender(words_log2=3, identity=1),
    "link": Link(identity=1, receive_log2=3, send_log2=3),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_valid_ignores_ready(name):
    valid_ignores_ready(BLOCKS[name])
