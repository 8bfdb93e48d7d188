"""Stores whose banks work side by side: every event adds its walk, in the order of its bank and without bubbles."""

from collections import Counter

import numpy as np
import pytest

from neurogen.rtl import synapses
from neurogen.rtl.memory_port import READ_CYCLES, owner_port
from neurogen.rtl.streams import Stalls
from neurogen.rtl.synapses.side_by_side import SideBySide
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.fields import bits_to_ints
from neurogen.spec.image import CoreImage
from neurogen.spec.memory_map import Region, shapes
from rtl_tests.random_images import draw_synapses
from rtl_tests.sim.streams import plain, put, simulate

SHAPES = {
    "two_banks": {"axons": 26, "neurons": 30, "lanes": 2, "banks": 2, "geometries": 3},
    "graded": {"axons": 16, "neurons": 21, "lanes": 4, "banks": 4, "payload_bits": 3, "payload_signed": True},
    "fixed": {"axons": 11, "neurons": 16, "lanes": 4, "banks": 1, "writable": False, "payload_bits": 2},
    "one_group": {"axons": 24, "neurons": 4, "lanes": 4, "banks": 2, "synapse_rows": 9},
}
CASES = [
    (name, shape) for name, module in synapses.stores().items() if issubclass(module.Store, SideBySide)
    for shape in SHAPES
]  # fmt: skip


class Case:
    """A store with random synapses, and random events for its banks."""

    def __init__(self, store, shape, seed, stalls=None, loaded=True):
        settings = {"store": store, "update_lanes": 1, "weight_bits": 4, "accumulator_bits": 16}
        self.config = FabricConfig(core=CoreConfig(**settings | SHAPES[shape]))
        self.core, self.rng = self.config.core, np.random.default_rng(seed)
        print(f"seed {seed}")
        self.memory = CoreImage.empty(self.config)
        draw_synapses(self.config, self.memory, self.rng)
        bits = self.memory.region_bits(self.config)
        self.rows = {r: [bits_to_ints(bank) for bank in bits[r]] for r in synapses.REGIONS if r in bits}
        init = {}
        if loaded:
            init = {f"{region.name.lower()}_init": banks for region, banks in self.rows.items()}
            if "walks_init" in init:
                init["walks_init"] = init["walks_init"][0]
        self.dut = synapses.stores()[store].Store(self.config, **init, stalls=Stalls(stalls))
        self.columns = len(self.dut.addends) // self.core.banks

    def draw_heads(self, share):
        low, high = self.core.payload_range if self.core.payload_bits else (0, 0)
        chosen = self.rng.random((self.core.banks, self.core.bank_axons)) < share
        return [[{"axon": a, "payload": int(self.rng.integers(low, high + 1))} for a in np.flatnonzero(bank).tolist()]
                for bank in chosen]  # fmt: skip

    def steps(self, bank, event):
        """(row, group of every lane) of the walk of an event."""
        at = {name: int(column[bank, event["axon"]]) for name, column in self.memory.axons.items()}
        if self.core.store == "sparse":
            for row in range(at["base"], at["base"] + at["count"]):
                yield row, self.memory.targets["group"][bank, row].tolist()
            return
        strides = [int(self.memory.walks[name][at["geometry"]]) for name in ("row_stride", "group_stride")]
        for i in range(at["lines"]):
            for j in range(at["length"]):
                yield at["base"] + i * strides[0] + j, [at["first"] + i * strides[1] + j] * self.core.lanes

    def addends(self, bank, event):
        """What each step of an event adds: {column: (group, values)}."""
        width = self.core.lanes // self.columns
        for row, groups in self.steps(bank, event):
            weights = self.memory.synapses[bank, row]
            values = (weights * (event["payload"] if self.core.payload_bits else 1)).tolist()
            reaches = [lane for lane in range(0, self.core.lanes, width) if width > 1 or weights[lane]]
            yield {lane // width: (groups[lane], values[lane : lane + width]) for lane in reaches}

    def run(self, heads, idle=0.0, first=None):
        """Play ``heads`` and return the addends of every bank with their clocks, and counts."""
        dut, found, counts = self.dut, [[] for _ in range(self.core.banks)], Counter()

        def feeder(stream, items):
            async def testbench(ctx):
                while first and not counts["loaded"]:
                    await ctx.tick()
                for item in items:
                    while idle and self.rng.random() < idle:
                        await ctx.tick()
                    await put(ctx, stream, item)
                await ctx.tick().repeat(3)
                await ctx.tick().until(~dut.busy)
                await ctx.tick().repeat(dut.latency_cycles + 2)

            return testbench

        async def watch(ctx):
            clock = 0
            signals = (dut.addends, dut.event_count, dut.row_count, dut.walking)
            async for _, _, *addends, events, rows, walking in ctx.tick().sample(*dut.addends, *signals[1:]):
                for bank in range(self.core.banks):
                    own = [plain(addend) for addend in addends[bank * self.columns : (bank + 1) * self.columns]]
                    step = {i: (a["group"], a["lanes"]) for i, a in enumerate(own) if a["valid"]}
                    if step:
                        found[bank].append((clock, step))
                counts.update({"events": events, "rows": rows, "clocks": walking})
                clock += 1

        async def load(ctx):
            if first:
                await first(ctx)
            counts["loaded"] = 1

        benches = [feeder(stream, items) for stream, items in zip(dut.heads, heads, strict=True)]
        simulate(dut, load, *benches, background=[watch])
        return found, counts


def expected(case, heads):
    """Addends of every bank, the clock of each from the first step on, and the counts."""
    found, clocks, counts = [], [], Counter(loaded=1)
    for bank, events in enumerate(heads):
        clock, own = 0, []
        for event in events:
            steps = list(case.addends(bank, event))
            own += [(clock + number, step) for number, step in enumerate(steps) if step]
            counts["rows"] += len(steps)
            counts["nothing"] += not steps
            clock += max(len(steps), 1)
        counts["events"] += len(events)
        found.append(own)
        clocks.append(clock)
    return found, counts | {"clocks": max(clocks)}


@pytest.mark.parametrize("share", [1.0, 0.4])
@pytest.mark.parametrize(("store", "shape"), CASES)
def test_banks_walk_side_by_side_without_bubbles(store, shape, share):
    case = Case(store, shape, seed=5)
    heads = case.draw_heads(share)
    found, counts = case.run(heads)
    wanted, sums = expected(case, heads)
    first = 3 + case.dut.latency_cycles
    assert found == [[(clock + first, step) for clock, step in bank] for bank in wanted]
    assert sums.pop("nothing") > 0 or share < 1
    assert counts == sums
    assert sum(map(len, found)) > 3 or share < 1


@pytest.mark.parametrize(("store", "shape"), CASES)
def test_every_event_adds_its_walk_whenever_it_comes(store, shape):
    for stalls in (None, 3):
        case = Case(store, shape, seed=8, stalls=stalls)
        heads = case.draw_heads(0.8)
        found, counts = case.run(heads, idle=0.7)
        wanted, sums = expected(case, heads)
        assert [[step for _, step in bank] for bank in found] == [[step for _, step in bank] for bank in wanted]
        assert (counts["events"], counts["rows"]) == (sums["events"], sums["rows"])
        assert any(np.diff([clock for clock, _ in bank]).max() > 1 for bank in found if len(bank) > 1)


@pytest.mark.parametrize(("store", "shape"), [case for case in CASES if case[1] != "fixed"])
def test_memories_loaded_at_run_time_read_back_and_work(store, shape):
    case = Case(store, shape, seed=9, loaded=False)
    ports = {region: getattr(case.dut, owner_port(region)) for region in case.rows}
    assert (Region.WALKS in ports) == (Region.WALKS in shapes(case.config))

    async def load(ctx):
        for region, port in ports.items():
            for bank, contents in enumerate(case.rows[region]):
                for row, value in enumerate(contents):
                    for name, given in {"bank": bank, "row": row, "write_data": value, "write": 1}.items():
                        ctx.set(getattr(port, name), given)
                    await ctx.tick()
            ctx.set(port.write, 0)
        for region, port in ports.items():
            for bank, contents in enumerate(case.rows[region]):
                for row, value in list(enumerate(contents))[:: max(1, len(contents) // 12)]:
                    for name, given in {"bank": bank, "row": row, "read": 1}.items():
                        ctx.set(getattr(port, name), given)
                    await ctx.tick()
                    ctx.set(port.read, 0)
                    await ctx.tick().repeat(READ_CYCLES - 1)
                    for _ in range(3):
                        assert ctx.get(port.read_data) == value, (region, bank, row)
                        await ctx.tick()

    heads = case.draw_heads(0.7)
    found, _ = case.run(heads, first=load)
    wanted, _ = expected(case, heads)
    assert [[step for _, step in bank] for bank in found] == [[step for _, step in bank] for bank in wanted]
