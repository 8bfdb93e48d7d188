"""Every neuron's route entries become packets, in order, one per clock."""

import numpy as np
import pytest

from neurogen.rtl.memory_port import READ_CYCLES
from neurogen.rtl.routes import Routes
from neurogen.rtl.streams import Stalls
from neurogen.spec import memory_map, packet, rows
from neurogen.spec.config import FabricConfig
from neurogen.spec.memory_map import Region
from neurogen.spec.packet import Kind
from rtl_tests.sim.streams import simulate, sink, source

FABRICS = {
    "default": {},
    "mesh": {"width": 3, "height": 2, "core": {"neurons": 32, "lanes": 8, "routes": 50, "payload_bits": 3}},
    "values": {"width": 2, "core": {"neurons": 20, "lanes": 4, "update_lanes": 2, "routes": 33, "values": True}},
    "graded": {"width": 2, "core": {"neurons": 20, "lanes": 4, "update_lanes": 2, "routes": 33, "values": True}},
    "relays": {"height": 2, "core": {"neurons": 20, "lanes": 4, "update_lanes": 2, "routes": 33, "payload_bits": 5}},
    "one_route": {"core": {"neurons": 4, "lanes": 2, "update_lanes": 2, "routes": 1, "delay_slots": 2, "axons": 4}},
}


FABRICS["registered"] = FABRICS["values"] | {"core": FABRICS["values"]["core"] | {"memory_registers": True}}
FABRICS["graded"]["core"] |= {"graded": True, "payload_bits": 12, "payload_signed": True}
FABRICS["relays"]["core"] |= {"graded": True}


class Table:
    """Random pointers and entries, and the packets that they stand for."""

    def __init__(self, config, rng):
        core = config.core
        self.config = config
        self.entries = [self._entry(config, rng) for _ in range(core.routes)]
        most = min(11, core.routes)
        counts = [0 if rng.random() < 0.3 else int(rng.integers(1, most + 1)) for _ in range(core.groups * core.lanes)]
        self.slices = [(int(rng.integers(core.routes - count + (count > 0))), count) for count in counts]
        self.pointers = [rows.pointer(config).pack(first=first, count=count) for first, count in self.slices]
        self.routes = [self._layout(entry).pack(**entry) for entry in self.entries]

    @staticmethod
    def _entry(config, rng):
        if rng.random() < 0.4:
            return {"host": 1, "line": int(rng.integers(config.lines))}
        x, y = sorted(rng.integers(config.width, size=2).tolist()), sorted(rng.integers(config.height, size=2).tolist())
        axon, delay = int(rng.integers(config.core.axons)), int(rng.integers(1, config.core.delay_slots))
        return {"host": 0, "x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1], "axon": axon, "delay": delay}

    def _layout(self, entry):
        return rows.route_to_host(self.config) if entry["host"] else rows.route_to_core(self.config)

    def packets(self, spike, tick_slot):
        first, count = self.slices[spike["neuron"]]
        core = self.config.core
        for entry in self.entries[first : first + count]:
            if not entry["host"]:
                body = {key: value for key, value in entry.items() if key != "delay"}
                body["slot"] = (tick_slot + entry["delay"]) % core.delay_slots
                payload = spike["value"] if core.graded and spike["is_value"] else min(core.payload_bits, 1)
                layout = packet.to_core(self.config)[Kind.SPIKE]
                yield layout.pack(kind=Kind.SPIKE, payload=_bits(payload, layout["payload"]), **body)
            elif spike["is_value"] and core.values:
                value = _bits(spike["value"], packet.to_host(self.config)[Kind.VALUE]["value"])
                yield packet.to_host(self.config)[Kind.VALUE].pack(kind=Kind.VALUE, value=value, **entry)
            else:
                yield packet.to_host(self.config)[Kind.SPIKE].pack(kind=Kind.SPIKE, **entry)


def _bits(value, field):
    """The lowest bits of ``value`` as the field reads them."""
    low = field.range[0]
    return (value - low) % (1 << field.width) + low


def random_spikes(core, count, rng):
    for _ in range(count):
        yield {
            "neuron": int(rng.integers(core.groups * core.lanes)),
            "is_value": int(rng.integers(2)) if core.values or core.graded else 0,
            "value": int(rng.integers(1 << core.carried_bits)),
        }


def make(name, seed):
    config = FabricConfig.parse(FABRICS[name])
    return config, Table(config, np.random.default_rng(seed))


def run(routes, spikes, tick_slot, wanted, *, idle, stall, seed):
    """What came out, what had to wait, and per clock (a packet left, it was counted, busy)."""
    taken, waited, clocks = [], [], []
    moving = routes.packets.valid & routes.packets.ready

    async def watch(ctx):
        ctx.set(routes.tick_slot, tick_slot)
        while len(taken) < wanted:
            _, _, *clock = await ctx.tick().sample(moving, routes.packet_count, routes.busy)
            clocks.append(clock)
        await ctx.tick().repeat(20)  # neurons without entries may follow
        assert not ctx.get(routes.busy) and len(taken) == wanted

    simulate(
        routes,
        source(routes.spikes, spikes, seed=seed, idle=idle),
        watch,
        background=[sink(routes.packets, taken, seed=seed + 1, stall=stall, stalls=waited)],
    )
    return taken, waited, clocks


@pytest.mark.parametrize("name", FABRICS)
@pytest.mark.parametrize(("idle", "stall", "gates"), [(0.0, 0.4, None), (0.5, 0.4, None), (0.2, 0.3, 4)])
def test_every_entry_becomes_one_packet(name, idle, stall, gates):
    config, table = make(name, seed=12)
    routes = Routes(config, table.pointers, table.routes, stalls=Stalls(gates))
    spikes = list(random_spikes(config.core, 200, np.random.default_rng(13)))
    tick_slot = config.core.delay_slots - 1
    wanted = [flit for spike in spikes for flit in table.packets(spike, tick_slot)]
    taken, waited, clocks = run(routes, spikes, tick_slot, len(wanted), idle=idle, stall=stall, seed=14)
    assert taken == wanted and waited and len(wanted) > 50
    assert sum(counted for _, counted, _ in clocks) == sum(moved for moved, _, _ in clocks) == len(wanted)
    assert {count == 0 for _, count in table.slices} == {True, False}
    if name != "one_route":
        assert {flit >> 3 & 1 for flit in taken} == {0, 1}
    if config.core.values:
        assert {Kind.SPIKE, Kind.VALUE} == {Kind(flit & 7) for flit in taken}


@pytest.mark.parametrize("name", ["default", "mesh", "values"])
def test_a_packet_leaves_in_every_clock_and_an_empty_neuron_costs_one(name):
    config, table = make(name, seed=21)
    routes = Routes(config, table.pointers, table.routes)
    spikes = list(random_spikes(config.core, 150, np.random.default_rng(22)))
    wanted = [flit for spike in spikes for flit in table.packets(spike, 0)]
    taken, _, clocks = run(routes, spikes, 0, len(wanted), idle=0.0, stall=0.0, seed=23)
    assert taken == wanted
    pattern = [step for spike in spikes for step in [1] * table.slices[spike["neuron"]][1] or [0]]
    assert 0 in pattern
    moved = [moved for moved, _, _ in clocks]
    start = moved.index(1) - pattern.index(1)
    length = len(pattern) - pattern[::-1].index(1)
    assert moved[start : start + length] == pattern[:length]


@pytest.mark.parametrize("name", FABRICS)
def test_both_tables_are_written_and_read_through_their_ports(name):
    config, table = make(name, seed=31)
    routes = Routes(config)
    spikes = list(random_spikes(config.core, 40, np.random.default_rng(32)))
    wanted = [flit for spike in spikes for flit in table.packets(spike, 1)]
    tables = ((routes.pointers_port, table.pointers), (routes.routes_port, table.routes))
    taken = []

    async def bench(ctx):
        for port, words in tables:
            for row, word in enumerate(words):
                ctx.set(port.row, row)
                ctx.set(port.write_data, word)
                ctx.set(port.write, 1)
                await ctx.tick()
            ctx.set(port.write, 0)
        for port, words in tables:
            for row, word in enumerate(words):
                ctx.set(port.row, row)
                ctx.set(port.read, 1)
                await ctx.tick()
                ctx.set(port.read, 0)
                await ctx.tick().repeat(READ_CYCLES - 1)
                assert ctx.get(port.read_data) == word
        ctx.set(routes.tick_slot, 1)
        await source(routes.spikes, spikes, seed=33)(ctx)
        await ctx.tick().repeat(30)
        assert taken == wanted and wanted

    simulate(routes, bench, background=[sink(routes.packets, taken, seed=34, stall=0.1)])


def test_a_core_that_is_not_writable_ignores_writes():
    config = FabricConfig.parse({"core": {"writable": False, "neurons": 8, "lanes": 4, "update_lanes": 4}})
    routes = Routes(config, pointers_init=[5] * memory_map.shapes(config)[Region.POINTERS].rows)
    port = routes.pointers_port

    async def bench(ctx):
        ctx.set(port.write_data, 9)
        ctx.set(port.write, 1)
        await ctx.tick()
        ctx.set(port.write, 0)
        ctx.set(port.read, 1)
        await ctx.tick().repeat(READ_CYCLES)
        assert ctx.get(port.read_data) == 5

    simulate(routes, bench)
