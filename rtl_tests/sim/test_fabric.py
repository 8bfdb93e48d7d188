"""The fabric around its cores: no event is late, whatever stalls; configuration and multicast reach every core."""

import numpy as np
import pytest

from neurogen.rtl.fabric import Fabric
from neurogen.rtl.streams import Stalls
from neurogen.spec import packet
from neurogen.spec.packet import Kind
from neurogen.spec.topologies import mesh
from neurogen.spec.words import Command, Response
from rtl_tests.sim.hosts import command, events, heard, write
from rtl_tests.sim.meshes import config_of, path
from rtl_tests.sim.streams import simulate, sink, source
from rtl_tests.sim.traffic_core import COUNT_BITS, TrafficCore

TICKS = 9


def rectangle(config, rng):
    x, y = np.sort(rng.integers(0, config.width, 2)).tolist(), np.sort(rng.integers(0, config.height, 2)).tolist()
    return {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}


def inside(config, x0, x1, y0, y1):
    return [i for i, (x, y) in enumerate(mesh.nodes(config)) if x0 <= x <= x1 and y0 <= y <= y1]


class Plan:
    """Random traffic of every core and of the host, and what each core must count in each tick."""

    def __init__(self, config, seed):
        rng = np.random.default_rng(seed)
        slots, layout = config.core.delay_slots, packet.to_core(config)[Kind.SPIKE]
        self.sent = [[[] for _ in range(slots)] for _ in range(config.nodes)]
        self.hops = 0
        targets = [[[] for _ in range(slots)] for _ in range(config.nodes)]
        for core in range(config.nodes):
            for slot in range(slots):
                for _ in range(rng.integers(0, 6)):
                    where, later = rectangle(config, rng), (slot + int(rng.integers(1, slots))) % slots
                    self.sent[core][slot].append(layout.pack(kind=0, host=0, axon=1, payload=0, slot=later, **where))
                    targets[core][slot].append((inside(config, **where), later))
        counts = np.zeros((config.nodes, slots), dtype=int)
        self.words, self.counts = [], []
        for tick in range(TICKS):
            for _ in range(rng.integers(0, 4)):
                where, later = rectangle(config, rng), int(rng.integers(0, slots - 1))
                self.words += events(config, tick + later, where)
                counts[inside(config, **where), (tick + later) % slots] += 1
                self.hops += len(path(config, config.nodes, inside(config, **where)))
            self.words += command(config, Command.ADVANCE, count=1)
            self.counts.append(counts[:, tick % slots].tolist())
            counts[:, tick % slots] = 0
            for core in range(config.nodes):
                self.hops += len(path(config, core, [config.nodes]))
                for cores, later in targets[core][tick % slots]:
                    counts[cores, later] += 1
                    self.hops += len(path(config, core, cores))


def build(config, plan, stalls=None):
    numbers = iter(range(config.nodes))

    def core(config, image, stalls):
        number = next(numbers)
        return TrafficCore(config, number, plan[number])

    return Fabric(config, stalls=stalls, core=core)


def run(config, dut, script, answers, seed, stall=0.3):
    received = []

    async def finish(ctx):
        while len(heard(config, received)) < answers:
            await ctx.tick().repeat(10)
        counted.append(sum(ctx.get(core.hop_count) for core in dut.cores.values()))

    counted = []
    simulate(
        dut,
        source(dut.words_in, script, seed=seed, idle=0.2),
        finish,
        background=[sink(dut.words_out, received, seed=seed + 1, stall=stall)],
        deadline_cycles=20_000,
    )
    return heard(config, received), counted[0]


@pytest.mark.parametrize("width, height", [(1, 1), (2, 2), (3, 2), (1, 4)])
@pytest.mark.parametrize("seed, stalled", [(1, False), (2, True), (3, True)])
def test_every_event_arrives_before_its_tick(width, height, seed, stalled):
    print(f"seed {seed}")
    config = config_of(width, height, delay_slots=4)
    plan = Plan(config, [seed, width, height])
    dut = build(config, plan.sent, Stalls(seed, stall=8) if stalled else None)
    found, hops = run(config, dut, plan.words, TICKS * (config.nodes + 1), seed)
    for tick, counts in enumerate(plan.counts):
        part = found[tick * (config.nodes + 1) : (tick + 1) * (config.nodes + 1)]
        expected = [(Response.SPIKE, core << COUNT_BITS | count) for core, count in enumerate(counts)]
        assert sorted(part[:-1]) == expected, f"tick {tick}, seed {seed}"
        assert part[-1][:2] == (Response.TICK_DONE, tick)
    assert hops == plan.hops > 20
    assert sum(map(sum, plan.counts)) > 20


@pytest.mark.parametrize("stalled", [False, True])
def test_writes_reach_every_core_of_the_target_and_reads_come_back(stalled):
    config = config_of(3, 2)
    dut = build(config, [[[]] * 4] * config.nodes, Stalls(5) if stalled else None)
    script = command(config, Command.TARGET, x0=0, x1=2, y0=0, y1=1) + write(config, 0xABCD)
    script += command(config, Command.TARGET, x0=1, x1=2, y0=1, y1=1) + write(config, 7, 0x1234)
    for x, y in mesh.nodes(config):
        script += command(config, Command.TARGET, x0=x, x1=x, y0=y, y1=y) + command(config, Command.READ, count=2)
    found, _ = run(config, dut, script + command(config, Command.RESET), 2 * config.nodes + 1, seed=1)
    data = [0x1234 if x in (1, 2) and y == 1 else 0xABCD for x, y in mesh.nodes(config)]
    assert found == [(Response.REPLY, word) for word in data for _ in range(2)] + [(Response.RESET_DONE,)]


def test_reset_empties_the_slots_and_the_next_sample_starts_at_tick_0():
    config = config_of(2, 1)
    dut = build(config, [[[]] * 4] * config.nodes)
    everywhere = {"x0": 0, "x1": 1, "y0": 0, "y1": 0}
    script = events(config, 0, everywhere) + events(config, 1, everywhere) + command(config, Command.ADVANCE, count=1)
    script += command(config, Command.RESET) + command(config, Command.ADVANCE, count=2)
    found, _ = run(config, dut, script, 10, seed=1)
    assert [message[1] for message in found if message[0] is Response.TICK_DONE] == [0, 0, 1]
    lines = [message[1] & 0xFF for message in found if message[0] is Response.SPIKE]
    assert lines == [1, 1, 0, 0, 0, 0]


def test_a_host_that_does_not_listen_loses_nothing():
    config = config_of(2, 2)
    plan = Plan(config, 7)
    dut = build(config, plan.sent)
    found, _ = run(config, dut, plan.words, TICKS * 5, seed=2, stall=0.97)
    lines = sorted(message[1] for message in found if message[0] is Response.SPIKE)
    assert lines == sorted(core << COUNT_BITS | n for counts in plan.counts for core, n in enumerate(counts))
