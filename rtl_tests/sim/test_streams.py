# amaranth: UnusedElaboratable=no
"""The small stream blocks: nothing lost, nothing changed while it waits, and no bubbles where none are due."""

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from neurogen.rtl.memory_port import READ_CYCLES
from neurogen.rtl.streams import Gate, Lookup, Queue, Skid, Stalls
from rtl_tests.sim.streams import get, plain, put, simulate, sink, source

ITEMS = list(range(1, 201))


def through(dut, items, *, idle: float, stall: float) -> tuple[list, int, list]:
    """Send ``items`` from ``i`` to ``o``: what came out, in how many clocks, and what had to wait."""
    taken, waited, clocks = [], [], [0]

    async def until_all_taken(ctx):
        while len(taken) < len(items):
            await ctx.tick()
            clocks[0] += 1
        await ctx.tick().repeat(5)

    simulate(
        dut,
        source(dut.i, items, seed=1, idle=idle),
        until_all_taken,
        background=[sink(dut.o, taken, seed=2, stall=stall, stalls=waited)],
    )
    return taken, clocks[0], waited


@pytest.mark.parametrize("idle", [0.0, 0.5])
@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize(("block", "latency"), [(Queue, 1), (Skid, 0)])
def test_queues_keep_order_and_run_at_full_speed(block, latency, idle, stall):
    taken, clocks, waited = through(block(shape=8), ITEMS, idle=idle, stall=stall)
    assert taken == ITEMS
    assert bool(waited) == (stall > 0)
    if not idle and not stall:
        assert clocks == len(ITEMS) + latency


def test_queue_holds_two_and_cuts_its_ready():
    dut = Queue(shape=8)

    async def bench(ctx):
        for level in (0, 1, 2):
            assert (ctx.get(dut.level), ctx.get(dut.i.ready)) == (level, level < 2)
            if level < 2:
                await put(ctx, dut.i, 10 + level)
        ctx.set(dut.o.ready, 1)
        assert not ctx.get(dut.i.ready), "ready follows the other side in the same clock"
        ctx.set(dut.o.ready, 0)
        assert [await get(ctx, dut.o), await get(ctx, dut.o)] == [10, 11]
        assert ctx.get(dut.level) == 0

    simulate(dut, bench)


@pytest.mark.parametrize("stall", [0, 5, 12])
def test_gate_stops_the_stream_at_random_and_keeps_its_rules(stall):
    taken, clocks, _ = through(Gate(shape=8, seed=77, stall=stall), ITEMS, idle=0.0, stall=0.3)
    assert taken == ITEMS
    shut = clocks / (len(ITEMS) / 0.7)  # how much longer than without the gate
    assert (0.8 < shut < 1.3) if stall == 0 else shut > 1.15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": 0, "stall": 5}, "Gate seed is 1..65535, not 0"),
        ({"seed": 1, "stall": 16}, "Gate stall is 0..15 sixteenths, not 16"),
    ],
)
def test_gate_refuses(arguments, message):
    with pytest.raises(ValueError) as caught:
        Gate(shape=1, **arguments)
    assert str(caught.value) == message


class Gated(wiring.Component):
    """A stream behind whatever ``Stalls`` puts there."""

    def __init__(self, stalls: Stalls):
        self.stalls = stalls
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        connect(m, self.stalls.gate(m, "x", flipped(self.i)), flipped(self.o))
        return m


def test_stalls_differ_by_path_and_seed_and_vanish_without_one():
    cycles = {
        name: through(Gated(stalls), ITEMS, idle=0.0, stall=0.0)[1]
        for name, stalls in {
            "seed 1": Stalls(1),
            "seed 1 again": Stalls(1),
            "seed 2": Stalls(2),
            "below": Stalls(1).at("a"),
        }.items()
    }
    assert Stalls().gate(None, "x", signature := stream.Signature(8)) is signature
    assert len(ITEMS) < cycles["seed 1"] == cycles["seed 1 again"]
    assert len({cycles["seed 1"], cycles["seed 2"], cycles["below"]}) == 3


ROW = data.StructLayout({"a": 5, "b": signed(4)})
TABLE = [int(bits) for bits in np.random.default_rng(4).integers(1 << ROW.size, size=23)]


def lookup(**options) -> Lookup:
    return Lookup(row=ROW, rows=len(TABLE), tag=8, **options)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_lookup_delivers_rows_in_order_with_their_tags(stall, registered):
    addresses = np.random.default_rng(5).integers(len(TABLE), size=200).tolist()
    items = [{"address": address, "tag": tag % 256} for tag, address in enumerate(addresses)]
    dut = lookup(init=TABLE, writable=False, registered=registered)
    taken, clocks, waited = through(dut, items, idle=0.2 if stall else 0.0, stall=stall)
    assert taken == [{"row": plain(ROW.from_bits(TABLE[item["address"]])), "tag": item["tag"]} for item in items]
    assert bool(waited) == (stall > 0)
    if not stall:
        assert clocks == len(items) + 1 + registered


@pytest.mark.parametrize("registered", [False, True])
def test_lookup_is_written_and_read_back_through_its_port(registered):
    dut = lookup(registered=registered)
    port = dut.port

    async def bench(ctx):
        for row, value in enumerate(TABLE):
            ctx.set(port.row, row)
            ctx.set(port.write_data, value)
            ctx.set(port.write, 1)
            await ctx.tick()
        ctx.set(port.write, 0)
        for row, value in enumerate(TABLE):
            ctx.set(port.row, row)
            ctx.set(port.read, 1)
            await ctx.tick()
            ctx.set(port.read, 0)
            ctx.set(port.row, 0)
            await ctx.tick().repeat(READ_CYCLES - 1)
            for _ in range(3):
                assert ctx.get(port.read_data) == value
                await ctx.tick()
            await put(ctx, dut.i, {"address": row, "tag": row})
            assert await get(ctx, dut.o) == {"row": plain(ROW.from_bits(value)), "tag": row}
            assert not ctx.get(dut.busy)

    simulate(dut, bench)
