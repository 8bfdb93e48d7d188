"""Configuration and Counters: every word of every memory can be written and read, whatever stalls."""

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from neurogen.rtl.configuration import Configuration, memories, port_name
from neurogen.rtl.counters import Counters
from neurogen.rtl.streams import Gate
from neurogen.spec import memory_map, packet
from neurogen.spec.config import FabricConfig
from neurogen.spec.memory_map import COUNTERS, Region
from neurogen.spec.packet import Kind

CONFIGS = {
    "default": FabricConfig(),
    "narrow": FabricConfig.parse(
        {
            "width": 2,
            "core": {
                "axons": 6, "neurons": 5, "lanes": 2, "banks": 2, "update_lanes": 1, "routes": 3, "ranges": 3,
                "delay_slots": 2, "neuron": {"model": "cuba_lif", "parameters": {}},
            },
        }
    ),
}  # fmt: skip


class Harness(wiring.Component):
    """The unit with a memory of the right shape behind every port, and a gate before its replies."""

    def __init__(self, config):
        self.config = config
        self.unit = Configuration(config)
        super().__init__({"status": In(self.unit.status.shape())})

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = self.unit
        m.d.comb += self.unit.status.eq(self.status)
        for region, shape in memories(self.config).items():
            m.submodules[region.name] = memory = Memory(shape=shape.width, depth=shape.banks * shape.rows, init=[])
            port, write, read = getattr(self.unit, port_name(region)), memory.write_port(), memory.read_port()
            at = port.bank * shape.rows + port.row
            m.d.comb += [
                write.addr.eq(at),
                write.data.eq(port.write_data),
                write.en.eq(port.write),
                read.addr.eq(at),
                read.en.eq(port.read),
                port.read_data.eq(read.data),
            ]
        m.submodules.gate = self.gate = Gate(shape=packet.flit_bits(self.config), seed=77, stall=8)
        wiring.connect(m, self.unit.replies, self.gate.i)
        return m


def rows_to_visit(shape, rng, most=6):
    """The first two, the last and a few other rows of every bank."""
    for bank in range(shape.banks):
        chosen = {0, min(1, shape.rows - 1), shape.rows - 1, *map(int, rng.integers(shape.rows, size=most))}
        yield from ((bank, row) for row in sorted(chosen))


@pytest.mark.parametrize("name", CONFIGS)
def test_every_memory_reads_back_what_was_written(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(seed := 5)
    print(f"seed {seed}")
    layouts, address = packet.to_core(config), memory_map.address(config)
    script, expected = [], []
    status = [int(value) for value in rng.integers(1 << 32, size=memory_map.shapes(config)[Region.STATUS].rows)]

    def put(kind, **body):
        blank = {field.name: 0 for field in layouts[kind].fields}
        script.append(layouts[kind].pack(**{**blank, "kind": int(kind), **body}))

    contents = {}
    for region, shape in memories(config).items():
        for bank, row in rows_to_visit(shape, rng):
            contents[region, bank, row] = [int(word) for word in rng.integers(1 << 16, size=shape.words)]
            put(Kind.SETADDR, address=address.pack(region=int(region), bank=bank, row=row, word=0))
            for word in contents[region, bank, row]:
                put(Kind.WRITE, data=word)
    for (region, bank, row), words in contents.items():
        spare = len(words) * 16 - memory_map.shapes(config)[region].width
        words[-1] &= 0xFFFF >> spare
        put(Kind.SETADDR, address=address.pack(region=int(region), bank=bank, row=row, word=0))
        put(Kind.READ, count=len(words))
        expected += words
    for region, shape in memories(config).items():  # a READ goes on where the one before ended, also within a row
        if shape.rows == 1:
            continue
        put(Kind.SETADDR, address=address.pack(region=int(region), bank=0, row=0, word=0))
        for count in filter(None, (shape.words - 1, shape.words + 1)):
            put(Kind.READ, count=count)
        expected += contents[region, 0, 0] + contents[region, 0, 1]
    put(Kind.SETADDR, address=address.pack(region=int(Region.STATUS), bank=0, row=0, word=0))
    put(Kind.READ, count=2 * len(status))
    for value in status:
        expected += [value & 0xFFFF, value >> 16]

    dut = Harness(config)
    replies, stalled = [], 0

    async def send(ctx):
        ctx.set(dut.status.as_value(), sum(value << (32 * i) for i, value in enumerate(status)))
        for flit in script:
            while rng.random() < 0.3:
                await ctx.tick()
            ctx.set(dut.unit.packets.payload, flit)
            ctx.set(dut.unit.packets.valid, 1)
            await ctx.tick().until(dut.unit.packets.ready)
            ctx.set(dut.unit.packets.valid, 0)
        while ctx.get(dut.unit.busy):
            await ctx.tick()

    async def receive(ctx):
        nonlocal stalled
        layout = packet.to_host(config)[Kind.REPLY]
        ctx.set(dut.gate.o.ready, 1)
        async for _, _, valid, payload, waiting in ctx.tick().sample(
            dut.gate.o.valid, dut.gate.o.payload, dut.unit.replies.valid & ~dut.unit.replies.ready
        ):
            stalled += waiting
            if valid:
                reply = layout.unpack(payload)
                assert (reply["kind"], reply["host"]) == (Kind.REPLY, 1)
                replies.append(reply["data"])

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send)
    simulator.add_testbench(receive, background=True)
    simulator.run()
    assert replies == expected
    assert stalled > 0, "no reply ever waited"


def test_a_counter_that_runs_is_never_torn():
    """Its halves come in two replies, and what is read is a value that it had, also around a carry."""
    config = FabricConfig()
    layouts, address = packet.to_core(config), memory_map.address(config)
    first = address.pack(region=int(Region.STATUS), bank=0, row=0, word=0)
    dut = Harness(config)
    had, words, step = [], [], 0x1777

    async def count(ctx):
        async for _ in ctx.tick():
            had.append(0xF000 + step * len(had))
            ctx.set(dut.status[0], had[-1])

    async def read(ctx):
        for kind, address_ in [(Kind.SETADDR, first), (Kind.READ, 0)] * 20:
            fields = {field.name: 0 for field in layouts[kind].fields} | {"kind": int(kind)}
            fields |= {"address": address_} if kind is Kind.SETADDR else {"count": 2}
            ctx.set(dut.unit.packets.payload, layouts[kind].pack(**fields))
            ctx.set(dut.unit.packets.valid, 1)
            await ctx.tick().until(dut.unit.packets.ready)
        ctx.set(dut.unit.packets.valid, 0)
        await ctx.tick().repeat(20)

    async def receive(ctx):
        ctx.set(dut.gate.o.ready, 1)
        async for _, _, valid, payload in ctx.tick().sample(dut.gate.o.valid, dut.gate.o.payload):
            if valid:
                words.append(packet.to_host(config)[Kind.REPLY].unpack(payload)["data"])

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(read)
    simulator.add_testbench(count, background=True)
    simulator.add_testbench(receive, background=True)
    simulator.run()
    values = [low | high << 16 for low, high in zip(words[::2], words[1::2], strict=True)]
    assert len(values) == 20
    assert set(values) <= set(had)
    assert len({value >> 16 for value in values}) > 10, "too few carries"


def test_counters_count_modulo_their_width_and_show_every_group():
    config = FabricConfig.parse({"core": {"counter_bits": 5, "neurons": 40 * 4, "lanes": 4, "update_lanes": 4}})
    dut = Counters(config)
    rng = np.random.default_rng(seed := 11)
    print(f"seed {seed}")
    totals = dict.fromkeys(COUNTERS, 0)

    async def bench(ctx):
        fresh = int(rng.integers(1 << 40))
        ctx.set(dut.fresh, fresh)
        for _ in range(200):
            for counter in COUNTERS:
                port = getattr(dut, counter.name.lower())
                growth = int(rng.integers(1 << len(port)))
                ctx.set(port, growth)
                totals[counter] += growth
            await ctx.tick()
        for counter in COUNTERS:
            ctx.set(getattr(dut, counter.name.lower()), 0)
        await ctx.tick().repeat(2)
        for counter, total in totals.items():
            assert total > 32, "the counter never wrapped"
            assert ctx.get(dut.status[counter]) == total % 32, counter.name
        seen = ctx.get(dut.status[len(COUNTERS)]) | ctx.get(dut.status[len(COUNTERS) + 1]) << 32
        assert seen == fresh

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
