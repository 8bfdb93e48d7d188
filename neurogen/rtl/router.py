"""The five-port mesh router with rectangular multicast."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ..spec import packet
from ..spec.config import FabricConfig
from ..spec.topologies.mesh import HOST, Direction, neighbours
from .routing import mesh


def ports(config: FabricConfig, x: int, y: int) -> list[Direction]:
    """The ports that the router at (x, y) has: one for each neighbour, the host's at (0, 0), and L."""
    host = [HOST[2]] if (x, y) == HOST[:2] else []
    return sorted([*neighbours(config, x, y), *host, Direction.L])


def departing(config: FabricConfig, x: int, y: int, arrival: Direction) -> list[Direction]:
    """The ports that a flit that arrived at ``arrival`` can leave through."""
    return [port for port in ports(config, x, y) if port in mesh.turns(arrival, x, y)]


class Inbox(wiring.Component):
    """Queue of one input port; its head leaves branch by branch, each exactly once.

    A flit's departures are decided when it enters and are stored beside it. The head, and what of it is still to be
    sent, are registers, so that arbitration starts from flip-flops. A flit without a departure (its rectangle is empty)
    vanishes. Latency 1 clock, throughput 1 per clock; ``i.ready`` comes from registers and drops when ``queue_depth``
    flits wait.

    Parameters
    ----------
    config : FabricConfig
    x, y : int
        Where the router is.
    arrival : Direction
        Which input port this is.

    Members
    -------
    i : In(stream of flits)
    flit : Out
        The head.
    waiting : Out
        One bit for each of ``departures``: the head is still to leave there.
    leaving : In
        One bit for each of ``departures``: it does in this clock, if it is waiting.
    busy : Out(1)
        Something is queued.
    """

    def __init__(self, config: FabricConfig, x: int, y: int, arrival: Direction):
        self.config = config
        self.x = x
        self.y = y
        self.arrival = arrival
        self.departures = departing(config, x, y, arrival)
        bits, branches = packet.flit_bits(config), len(self.departures)
        self.entry = data.StructLayout({"flit": bits, "branches": branches})
        super().__init__(
            {
                "i": In(stream.Signature(bits)),
                "flit": Out(bits),
                "waiting": Out(branches),
                "leaving": In(branches),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        decided = mesh.departures(self.config, self.i.payload, self.arrival, self.x, self.y)
        arriving, oldest = Signal(self.entry), Signal(self.entry)
        queued, accept, is_free = Signal(), Signal(), Signal()
        m.d.comb += [
            arriving.flit.eq(self.i.payload),
            arriving.branches.eq(Cat(decided[port] for port in self.departures)),
            accept.eq(self.i.valid & self.i.ready),
            is_free.eq(~(self.waiting & ~self.leaving).any()),
            self.busy.eq(self.waiting.any() | queued),
        ]
        self._queue(m, arriving, accept & (~is_free | queued), oldest, queued, is_free)
        with m.If(is_free):
            m.d.sync += self.flit.eq(Mux(queued, oldest.flit, arriving.flit))
            m.d.sync += self.waiting.eq(Mux(queued, oldest.branches, Mux(accept, arriving.branches, 0)))
        with m.Else():
            m.d.sync += self.waiting.eq(self.waiting & ~self.leaving)
        return m

    def _queue(self, m, arriving, put, oldest, queued, take):
        """What waits behind the head: one register, or LUT RAM where ``queue_depth`` asks for more."""
        if self.config.queue_depth == 2:
            m.d.comb += self.i.ready.eq(~queued)
            with m.If(put):
                m.d.sync += [oldest.eq(arriving), queued.eq(1)]
            with m.Elif(take):
                m.d.sync += queued.eq(0)
            return
        m.submodules.queue = queue = SyncFIFO(width=self.entry.size, depth=self.config.queue_depth - 1)
        m.d.comb += [
            self.i.ready.eq(queue.w_rdy),
            queue.w_data.eq(arriving),
            queue.w_en.eq(put),
            oldest.eq(queue.r_data),
            queued.eq(queue.r_rdy),
            queue.r_en.eq(take),
        ]


class Outbox(wiring.Component):
    """One output port: an arbiter, a multiplexer and a register.

    Of the inputs that request, the one that was served longest ago wins: ``rank[i][j]`` (flip-flops) says that i
    goes before j. Every request is served after at most ``inputs - 1`` others. Latency 1 clock, throughput 1 per clock.

    Parameters
    ----------
    shape : shape-like
        A flit.
    inputs : int
        How many inputs may request.

    Members
    -------
    requests : In(inputs)
    flits : In(shape) array
    grants : Out(inputs)
        At most one; the flit is taken at this clock edge.
    o : Out(stream of flits)
    """

    def __init__(self, *, shape, inputs: int):
        self.inputs = inputs
        super().__init__(
            {
                "requests": In(inputs),
                "flits": In(shape).array(inputs),
                "grants": Out(inputs),
                "o": Out(stream.Signature(shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        others = {i: [j for j in range(self.inputs) if j != i] for i in range(self.inputs)}
        rank = {(i, j): Signal(init=1, name=f"rank_{i}_{j}") for i in others for j in others[i] if i < j}
        is_free, wins = Signal(), Signal(self.inputs)

        def goes_before(i, j):
            return rank[i, j] if i < j else ~rank[j, i]

        m.d.comb += is_free.eq(~self.o.valid | self.o.ready)
        m.d.comb += self.grants.eq(Mux(is_free, self.requests & wins, 0))
        for i in others:
            m.d.comb += wins[i].eq(~Cat(self.requests[j] & goes_before(j, i) for j in others[i]).any())
            with m.If(self.grants[i]):
                m.d.sync += [rank[min(i, j), max(i, j)].eq(i > j) for j in others[i]]
        with m.If(is_free):
            m.d.sync += self.o.valid.eq(self.requests.any())
            for i in others:
                with m.If(wins[i] & self.requests[i]):
                    m.d.sync += self.o.payload.eq(self.flits[i])
        return m


class Router(wiring.Component):
    """Forwards single-flit packets between a core, the neighbours and, at (0, 0), the host port.

    A flit may leave through several ports; each branch leaves when its own output is ready, exactly once, in any order,
    and the next flit of the same input follows in the clock after the last. No branch holds a channel while it waits
    for another, and Y never turns into X, so flits cannot wait for each other in a circle. Two flits that arrive at
    one port leave every port in the order in which they came.

    Two clocks from the input to the output of a router that has nothing else to do; one flit per port and clock.

    Parameters
    ----------
    config : FabricConfig
    x, y : int
        Coordinates. Ports at the edge of the mesh do not exist; N of (0, 0) is the host's.

    Attributes
    ----------
    inputs, outputs : dict of Direction to stream
        All ports, ``inject`` and ``eject`` among them.

    Members
    -------
    links_in : In(n, e, s, w : stream of flits)
    links_out : Out(n, e, s, w : stream of flits)
    inject : In(stream of flits)
        From the core.
    eject : Out(stream of flits)
        To the core.
    busy : Out(1)
        A queue or an output register holds a flit.
    hops : Out(3)
        Flits that leave in this clock, through all ports.
    """

    def __init__(self, config: FabricConfig, x: int, y: int):
        if not (0 <= x < config.width and 0 <= y < config.height):
            raise ValueError(f"Router coordinates are inside {config.width} x {config.height}, not ({x}, {y})")
        self.config = config
        self.x = x
        self.y = y
        self.ports = ports(config, x, y)
        flit = stream.Signature(packet.flit_bits(config))
        links = [port for port in self.ports if port is not Direction.L]
        super().__init__(
            {
                "links_in": Out(wiring.Signature({port.name.lower(): In(flit) for port in links})),
                "links_out": Out(wiring.Signature({port.name.lower(): Out(flit) for port in links})),
                "inject": In(flit),
                "eject": Out(flit),
                "busy": Out(1),
                "hops": Out(3),
            }
        )
        self.inputs = {port: getattr(self.links_in, port.name.lower()) for port in links} | {Direction.L: self.inject}
        self.outputs = {port: getattr(self.links_out, port.name.lower()) for port in links} | {Direction.L: self.eject}

    def elaborate(self, platform):
        m = Module()
        config, x, y = self.config, self.x, self.y
        inboxes = {port: Inbox(config, x, y, port) for port in self.ports}
        arrivals = {out: [port for port in self.ports if out in inboxes[port].departures] for out in self.ports}
        bits = packet.flit_bits(config)
        outboxes = {port: Outbox(shape=bits, inputs=len(arrivals[port])) for port in self.ports}
        for port, inbox in inboxes.items():
            m.submodules[f"in_{port.name.lower()}"] = inbox
            i = self.inputs[port]
            m.d.comb += [inbox.i.payload.eq(i.payload), inbox.i.valid.eq(i.valid), i.ready.eq(inbox.i.ready)]
        for port, outbox in outboxes.items():
            m.submodules[f"out_{port.name.lower()}"] = outbox
            o = self.outputs[port]
            m.d.comb += [o.payload.eq(outbox.o.payload), o.valid.eq(outbox.o.valid), outbox.o.ready.eq(o.ready)]
            for i, arrival in enumerate(arrivals[port]):
                inbox = inboxes[arrival]
                branch = inbox.departures.index(port)
                m.d.comb += [
                    outbox.flits[i].eq(inbox.flit),
                    outbox.requests[i].eq(inbox.waiting[branch]),
                    inbox.leaving[branch].eq(outbox.grants[i]),
                ]
        holding = [inbox.busy for inbox in inboxes.values()] + [outbox.o.valid for outbox in outboxes.values()]
        m.d.comb += self.busy.eq(Cat(holding).any())
        m.d.comb += self.hops.eq(sum(o.valid & o.ready for o in self.outputs.values()))
        return m
