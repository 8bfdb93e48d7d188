"""The barrier: quiescence is never seen early, and as soon as its latency allows."""

import numpy as np
import pytest
from amaranth import *

from neurogen.rtl.barrier import Barrier
from rtl_tests.sim.meshes import config_of
from rtl_tests.sim.streams import simulate

MESHES = [(1, 1, 1), (2, 2, 1), (3, 2, 2), (1, 4, 1), (5, 4, 3)]


@pytest.mark.parametrize("width, height, latency", MESHES)
def test_latency_is_the_same_for_every_node_and_both_ways(width, height, latency):
    dut = Barrier(config_of(width, height))
    assert dut.latency_cycles == latency
    nodes = dut.config.nodes

    async def drive(ctx):
        for signal, leaves in ((dut.control.release, dut.release), (dut.control.reset, dut.reset)):
            for clock in range(latency + 2):
                ctx.set(signal, int(clock == 0))
                assert ctx.get(Cat(leaves)) == ((1 << nodes) - 1 if clock == latency else 0)
                await ctx.tick()
            await ctx.tick().repeat(2 * latency)
        ctx.set(dut.control.timebase.slot, 3)
        await ctx.tick().repeat(latency)
        assert all(ctx.get(timebase.slot) == 3 for timebase in dut.timebase)
        for busy in dut.busy:
            ctx.set(busy, 1)
            await ctx.tick()
            ctx.set(busy, 0)
            for clock in range(latency + 2):
                assert ctx.get(dut.control.quiescent) == (clock != latency - 1)
                await ctx.tick()

    simulate(dut, drive)


@pytest.mark.parametrize("width, height, latency", MESHES)
def test_an_idle_tick_takes_a_round_trip(width, height, latency):
    """Nodes that are busy for B clocks make a tick of ``round_trip_cycles + 1 + B`` clocks."""
    dut = Barrier(config_of(width, height))
    seen = {}

    async def drive(ctx):
        for working in (0, 1, 2, 5):
            ctx.set(dut.control.release, 1)
            await ctx.tick()
            ctx.set(dut.control.release, 0)
            clocks, left = 1, 0
            while not ctx.get(dut.control.quiescent):
                released = ctx.get(dut.release[0])
                await ctx.tick()
                left = working if released else max(left - 1, 0)
                for busy in dut.busy:
                    ctx.set(busy, int(left > 0))
                clocks += 1
            seen[working] = clocks

    simulate(dut, drive)
    assert seen == {working: dut.round_trip_cycles + 1 + working for working in (0, 1, 2, 5)}
    assert dut.round_trip_cycles == 2 * latency


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("width, height, latency", MESHES)
def test_quiescence_is_never_seen_early(width, height, latency, seed):
    """Random work moves from node to node and enters from the host; it is over when the barrier says so."""
    dut = Barrier(config_of(width, height))
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    ticks, moves, nodes = 0, 0, dut.config.nodes
    work = [0] * nodes  # clocks that each node still has to do

    def step(released, sent):
        """One clock of all nodes: work is done, and passed on to another node now and then."""
        nonlocal moves
        for node in range(nodes):
            if work[node] == 1 and rng.random() < 0.6:
                work[rng.integers(nodes)] += int(rng.integers(2, 6))
                moves += 1
            work[node] = max(work[node] - 1, 0)
            if released and rng.random() < 0.5:
                work[node] += int(rng.integers(1, 10))
        if sent:
            work[0] += 1

    async def drive(ctx):
        nonlocal ticks
        while ticks < 60:
            ctx.set(dut.control.release, 0)
            sending = int(rng.random() < 0.05)
            ctx.set(dut.control.sending, sending)
            in_flight = any(work) or sending or any(ctx.get(leaf) for leaf in dut.release)
            if ctx.get(dut.control.quiescent):
                assert not in_flight, f"quiescent while {work} (seed {seed}, tick {ticks})"
                if rng.random() < 0.7:
                    ctx.set(dut.control.release, 1)
                    ticks += 1
            released = ctx.get(dut.release[0])
            await ctx.tick()
            step(released, sending)
            for node, busy in enumerate(dut.busy):
                ctx.set(busy, int(work[node] > 0))

    simulate(dut, drive)
    assert moves > 30
