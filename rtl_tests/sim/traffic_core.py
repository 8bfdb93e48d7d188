"""A stand-in for the neuron core: traffic that is known in advance, and slots that count what arrives."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from neurogen.rtl.layout import pack, struct, view
from neurogen.spec import packet, words
from neurogen.spec.config import FabricConfig
from neurogen.spec.packet import Kind

COUNT_BITS = 8


class TrafficCore(wiring.Component):
    """In a tick of slot s, tells the host how many events have arrived for s, then sends ``plan[s]``.

    The host's line is ``number << COUNT_BITS | count``. WRITE sets a word, READ returns it, RESET empties the slots.

    Parameters
    ----------
    config : FabricConfig
    number : int
        The core's own.
    plan : list of lists of int
        Flits for each slot.
    """

    def __init__(self, config: FabricConfig, number: int, plan):
        self.config = config
        self.number = number
        self.plan = plan
        flit = stream.Signature(packet.flit_bits(config))
        super().__init__(
            {"packets_in": In(flit), "packets_out": Out(flit), "release": In(1), "reset": In(1), "busy": Out(1)}
            | {"timebase": In(struct(words.timebase(config))), "hops": In(3)}
        )
        self.hop_count = Signal(16)

    def elaborate(self, platform):
        m = Module()
        slot, ready = self.timebase.slot, self.packets_out.ready
        counts = Array(Signal(COUNT_BITS, name=f"count_{i}") for i in range(self.config.core.delay_slots))
        ends = [sum(map(len, self.plan[: i + 1])) for i in range(len(self.plan))]
        flits = [flit for part in self.plan for flit in part] or [0]
        m.submodules.flits = memory = Memory(shape=packet.flit_bits(self.config), depth=len(flits), init=flits)
        read = memory.read_port(domain="comb")
        at, end, told, running = Signal(16), Signal(16), Signal(), Signal()
        word, replies, replying = Signal(16), Signal(16), Signal()

        to_host = packet.to_host(self.config)
        line = Cat(counts[slot], C(self.number, 8))
        told_flit = pack(to_host[Kind.SPIKE], kind=Kind.SPIKE, host=1, line=line)
        reply = pack(to_host[Kind.REPLY], kind=Kind.REPLY, host=1, data=word)
        m.d.comb += [
            read.addr.eq(at),
            replying.eq(replies != 0),
            self.packets_out.valid.eq(running & (~told | (at != end)) | replying),
            self.packets_out.payload.eq(Mux(replying, reply, Mux(told, read.data, told_flit))),
            self.busy.eq(running | replying),
        ]
        m.d.sync += self.hop_count.eq(self.hop_count + self.hops)
        with m.If(replying & ready):
            m.d.sync += replies.eq(replies - 1)
        with m.Elif(running & ~told & ready):
            m.d.sync += [told.eq(1), counts[slot].eq(0)]
        with m.Elif(running & told & (at == end)):
            m.d.sync += running.eq(0)
        with m.Elif(running & told & ready):
            m.d.sync += at.eq(at + 1)
        with m.If(self.release):
            m.d.sync += [running.eq(1), told.eq(0)]
            m.d.sync += [at.eq(Array([0, *ends[:-1]])[slot]), end.eq(Array(ends)[slot])]
        self._take(m, counts, word, replies)
        with m.If(self.reset):
            m.d.sync += [count.eq(0) for count in counts]
        return m

    def _take(self, m, counts, word, replies):
        layouts, flit = packet.to_core(self.config), self.packets_in.payload
        m.d.comb += self.packets_in.ready.eq(1)
        with m.If(self.packets_in.valid):
            with m.Switch(view(layouts[Kind.READ], flit).kind):
                with m.Case(Kind.SPIKE):
                    slot = view(layouts[Kind.SPIKE], flit).slot
                    m.d.sync += counts[slot].eq(counts[slot] + 1)
                with m.Case(Kind.WRITE):
                    m.d.sync += word.eq(view(layouts[Kind.WRITE], flit).data)
                with m.Case(Kind.READ):
                    m.d.sync += replies.eq(view(layouts[Kind.READ], flit).count)
