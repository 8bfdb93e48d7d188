"""Accumulators: rows add up whatever the order of groups, and start from nothing in every tick."""

from collections import Counter

import numpy as np
import pytest
from amaranth.sim import Simulator

from neurogen.rtl.accumulators import Accumulators
from neurogen.spec.config import CoreConfig, FabricConfig

SHAPES = {  # copies, columns, core
    "four_groups": (1, 1, {"neurons": 14, "lanes": 4, "update_lanes": 2}),
    "sixteen_groups": (2, 1, {"neurons": 32, "lanes": 2, "update_lanes": 1}),
    "one_group": (1, 1, {"neurons": 8, "lanes": 8, "update_lanes": 4}),
    "wide_update": (4, 1, {"neurons": 10, "lanes": 2, "update_lanes": 2}),
    "lanes_apart": (1, 4, {"neurons": 20, "lanes": 4, "update_lanes": 2}),
    "copies_and_lanes": (2, 4, {"neurons": 12, "lanes": 4, "update_lanes": 4}),
}


def simulate(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


class Bench:
    """Adds at random on every column, then reads as the update unit does, with clocks in which nothing moves."""

    def __init__(self, name, kind, seed, repeats=True):
        copies, self.columns, shape = SHAPES[name]
        self.core = CoreConfig(axons=8, banks=1, accumulator_bits=9, accumulators=kind, **shape)
        self.repeats = repeats
        self.dut = Accumulators(FabricConfig(core=self.core), copies, self.columns, repeats)
        self.rng, self.reached = np.random.default_rng(seed), Counter()
        self.width = self.core.lanes // self.columns

    async def add(self, ctx):
        """A burst of addends whose sums cannot overflow; the sums (G, P) and the groups touched."""
        core, rng, reached = self.core, self.rng, self.reached
        sums, touched, last = np.zeros((core.groups, core.lanes), dtype=int), set(), {}
        for _ in range(int(rng.integers(0, 12))):
            for number, addend in enumerate(self.dut.addends):
                valid = rng.random() < 0.7
                group = last[number] if number in last and rng.random() < 0.4 else int(rng.integers(core.groups))
                values = rng.integers(-5, 6, size=self.width)
                valid = valid and (self.repeats or last.get(number) != group)
                reached["repeated at once"] += valid and last.get(number) == group
                last.pop(number, None)
                ctx.set(addend, {"valid": int(valid), "group": group, "lanes": values.tolist()})
                if valid:
                    last[number] = group
                    first = number % self.columns * self.width
                    reached["repeated later"] += group in touched
                    sums[group, first : first + self.width] += values
                    touched.add(group)
            await ctx.tick()
        for addend in self.dut.addends:
            ctx.set(addend.valid, 0)
        while ctx.get(self.dut.busy):
            await ctx.tick()
        return sums, touched

    async def read(self, ctx, sums, touched):
        """Every subgroup; read_data holds while nothing moves, and is right when it does."""
        core, dut, rng = self.core, self.dut, self.rng
        wanted = [(group, subgroup) for group in range(core.groups) for subgroup in range(core.subgroups)]
        coming = [None] * dut.read_cycles
        while wanted or any(coming):
            advance = rng.random() < 0.7
            item = wanted.pop(0) if advance and wanted and rng.random() < 0.8 else None
            ctx.set(dut.advance, int(advance))
            ctx.set(dut.read, int(item is not None))
            if item:
                ctx.set(dut.read_group, item[0])
                ctx.set(dut.read_subgroup, item[1])
                ctx.set(dut.release, int(item[1] == core.subgroups - 1))
                self.reached["untouched"] += item[0] not in touched
            if coming[0]:
                group, subgroup = coming[0]
                first = subgroup * core.update_lanes
                lanes = [ctx.get(dut.read_data[lane]) for lane in range(core.update_lanes)]
                assert lanes == sums[group, first : first + core.update_lanes].tolist(), coming[0]
                self.reached["held"] += not advance
            await ctx.tick()
            if advance:
                coming = [*coming[1:], item]
        ctx.set(dut.advance, 1)
        ctx.set(dut.read, 0)
        assert ctx.get(dut.touched) == 0

    async def run(self, ctx):
        for _ in range(60):
            sums, touched = await self.add(ctx)
            assert ctx.get(self.dut.touched) == sum(1 << group for group in touched)
            await self.read(ctx, sums, touched)


@pytest.mark.parametrize("kind, repeats", [("distributed", True), ("block", True), ("block", False)])
@pytest.mark.parametrize("name", SHAPES)
def test_rows_hold_the_sum_of_one_tick(name, kind, repeats):
    bench = Bench(name, kind, seed := 4, repeats)
    print(f"seed {seed}")
    simulate(bench.dut, bench.run)
    for case in ("untouched", "repeated later", "held"):
        assert bench.reached[case] > 3, case
    assert (bench.reached["repeated at once"] > 3) == repeats


@pytest.mark.parametrize("kind", ["distributed", "block"])
def test_both_ends_of_the_range_are_kept(kind):
    core = CoreConfig(axons=8, banks=1, neurons=4, lanes=2, update_lanes=2, accumulator_bits=6, accumulators=kind)
    dut = Accumulators(FabricConfig(core=core))

    async def bench(ctx):
        for lanes in ([31, -32], [-31, 31], [31, -31]):
            ctx.set(dut.addends[0], {"valid": 1, "group": 0, "lanes": lanes})
            await ctx.tick()
        ctx.set(dut.addends[0].valid, 0)
        await ctx.tick()
        ctx.set(dut.advance, 1)
        ctx.set(dut.read, 1)
        await ctx.tick()
        assert [ctx.get(dut.read_data[lane]) for lane in range(2)] == [31, -32]

    simulate(dut, bench)
