"""Accumulators: rows add up whatever the order of groups, and start from nothing in every tick."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from neurogen.rtl.accumulators import Accumulators
from neurogen.spec.config import CoreConfig, FabricConfig

SHAPES = {
    "four_groups": {"neurons": 14, "lanes": 4, "update_lanes": 2},
    "sixteen_groups": {"neurons": 32, "lanes": 2, "update_lanes": 1},
    "one_group": {"neurons": 8, "lanes": 8, "update_lanes": 4},
    "wide_update": {"neurons": 10, "lanes": 2, "update_lanes": 2},
}


@pytest.mark.parametrize("kind", ["distributed", "block"])
@pytest.mark.parametrize("name", SHAPES)
def test_rows_hold_the_sum_of_one_tick(name, kind):
    core = CoreConfig(axons=8, banks=1, accumulator_bits=9, accumulators=kind, **SHAPES[name])
    dut = Accumulators(FabricConfig(core=core))
    rng = np.random.default_rng(seed := 4)
    print(f"seed {seed}")
    reached = {"untouched": 0, "repeated at once": 0, "repeated later": 0}

    async def add(ctx, expected):
        """A burst of sums that cannot overflow, then wait until all are in their rows."""
        last, seen = None, set()
        for _ in range(int(rng.integers(0, 12))):
            if rng.random() < 0.3:
                await ctx.tick()
                last = None
            group = int(rng.integers(core.groups)) if rng.random() < 0.7 or last is None else last
            addends = rng.integers(-10, 11, size=core.lanes)
            reached["repeated at once"] += group == last
            reached["repeated later"] += group in seen and group != last
            last, expected[group] = group, expected.get(group, 0) + addends
            seen.add(group)
            ctx.set(dut.sums.valid, 1)
            ctx.set(dut.sums.group, group)
            for lane in range(core.lanes):
                ctx.set(dut.sums.lanes[lane], int(addends[lane]))
            await ctx.tick()
            ctx.set(dut.sums.valid, 0)
        while ctx.get(dut.busy):
            await ctx.tick()

    async def bench(ctx):
        for _ in range(60):
            expected: dict = {}
            await add(ctx, expected)
            touched = ctx.get(dut.touched)
            assert touched == sum(1 << group for group in expected)
            for group in range(core.groups):
                reached["untouched"] += group not in expected
                row = expected.get(group, np.zeros(core.lanes, dtype=int))
                for subgroup in range(core.subgroups):
                    ctx.set(dut.read, 1)
                    ctx.set(dut.read_group, group)
                    ctx.set(dut.read_subgroup, subgroup)
                    ctx.set(dut.release, int(subgroup == core.subgroups - 1))
                    ctx.set(dut.release_group, group)
                    await ctx.tick()
                    lanes = [ctx.get(dut.read_data[lane]) for lane in range(core.update_lanes)]
                    first = subgroup * core.update_lanes
                    assert lanes == row[first : first + core.update_lanes].tolist()
            ctx.set(dut.read, 0)
            ctx.set(dut.release, 0)
            assert ctx.get(dut.touched) == 0

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert all(reached.values()), reached


@pytest.mark.parametrize("kind", ["distributed", "block"])
def test_both_ends_of_the_range_are_kept(kind):
    core = CoreConfig(axons=8, banks=1, neurons=4, lanes=2, update_lanes=2, accumulator_bits=6, accumulators=kind)
    dut = Accumulators(FabricConfig(core=core))

    async def bench(ctx):
        for lanes in ((31, -32), (-31, 31), (31, -31)):
            ctx.set(dut.sums.valid, 1)
            for lane, value in enumerate(lanes):
                ctx.set(dut.sums.lanes[lane], value)
            await ctx.tick()
        ctx.set(dut.sums.valid, 0)
        await ctx.tick()
        ctx.set(dut.read, 1)
        await ctx.tick()
        assert [ctx.get(dut.read_data[lane]) for lane in range(2)] == [31, -32]

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
