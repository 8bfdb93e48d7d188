# amaranth: UnusedElaboratable=no
"""The router, alone and in small meshes: nothing lost, duplicated, misrouted or reordered; two clocks a hop."""

import numpy as np
import pytest
from amaranth import *

from neurogen.rtl.router import Router, ports
from neurogen.rtl.routers import Routers
from neurogen.spec import packet
from neurogen.spec.packet import Kind
from neurogen.spec.topologies import mesh
from neurogen.spec.topologies.mesh import Direction
from rtl_tests.sim.meshes import config_of, path, random_flit
from rtl_tests.sim.streams import get, put, simulate, sink, source


def traffic(config, seed, count):
    """Per end: flits to inject; per (source, target): the flits that must arrive, in order; all hops."""
    rng = np.random.default_rng(seed)
    ends = range(config.nodes + 1)
    sent, expected, hops = {end: [] for end in ends}, {(a, b): [] for a in ends for b in ends}, []
    for end in ends:
        for number in range(count):
            flit, targets = random_flit(config, rng, end, number)
            sent[end].append(flit)
            hops += path(config, end, targets)
            for target in targets:
                expected[end, target].append(flit)
    return sent, expected, hops


def numbered(config, flit):
    """Where a test flit comes from: the upper bits of its data."""
    layout = packet.to_host(config)[Kind.REPLY] if flit >> 3 & 1 else packet.to_core(config)[Kind.WRITE]
    return layout.unpack(flit)["data"] >> 11


MESHES = [(1, 1, 2, 40), (2, 2, 2, 60), (3, 2, 2, 60), (1, 4, 4, 50), (3, 3, 2, 60)]


@pytest.mark.parametrize("width, height, queue_depth, count", MESHES)
@pytest.mark.parametrize("seed, idle, stall", [(1, 0.3, 0.4), (2, 0.0, 0.7)])
def test_every_flit_arrives_once_at_every_target_and_in_order(width, height, queue_depth, count, seed, idle, stall):
    config = config_of(width, height, queue_depth)
    sent, expected, hops = traffic(config, seed, count)
    dut, ends = Routers(config), range(config.nodes + 1)
    taken, stalls = [[] for _ in ends], [[] for _ in ends]
    counted = [dict.fromkeys(router.ports, 0) for router in dut.routers.values()]
    blocked = [dict.fromkeys(router.ports, 0) for router in dut.routers.values()]
    total = 0

    async def watch(ctx):
        nonlocal total
        places = [(node, port) for node, router in enumerate(dut.routers.values()) for port in router.ports]
        outputs = [router.outputs[port] for router in dut.routers.values() for port in router.ports]
        valids, readies = Cat(o.valid for o in outputs), Cat(o.ready for o in outputs)
        hops = Cat(router.hops for router in dut.routers.values())
        async for _, _, valid, ready, counts in ctx.tick().sample(valids, readies, hops):
            total += sum(counts >> 3 * node & 7 for node in range(config.nodes))
            for i, (node, port) in enumerate(places):
                if valid >> i & 1:
                    (counted if ready >> i & 1 else blocked)[node][port] += 1

    async def finish(ctx):
        wanted = sum(len(flits) for flits in expected.values())
        while sum(map(len, taken)) < wanted:
            await ctx.tick()
        await ctx.tick().repeat(2)
        assert not ctx.get(dut.busy), "flits are left over"
        await ctx.tick().repeat(20)

    sources = [source(dut.inject[end], sent[end], seed=seed * 100 + end, idle=idle) for end in ends]
    sinks = [sink(dut.eject[end], taken[end], seed=seed * 200 + end, stall=stall, stalls=stalls[end]) for end in ends]
    simulate(dut, *sources, finish, background=[*sinks, watch], deadline_cycles=10_000)

    for (a, b), flits in expected.items():
        assert [flit for flit in taken[b] if numbered(config, flit) == a] == flits, f"{a} -> {b}, seed {seed}"
    assert sum(map(len, taken)) == sum(map(len, expected.values()))
    steps = {(node, port): n for node, ports in enumerate(counted) for port, n in ports.items()}
    assert steps == {step: hops.count(step) for step in steps}
    assert total == len(hops)
    assert all(steps.values()), f"a port was not used: {steps}"
    assert all(n for ports in blocked for n in ports.values()), f"a port never waited: {blocked}"


def spike(config, x0, x1, y0, y1, data=0):
    return packet.to_core(config)[Kind.WRITE].pack(kind=Kind.WRITE, host=0, x0=x0, x1=x1, y0=y0, y1=y1, data=data)


def test_a_hop_takes_two_clocks_and_a_port_one_flit_per_clock():
    config = config_of(4, 1)
    dut = Routers(config)
    far = [spike(config, 3, 3, 0, 0, n) for n in range(50)]
    arrived = []

    async def send(ctx):
        ctx.set(dut.inject[0].valid, 1)
        for flit in far:
            ctx.set(dut.inject[0].payload, flit)
            assert ctx.get(dut.inject[0].ready)
            await ctx.tick()
        ctx.set(dut.inject[0].valid, 0)
        await ctx.tick().repeat(10)

    async def receive(ctx):
        ctx.set(dut.eject[3].ready, 1)
        clock = 0
        async for _, _, valid, payload in ctx.tick().sample(dut.eject[3].valid, dut.eject[3].payload):
            if valid:
                arrived.append((clock, payload))
            clock += 1

    simulate(dut, send, background=[receive])
    assert arrived == [(2 * 4 + n, flit) for n, flit in enumerate(far)]


def test_every_input_and_output_of_one_router_carries_one_flit_per_clock():
    """N, E, S and W straight through, and the core to itself: five flits in every clock."""
    config = config_of(3, 3)
    dut = Router(config, 1, 1)
    across = {
        Direction.N: spike(config, 1, 1, 2, 2),
        Direction.S: spike(config, 1, 1, 0, 0),
        Direction.W: spike(config, 2, 2, 1, 1),
        Direction.E: spike(config, 0, 0, 1, 1),
        Direction.L: spike(config, 1, 1, 1, 1),
    }

    async def drive(ctx):
        for port, flit in across.items():
            ctx.set(dut.inputs[port].payload, flit)
            ctx.set(dut.inputs[port].valid, 1)
            ctx.set(dut.outputs[port].ready, 1)
        await ctx.tick().repeat(2)
        for _ in range(20):
            *_, hops = await ctx.tick().sample(dut.hops)
            assert hops == 5

    simulate(dut, drive)


def test_contending_inputs_take_turns():
    config = config_of(3, 3)
    dut = Router(config, 1, 1)
    arrivals = [Direction.N, Direction.E, Direction.S, Direction.W, Direction.L]
    taken = []

    async def drive(ctx):
        for number, port in enumerate(arrivals):
            ctx.set(dut.inputs[port].payload, spike(config, 1, 1, 1, 1, number))
            ctx.set(dut.inputs[port].valid, 1)
        for _ in range(50):
            taken.append(packet.to_core(config)[Kind.WRITE].unpack(await get(ctx, dut.eject))["data"])

    simulate(dut, drive)
    assert all(sorted(taken[i : i + 5]) == [0, 1, 2, 3, 4] for i in range(len(taken) - 5)), taken


def test_a_branch_leaves_although_another_is_blocked():
    config = config_of(3, 3)
    dut = Router(config, 1, 1)
    flit = spike(config, 0, 2, 0, 2)
    free = [Direction.N, Direction.E, Direction.S, Direction.L]

    async def drive(ctx):
        for port in free:
            ctx.set(dut.outputs[port].ready, 1)
        for _ in range(2):
            await put(ctx, dut.inject, flit)
        for expected in (1, 1, 0, 0):  # the second flit's branches do not wait for the first one's last
            _, _, *valid = await ctx.tick().sample(*(dut.outputs[port].valid for port in free))
            assert valid == [expected] * len(free)
        assert ctx.get(dut.links_out.w.valid) and ctx.get(dut.busy)
        assert await get(ctx, dut.links_out.w) == flit
        assert await get(ctx, dut.links_out.w) == flit
        assert not ctx.get(dut.busy)

    simulate(dut, drive)


def test_a_flit_to_nowhere_vanishes():
    config = config_of(3, 3)
    dut = Router(config, 1, 1)

    async def drive(ctx):
        await put(ctx, dut.links_in.n, spike(config, 1, 1, 0, 0))
        await put(ctx, dut.links_in.n, spike(config, 1, 1, 1, 1))
        assert await get(ctx, dut.eject) == spike(config, 1, 1, 1, 1)
        assert not ctx.get(dut.busy)

    simulate(dut, drive)


def test_broadcasts_from_everywhere_drain_through_slow_sinks():
    config = config_of(3, 3)
    dut, ends = Routers(config), range(config.nodes + 1)
    taken = [[] for _ in ends]
    flits = {end: [spike(config, 0, 2, 0, 2, end << 11 | n) for n in range(15)] for end in ends}

    async def finish(ctx):
        while sum(map(len, taken)) < 9 * 10 * 15:
            await ctx.tick()

    simulate(
        dut,
        *(source(dut.inject[end], flits[end], seed=end, idle=0) for end in ends),
        finish,
        background=[sink(dut.eject[end], taken[end], seed=50 + end, stall=0.85) for end in ends],
        deadline_cycles=4000,
    )
    everything = sorted(flit for sent in flits.values() for flit in sent)
    assert all(sorted(arrived) == everything for arrived in taken[: config.nodes])


def test_router_refuses_coordinates_outside_the_mesh():
    with pytest.raises(ValueError, match=r"^Router coordinates are inside 2 x 1, not \(2, 0\)$"):
        Router(config_of(2, 1), 2, 0)


def test_ports_at_the_edge_are_pruned():
    config = config_of(3, 3)
    assert [ports(config, x, y) for x, y in ((0, 0), (2, 2), (1, 1))] == [
        [Direction.N, Direction.E, Direction.S, Direction.L],
        [Direction.N, Direction.W, Direction.L],
        list(Direction),
    ]
    assert mesh.neighbours(config_of(1, 1), 0, 0) == {}
