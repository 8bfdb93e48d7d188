"""The sequencer against a list of passes: which rows are read, in which order, and in how many clocks."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from neurogen.rtl.memory_port import READ_CYCLES
from neurogen.rtl.sequencer import Sequencer
from neurogen.rtl.streams import Stalls
from neurogen.spec import rows
from neurogen.spec.config import CoreConfig, FabricConfig
from rtl_tests.sim.streams import plain, put, simulate

CONFIGS = {
    "1 bank, 1 range": dict(banks=1, axons=12, neurons=16),
    "2 banks, 1 group": dict(banks=2, axons=12, neurons=4),
    "2 banks, 3 ranges, payload": dict(banks=2, axons=21, neurons=20, ranges=3, payload_bits=4),
    "4 banks, 3 ranges": dict(banks=4, axons=32, neurons=24, ranges=3, synapse_rows=50),
    "4 banks, 2 ranges, registers": dict(banks=4, axons=32, neurons=24, ranges=2, memory_registers=True),
    "4 banks, full": dict(banks=4, axons=31, neurons=24, store="full", payload_bits=2),
    "1 bank, full, 5 groups": dict(banks=1, axons=12, neurons=20, store="full"),
    "2 banks, 1 group, block": dict(banks=2, axons=12, neurons=4, accumulators="block"),
    "4 banks, 4 ranges, block": dict(banks=4, axons=48, neurons=24, ranges=4, accumulators="block"),
    "8 banks, 5 ranges, fixed": dict(banks=8, axons=40, neurons=32, ranges=5, payload_bits=2, writable=False),
}


class Tables:
    """Axon rows and ranges, at random; range 0 is one group, the last is all of them."""

    def __init__(self, core, rng):
        self.core = core
        first = rng.integers(core.groups, size=core.ranges)
        last = rng.integers(first, core.groups)
        first[-1], last[-1] = 0, core.groups - 1
        if core.ranges > 1:
            last[0] = first[0]
        self.ranges = [(int(a), int(b)) for a, b in zip(first, last, strict=True)]
        shape = (core.banks, core.bank_axons)
        self.base = rng.integers(core.rows - core.groups + 1, size=shape)
        self.range = np.sort(rng.integers(core.ranges, size=shape), axis=1)
        if core.store == "full":
            self.base = np.tile(np.arange(core.bank_axons) * core.groups, (core.banks, 1))

    def init(self, config) -> dict:
        if config.core.store == "full":
            return {}
        axons = [
            [rows.axon(config).pack(base=base, range=r) for base, r in zip(*bank, strict=True)]
            for bank in zip(self.base.tolist(), self.range.tolist(), strict=True)
        ]
        ranges = [rows.walk(config).pack(first=first, last=last) for first, last in self.ranges]
        return {"axons_init": axons, "walks_init": ranges}

    def steps(self, heads) -> list[dict]:
        """Steps of every pass, where every head is there from the beginning."""
        heads, found = [list(bank) for bank in heads], []
        while any(heads):
            choice = min(self.range[k][bank[0]["axon"]] for k, bank in enumerate(heads) if bank)
            joined = {
                k: bank.pop(0) for k, bank in enumerate(heads) if bank and self.range[k][bank[0]["axon"]] == choice
            }
            first, last = self.ranges[choice]
            for group in range(first, last + 1):
                reads = {k: (int(self.base[k][e["axon"]]) + group - first, e["payload"]) for k, e in joined.items()}
                found.append({"group": group, "reads": reads})
        return found


def draw_heads(core, rng, share):
    return [
        [{"axon": a, "payload": int(rng.integers(1 << core.payload_bits))} for a in np.flatnonzero(chosen).tolist()]
        for chosen in rng.random((core.banks, core.bank_axons)) < share
    ]


def make(name, stalls=None, seed=0, loaded=True):
    config = FabricConfig(core=CoreConfig(**{"lanes": 4, "update_lanes": 2} | CONFIGS[name]))
    tables = Tables(config.core, np.random.default_rng(seed))
    init = tables.init(config) if loaded else {}
    return Sequencer(config, **init, stalls=Stalls(stalls)), tables


def watch(dut, steps: list, counts: Counter):
    """Collect valid steps, each with its clock, and add up the counters and the clocks of passes."""

    async def testbench(ctx):
        clock = 0
        async for _, _, step, walking, events, reads in ctx.tick().sample(
            dut.step, dut.walking, dut.event_count, dut.row_count
        ):
            step = plain(step)
            counts["walking"] += walking
            if step["valid"]:
                banks = {k: (b["row"], b["payload"]) for k, b in enumerate(step["banks"]) if b["enable"]}
                steps.append({"clock": clock, "group": step["group"], "reads": banks})
            counts["events"] += events
            counts["rows"] += reads
            clock += 1

    return testbench


def feed(dut, heads, rng=None, idle=0.0):
    """Testbenches that offer the heads of each bank."""

    def feeder(stream, items):
        async def testbench(ctx):
            for item in items:
                while idle and rng.random() < idle:
                    await ctx.tick()
                await put(ctx, stream, item)
            await ctx.tick().repeat(2)
            await ctx.tick().until(~dut.busy)
            await ctx.tick().repeat(2)

        return testbench

    return [feeder(stream, items) for stream, items in zip(dut.heads, heads, strict=True)]


@pytest.mark.parametrize("share", [1.0, 0.4])
@pytest.mark.parametrize("name", CONFIGS)
def test_passes_follow_each_other_without_bubbles(name, share):
    dut, tables = make(name)
    core = dut.config.core
    heads = draw_heads(core, np.random.default_rng(5), share)
    steps, counts = [], Counter()
    simulate(dut, *feed(dut, heads), background=[watch(dut, steps, counts)])

    expected = tables.steps(heads)
    clocks = [step.pop("clock") for step in steps]
    assert steps == expected
    repeats = [False, *(a["group"] == b["group"] for a, b in pairwise(expected))]
    waits = [again and core.accumulators == "block" for again in repeats]
    assert clocks == [dut.latency_cycles + number + sum(waits[: number + 1]) for number in range(len(expected))]
    assert counts.pop("walking") == len(expected) + sum(waits)
    assert any(waits) == (core.accumulators == "block"), "whether a pass waits for the row of its group"
    per_range = [
        [sum(tables.range[k][e["axon"]] == r for e in bank) for k, bank in enumerate(heads)] for r in range(core.ranges)
    ]
    formula = sum(
        max(count) * (last - first + 1) for count, (first, last) in zip(per_range, tables.ranges, strict=True)
    )
    assert len(expected) == formula > 2
    assert counts == {"events": sum(map(len, heads)), "rows": sum(len(step["reads"]) for step in expected)}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_event_reads_its_rows_once_whenever_it_comes(name):
    """With idle sources and gates the passes are others, but every event still walks its own range."""
    rng = np.random.default_rng(seed := 8)
    print(f"seed {seed}")
    for stalls in (None, 3):
        dut, tables = make(name, stalls, seed=1)
        core = dut.config.core
        heads = draw_heads(core, rng, 0.8)
        steps, counts = [], Counter()
        simulate(dut, *feed(dut, heads, rng, idle=0.9), background=[watch(dut, steps, counts)])

        expected = Counter()
        for bank, events in enumerate(heads):
            for event in events:
                first, last = tables.ranges[tables.range[bank][event["axon"]]]
                for group in range(first, last + 1):
                    row = int(tables.base[bank][event["axon"]]) + group - first
                    expected[bank, row, group, event["payload"]] += 1
        found = Counter(
            (bank, row, step["group"], payload) for step in steps for bank, (row, payload) in step["reads"].items()
        )
        assert found == expected
        assert len(steps) <= counts.pop("walking") <= len(steps) + len(steps) * (core.accumulators == "block")
        assert counts == {"events": sum(map(len, heads)), "rows": expected.total()}
        clocks = [step["clock"] for step in steps]
        assert np.diff(clocks).max() > 1, "no pass ever had to wait"
        if core.accumulators == "block":
            assert all(b["clock"] - a["clock"] > 1 for a, b in pairwise(steps) if a["group"] == b["group"])


@pytest.mark.parametrize("name", [name for name in CONFIGS if not {"fixed", "full"} & set(re.split(", ", name))])
def test_tables_loaded_at_run_time_read_back_and_work(name):
    dut, tables = make(name, loaded=False)
    config = dut.config
    core, init = config.core, tables.init(config)
    heads = draw_heads(core, np.random.default_rng(9), 0.7)
    steps, counts = [], Counter()
    regions = [(dut.axons_port, init["axons_init"])]
    if hasattr(dut, "walks_port"):
        regions.append((dut.walks_port, [init["walks_init"]]))

    async def load(ctx):
        for port, contents in regions:
            for bank, packed in enumerate(contents):
                for row, value in enumerate(packed):
                    ctx.set(port.bank, bank)
                    ctx.set(port.row, row)
                    ctx.set(port.write_data, value)
                    ctx.set(port.write, 1)
                    await ctx.tick()
                    ctx.set(port.write, 0)
        for port, contents in regions:
            for bank, packed in enumerate(contents):
                for row, value in enumerate(packed):
                    ctx.set(port.bank, bank)
                    ctx.set(port.row, row)
                    ctx.set(port.read, 1)
                    await ctx.tick()
                    ctx.set(port.read, 0)
                    ctx.set(port.row, 0)
                    await ctx.tick().repeat(READ_CYCLES - 1)
                    for _ in range(3):
                        assert ctx.get(port.read_data) == value
                        await ctx.tick()

    def after(testbench):
        async def wrapped(ctx):
            while not loaded:
                await ctx.tick()
            await testbench(ctx)

        return wrapped

    loaded = []

    async def first(ctx):
        await load(ctx)
        loaded.append(True)

    simulate(dut, first, *map(after, feed(dut, heads)), background=[watch(dut, steps, counts)])
    for step in steps:
        del step["clock"]
    assert steps == tables.steps(heads)
    assert len(steps) > 2
