"""The slot scheduler against a dictionary, with events arriving in and between ticks."""

from collections import Counter

import numpy as np
import pytest

from neurogen.rtl.scheduler import STORING_CYCLES, Scheduler
from neurogen.rtl.streams import Stalls
from neurogen.spec.config import CoreConfig, FabricConfig
from rtl_tests.sim.streams import put, simulate, sink

TICKS = 36

CONFIGS = {
    "1 bank, 1 word": dict(axons=12, banks=1, delay_slots=4),
    "2 banks, uneven words": dict(axons=75, banks=2, delay_slots=2, slot_word_bits=8),
    "4 banks, words of 2, payload": dict(axons=90, banks=4, delay_slots=8, slot_word_bits=2, payload_bits=4),
    "8 banks, 64 slots": dict(axons=70, banks=8, delay_slots=64, slot_word_bits=4),
    "words of 1, payload": dict(axons=9, banks=2, delay_slots=4, slot_word_bits=1, payload_bits=3),
    "1 axon per bank": dict(axons=2, banks=2, delay_slots=2, payload_bits=2),
}


def make(stalls=None, **core) -> Scheduler:
    core = {"neurons": 8, "lanes": 4, "update_lanes": 2} | core
    return Scheduler(FabricConfig(core=CoreConfig(**core)), stalls=Stalls(stalls))


class Reference:
    """What is pending: (slot, axon) -> payload of the first event."""

    def __init__(self, core):
        self.core = core
        self.pending = {}
        self.collisions = 0

    def arrive(self, axon, slot, payload):
        self.collisions += (slot, axon) in self.pending
        self.pending.setdefault((slot, axon), payload)

    def take(self, slot) -> list[list[dict]]:
        """Heads of every bank."""
        core = self.core
        found = sorted((axon, self.pending.pop((slot, axon))) for s, axon in list(self.pending) if s == slot)
        return [
            [{"axon": axon // core.banks, "payload": payload} for axon, payload in found if axon % core.banks == bank]
            for bank in range(core.banks)
        ]


def draw_events(rng, core, tick, count):
    """Events for any slot but that of ``tick``; few axons, so that some collide and some share a word."""
    axons = rng.choice(core.axons, size=min(core.axons, 1 + count // 2), replace=False)
    for _ in range(count):
        yield {
            "axon": int(rng.choice(axons)),
            "slot": int(tick + rng.integers(1, core.delay_slots)) % core.delay_slots,
            "payload": int(rng.integers(1 << core.payload_bits)),
        }


async def start(ctx, dut, slot):
    """As early as it may come after an event."""
    ctx.set(dut.slot, slot)
    await ctx.tick().repeat(STORING_CYCLES)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)


def count_pulses(signal, counts: Counter, name: str):
    async def testbench(ctx):
        async for _, _, value in ctx.tick().sample(signal):
            counts[name] += value

    return testbench


@pytest.mark.parametrize("stalls", [None, 7], ids=["no gates", "gates"])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_event_leaves_once_in_ascending_order(name, stalls):
    dut = make(stalls, **CONFIGS[name])
    core = dut.config.core
    rng = np.random.default_rng(seed := 11)
    print(f"seed {seed}")
    reference, taken, waited = Reference(core), [[] for _ in range(core.banks)], []
    counts = Counter()

    async def ticks(ctx):
        for tick in range(TICKS):
            events = list(draw_events(rng, core, tick, int(rng.integers(0, 2 * core.bank_axons + 4))))
            split = int(rng.integers(0, len(events) + 1))
            for i, event in enumerate(events):
                if i == split:
                    await start(ctx, dut, tick % core.delay_slots)
                    expected = reference.take(tick % core.delay_slots)
                reference.arrive(**event)
                await put(ctx, dut.events, event)
            if split == len(events):
                await start(ctx, dut, tick % core.delay_slots)
                expected = reference.take(tick % core.delay_slots)
            await ctx.tick().until(dut.exhausted)
            assert taken == expected, f"tick {tick}, seed {seed}"
            counts["events"] += sum(len(bank) for bank in taken)
            counts["in tick"] += split < len(events)
            for bank in taken:
                bank.clear()
            if tick == TICKS // 2:
                await ctx.tick().repeat(STORING_CYCLES)
                ctx.set(dut.clear, 1)
                await ctx.tick()
                ctx.set(dut.clear, 0)
                counts["cleared"] += len(reference.pending)
                reference.pending.clear()
        await ctx.tick().repeat(3)  # until the last collision is seen

    sinks = [
        sink(head, items, seed=bank, stall=0.4, stalls=waited)
        for bank, (head, items) in enumerate(zip(dut.heads, taken, strict=True))
    ]
    simulate(dut, ticks, background=[*sinks, count_pulses(dut.collision, counts, "collisions")])
    assert counts["collisions"] == reference.collisions > 0
    assert counts["events"] > TICKS
    assert counts["in tick"] and waited
    if core.delay_slots > 2:
        assert counts["cleared"]


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("fill", ["all", "one per word", "random"])
def test_events_leave_without_bubbles_and_arrive_without_waiting(name, fill):
    dut = make(**CONFIGS[name])
    core = dut.config.core
    rng = np.random.default_rng(3)
    stride = core.slot_word_bits * core.banks
    axons = {
        "all": range(core.axons),
        "one per word": [a for start in range(0, core.axons, stride) for a in range(start, core.axons)[: core.banks]],
        "random": [a for a in range(core.axons) if rng.random() < 0.4],
    }[fill]
    per_bank = [sum(axon % core.banks == bank for axon in axons) for bank in range(core.banks)]
    accepted, valid = [], []

    async def watch(ctx):
        async for _, _, started, exhausted, *heads in ctx.tick().sample(
            dut.start, dut.exhausted, *(head.valid for head in dut.heads)
        ):
            valid.append((started, exhausted, heads))

    async def fill_and_start(ctx):
        for head in dut.heads:
            ctx.set(head.ready, 1)
        for axon in axons:
            ctx.set(dut.events.payload, {"axon": axon, "slot": 1, "payload": 0})
            ctx.set(dut.events.valid, 1)
            _, _, ready = await ctx.tick().sample(dut.events.ready)
            accepted.append(ready)
        ctx.set(dut.events.valid, 0)
        await start(ctx, dut, 1)
        await ctx.tick().until(dut.exhausted)
        await ctx.tick()

    simulate(dut, fill_and_start, background=[watch])
    assert all(accepted), "one event per clock arrives"
    begin = next(i for i, (started, _, _) in enumerate(valid) if started)
    for bank, count in enumerate(per_bank):
        offered = [i - begin for i, (_, _, heads) in enumerate(valid) if heads[bank]]
        assert offered == list(range(dut.latency_cycles, dut.latency_cycles + count))
    end = next(i for i, (_, exhausted, _) in enumerate(valid) if i > begin and exhausted)
    assert end - begin == (max(per_bank) + dut.latency_cycles + 1 if axons else 2)


def test_arrivals_in_a_tick_wait_for_a_bounded_time():
    dut = make(axons=256, banks=4, slot_word_bits=4, delay_slots=4)
    core = dut.config.core
    waits, accepted = [0], []

    async def watch(ctx):
        async for _, _, valid, ready in ctx.tick().sample(dut.events.valid, dut.events.ready):
            waits[0] += valid and not ready
            accepted.append(valid and ready)

    async def tick(ctx):
        for axon in range(core.axons):
            await put(ctx, dut.events, {"axon": axon, "slot": 1, "payload": 0})
        await start(ctx, dut, 1)
        for bank, head in enumerate(dut.heads):
            ctx.set(head.ready, bank != 2)  # one bank is stuck: arrivals must not care
        for axon in range(core.axons):
            await put(ctx, dut.events, {"axon": axon, "slot": 3, "payload": 0})

    simulate(dut, tick, background=[watch])
    assert sum(accepted) == 2 * core.axons
    assert 0 < waits[0] <= 1 + core.banks * core.bank_words
