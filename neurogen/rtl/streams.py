"""Small stream blocks: a seeded gate, a two-entry queue and a pipelined table lookup."""

import hashlib

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import memory_map
from ..spec.fixed import index_bits
from .memory_port import MemoryPort


class Gate(wiring.Component):
    """Stops a stream at random, without breaking the stream rules: an offered item stays offered.

    Latency 0; throughput ``1 - stall`` on average.

    Parameters
    ----------
    shape : shape-like
        Payload.
    seed : int
        Start of the 16-bit shift register, not 0.
    stall : int
        Chance of being shut in a clock, in 1/16.
    """

    def __init__(self, *, shape, seed: int, stall: int):
        if not 0 < seed < 1 << 16:
            raise ValueError(f"Gate seed is 1..65535, not {seed!r}")
        if not 0 <= stall < 16:
            raise ValueError(f"Gate stall is 0..15 sixteenths, not {stall!r}")
        self.seed = seed
        self.stall = stall
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        noise = Signal(16, init=self.seed)
        is_open = Signal()
        m.d.sync += noise.eq(Cat(noise[15] ^ noise[13] ^ noise[12] ^ noise[10], noise))
        with m.If(~(self.o.valid & ~self.o.ready)):
            m.d.sync += is_open.eq(noise[:4] >= self.stall)
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & is_open),
            self.i.ready.eq(self.o.ready & is_open),
        ]
        return m


class Stalls:
    """Where the generator puts gates. ``Stalls(None)`` puts none: the shipped Verilog has none.

    Every gate's seed follows from ``seed`` and the gate's path, so one seed names one circuit.
    """

    def __init__(self, seed: int | None = None, stall: int = 5, path: str = ""):
        self.seed = seed
        self.stall = stall
        self.path = path

    def at(self, name: str) -> "Stalls":
        """The same, inside the submodule ``name``."""
        return Stalls(self.seed, self.stall, f"{self.path}.{name}")

    def gate(self, m: Module, name: str, source):
        """``source`` (a stream that offers items), behind a gate if there are any."""
        if self.seed is None:
            return source
        digest = hashlib.sha256(f"{self.seed}{self.path}.{name}".encode()).digest()
        seed = int.from_bytes(digest[:2], "little") or 1
        gate = Gate(shape=source.payload.shape(), seed=seed, stall=self.stall)
        m.submodules[f"gate_{name}"] = gate
        connect(m, source, gate.i)
        return gate.o


class Queue(wiring.Component):
    """Two registers in a row: cuts every combinational path between its sides.

    Latency 1 clock, throughput 1 per clock; ``i.ready`` drops when both are full.
    """

    def __init__(self, *, shape):
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape)), "level": Out(2)})

    def elaborate(self, platform):
        m = Module()
        front, back = Signal(self.shape), Signal(self.shape)
        front_valid, back_valid = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~back_valid),
            self.o.valid.eq(front_valid),
            self.o.payload.eq(front),
            self.level.eq(front_valid + back_valid),
        ]
        with m.If(~front_valid | self.o.ready):
            m.d.sync += [
                front.eq(Mux(back_valid, back, self.i.payload)),
                front_valid.eq(back_valid | self.i.valid),
                back_valid.eq(0),
            ]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += back_valid.eq(1)
        with m.If(self.i.ready):
            m.d.sync += back.eq(self.i.payload)
        return m


class Skid(wiring.Component):
    """One register beside the way: cuts the path from ``o.ready`` to ``i.ready`` and takes no clock.

    Latency 0, throughput 1 per clock; ``i.ready`` drops while an item that could not go on waits in the register.
    """

    def __init__(self, *, shape):
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        waits, waiting = Signal(), Signal(self.shape)
        m.d.comb += [
            self.i.ready.eq(~waits),
            self.o.valid.eq(waits | self.i.valid),
            self.o.payload.eq(Mux(waits, waiting, self.i.payload)),
        ]
        m.d.sync += waits.eq(self.o.valid & ~self.o.ready)
        with m.If(~waits):
            m.d.sync += waiting.eq(self.i.payload)
        return m


class Slot(wiring.Component):
    """One register: the small :class:`Queue`. Latency 1 clock, throughput 1 in 2 clocks; no combinational path."""

    def __init__(self, *, shape):
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid)
        with m.If(~self.o.valid):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m


class Lookup(wiring.Component):
    """A table behind a stream: addresses go in, rows come out in order, each with the tag that came with its address.

    Latency 1 clock, 2 with a register; throughput 1 per clock. The row comes straight from the memory, or the register,
    and holds while ``o`` waits.
    The configuration unit's ``port`` reads and writes only between ticks, while ``i`` offers nothing.

    Parameters
    ----------
    row, tag : shape-like
        Row of the table; what travels beside the address.
    rows : int
        Rows of the table.
    init : list of int
        Contents at power-up.
    writable : bool
        Whether ``port`` can write.
    registered : bool
        Whether a register stands behind the memory, with nothing in between.
    memory : callable
        Makes the memory from ``width``, ``rows`` and ``init``; by default of exactly so many rows.
    """

    def __init__(self, *, row, rows: int, tag=0, init=(), writable: bool = True, registered: bool = False, memory=None):
        self.row = row
        self.rows = rows
        self.init = init
        self.writable = writable
        self.registered = registered
        self.memory = memory or _memory
        super().__init__(
            {
                "i": In(stream.Signature(data.StructLayout({"address": index_bits(rows), "tag": tag}))),
                "o": Out(stream.Signature(data.StructLayout({"row": row, "tag": tag}))),
                "port": In(MemoryPort(memory_map.Shape(1, rows, Shape.cast(row).width))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory(width=Shape.cast(self.row).width, rows=self.rows, init=self.init)
        read = memory.read_port()
        if self.writable:
            write = memory.write_port()
            m.d.comb += [
                write.addr.eq(self.port.row),
                write.data.eq(self.port.write_data),
                write.en.eq(self.port.write),
            ]
        fetched = stream.Signature(self.o.payload.shape()).create()  # what comes from the memory
        m.d.comb += [
            self.i.ready.eq(~fetched.valid | fetched.ready),
            # Never in the clock of a write: synthesis would add logic to define what is read then.
            read.en.eq(((self.i.valid & self.i.ready) | self.port.read) & ~self.port.write),
            read.addr.eq(Mux(self.i.valid, self.i.p.address, self.port.row)),
            fetched.p.row.eq(read.data),
            self.busy.eq(fetched.valid | self.o.valid),
        ]
        with m.If(self.i.ready):
            m.d.sync += [fetched.valid.eq(self.i.valid), fetched.p.tag.eq(self.i.p.tag)]
        if not self.registered:
            connect(m, fetched, flipped(self.o))
            m.d.sync += self.port.read_data.eq(read.data)  # configuration is not to wait for a memory's slow output
            return m
        row = Signal.like(read.data, reset_less=True)  # as the memory, so that it can be the memory's own
        m.d.comb += [fetched.ready.eq(~self.o.valid | self.o.ready), self.o.p.row.eq(row), self.port.read_data.eq(row)]
        with m.If(fetched.ready):
            m.d.sync += [row.eq(read.data), self.o.valid.eq(fetched.valid), self.o.p.tag.eq(fetched.p.tag)]
        return m


def _memory(*, width: int, rows: int, init) -> Memory:
    return Memory(shape=width, depth=rows, init=init)
