"""The configuration unit: WRITE, SETADDR and READ packets against every memory and counter of a core."""

from functools import reduce
from operator import or_

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import memory_map, packet
from ..spec.config import FabricConfig
from ..spec.fields import WORD_BITS
from ..spec.memory_map import STATUS_BITS, Region
from ..spec.packet import Kind
from .layout import struct
from .memory_port import READ_CYCLES, MemoryPort


class Configuration(wiring.Component):
    """Executes configuration packets in order.

    SETADDR and WRITE take one clock each, the last WRITE of a row two; the row is written in the clock after. The first
    reply to a READ is offered ``READ_CYCLES + 4`` clocks after it was taken; the others follow 2 clocks after the reply
    before them has left, or ``READ_CYCLES + 4`` where a row begins. The next packet is taken once the last reply has
    left. The host sends none before it has all replies, so this never holds up the mesh. The upper half of a STATUS row
    is taken together with its lower half: packets that pass meanwhile would otherwise carry into a counter between its
    words.

    Members
    -------
    packets : In(stream of flits)
        WRITE, SETADDR and READ packets only.
    replies : Out(stream of flits)
        REPLY packets to the host.
    status : In(rows x 32)
        The STATUS region.
    ports : dict
        ``port_<region>`` : Out(MemoryPort), one for each memory.
    busy : Out(1)
        A row is about to be written, or a reply is under way.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        self.shapes = memory_map.shapes(config)
        flit = stream.Signature(packet.flit_bits(config))
        super().__init__(
            {
                "packets": In(flit),
                "replies": Out(flit),
                "status": In(data.ArrayLayout(STATUS_BITS, self.shapes[Region.STATUS].rows)),
                "busy": Out(1),
            }
            | {port_name(region): Out(MemoryPort(shape)) for region, shape in memories(config).items()}
        )

    def elaborate(self, platform):
        m = Module()
        flits = packet.to_core(self.config)
        kind = data.View(struct(flits[Kind.READ]), self.packets.payload[: flits[Kind.READ].width]).kind
        address = Signal(struct(memory_map.address(self.config)))
        selected = Signal.like(address)  # the address that the write or read under way is for
        widest = max(shape.words for shape in memories(self.config).values())
        staging = Signal(widest * WORD_BITS)
        commit, left = Signal(), Signal(WORD_BITS)  # left: replies to come
        wait = Signal(range(READ_CYCLES + 4))  # clocks until the word can be sampled

        take = self.packets.valid & self.packets.ready
        m.d.comb += [
            self.packets.ready.eq((wait == 0) & ~self.replies.valid & ~commit),
            self.busy.eq(commit | (wait != 0) | self.replies.valid),
        ]
        m.d.sync += commit.eq(take & (kind == Kind.WRITE) & self._is_last(address))
        with m.If(take):
            m.d.sync += selected.eq(address)
            with m.Switch(kind):
                with m.Case(Kind.SETADDR):
                    m.d.sync += address.eq(self._field(Kind.SETADDR, "address"))
                with m.Case(Kind.WRITE):
                    m.d.sync += staging.eq(Cat(staging, self._field(Kind.WRITE, "data"))[WORD_BITS:])
                    self._advance(m, address)
                with m.Case(Kind.READ):
                    m.d.sync += [wait.eq(READ_CYCLES + 3), left.eq(self._field(Kind.READ, "count"))]
                    self._advance(m, address)

        self._connect_ports(m, selected, staging, commit, read=wait == READ_CYCLES + 3)
        word = self._word(m, selected, sampled=wait == 1)
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.If(wait == 1):
            m.d.sync += [self.replies.valid.eq(1), self.replies.payload.eq(self._reply(m, word)), left.eq(left - 1)]
            with m.If(left != 1):
                m.d.sync += selected.eq(address)
                self._advance(m, address)
        with m.If(self.replies.valid & self.replies.ready):
            m.d.sync += self.replies.valid.eq(0)
            with m.If(left != 0):
                m.d.sync += wait.eq(Mux(selected.word == 0, READ_CYCLES + 3, 1))
        return m

    def _field(self, kind: Kind, name: str):
        layout = packet.to_core(self.config)[kind]
        return data.View(struct(layout), self.packets.payload[: layout.width])[name]

    def _is_last(self, address):
        """Whether ``address`` names the last word of a row."""
        lasts = [
            (address.region == region) & (address.word == shape.words - 1) for region, shape in self.shapes.items()
        ]
        return Cat(lasts).any()

    def _advance(self, m, address):
        with m.If(self._is_last(address)):
            m.d.sync += [address.word.eq(0), address.row.eq(address.row + 1)]
        with m.Else():
            m.d.sync += address.word.eq(address.word + 1)

    def _connect_ports(self, m, selected, staging, commit, read):
        """A region's row is the newest ``words`` words of the staging register.

        Where memories have registers behind them, ports have some before: memories lie far apart. They keep what they
        have while another region is meant, lest synthesis make them one.
        """
        reads = Signal()
        if not self.config.core.memory_registers:
            m.d.sync += reads.eq(read)
        for region, shape in memories(self.config).items():
            port = getattr(self, port_name(region))
            hit = selected.region == region
            m.d.comb += port.write_data.eq(staging[len(staging) - shape.words * WORD_BITS :][: shape.width])
            if self.config.core.memory_registers:
                m.d.sync += [port.write.eq(commit & hit), port.read.eq(read & hit)]
                with m.If(hit):
                    m.d.sync += [port.bank.eq(selected.bank), port.row.eq(selected.row)]
            else:
                m.d.comb += [port.write.eq(commit & hit), port.read.eq(reads & hit)]
                m.d.comb += [port.bank.eq(selected.bank), port.row.eq(selected.row)]

    def _word(self, m, selected, sampled) -> Value:
        """The word that was selected a clock ago: a register per region, 0 in all others, and their OR."""
        counter, upper = self.status[selected.row], Signal(WORD_BITS)
        with m.If(~selected.word[0] & ~sampled):
            m.d.sync += upper.eq(counter[WORD_BITS:])
        words = {Region.STATUS: Mux(selected.word[0], upper, counter[:WORD_BITS])}
        for region in memories(self.config):
            row = getattr(self, port_name(region)).read_data
            words[region] = row.word_select(selected.word, WORD_BITS)
        found = []
        for region, value in words.items():
            register = Signal(WORD_BITS, name=f"word_{region.name.lower()}")
            m.d.sync += register.eq(0)
            with m.If(selected.region == region):
                m.d.sync += register.eq(value)
            found.append(register)
        return reduce(or_, found)

    def _reply(self, m, word):
        layout = packet.to_host(self.config)[Kind.REPLY]
        reply = Signal(struct(layout))
        m.d.comb += [reply.kind.eq(Kind.REPLY), reply.host.eq(1), reply.data.eq(word)]
        return reply


def memories(config: FabricConfig) -> dict[Region, memory_map.Shape]:
    """The regions that are memories of some block."""
    return {region: shape for region, shape in memory_map.shapes(config).items() if region is not Region.STATUS}


def port_name(region: Region) -> str:
    return f"port_{region.name.lower()}"
