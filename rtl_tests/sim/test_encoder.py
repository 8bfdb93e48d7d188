"""The encoder emits exactly the set bits, in order, one per clock."""

import numpy as np
import pytest

from neurogen.rtl.encoder import Encoder
from neurogen.spec.config import FabricConfig
from rtl_tests.sim.streams import simulate, sink, source

CORES = {
    "default": {},
    "values": {"neurons": 48, "lanes": 8, "update_lanes": 4, "values": True},
    "graded": {"neurons": 24, "lanes": 8, "update_lanes": 2, "graded": True, "payload_bits": 5},
    "one_lane": {"neurons": 5, "lanes": 1, "update_lanes": 1},
    "whole_group": {"neurons": 16, "lanes": 16, "update_lanes": 16},
}


def config(name):
    return FabricConfig.parse({"core": CORES[name]})


def random_vectors(core, count, rng):
    """Vectors with at least one bit, and bursts of all."""
    for _ in range(count):
        lanes = core.update_lanes
        spikes = (1 << lanes) - 1 if rng.random() < 0.2 else int(rng.integers(1, 1 << lanes))
        yield {
            "group": int(rng.integers(core.groups)),
            "subgroup": int(rng.integers(core.subgroups)),
            "value_mode": int(rng.integers(2)) if core.values or core.graded else 0,
            "spikes": spikes,
            "values": [int(value) for value in rng.integers(1 << core.carried_bits, size=lanes)],
        }


def expected(core, vectors):
    """One record per set bit."""
    for vector in vectors:
        first = vector["group"] * core.lanes + vector["subgroup"] * core.update_lanes
        for lane in range(core.update_lanes):
            if vector["spikes"] >> lane & 1:
                value = vector["values"][lane]
                yield {"neuron": first + lane, "is_value": vector["value_mode"], "value": value}


def run(name, idle, stall, count=150, seed=3):
    """Vectors, what came out, and per clock whether an item left, a spike was counted, and the unit was busy."""
    core, encoder = config(name).core, Encoder(config(name))
    vectors = list(random_vectors(core, count, np.random.default_rng(seed)))
    wanted, taken, waited, clocks = list(expected(core, vectors)), [], [], []

    async def watch(ctx):
        moving = encoder.spikes.valid & encoder.spikes.ready
        while len(taken) < len(wanted):
            _, _, *clock = await ctx.tick().sample(moving, encoder.spike_count, encoder.busy)
            clocks.append(clock)
        await ctx.tick()
        assert not ctx.get(encoder.busy)

    simulate(
        encoder,
        source(encoder.vectors, vectors, seed=seed + 1, idle=idle),
        watch,
        background=[sink(encoder.spikes, taken, seed=seed + 2, stall=stall, stalls=waited)],
    )
    return wanted, taken, waited, clocks


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize(("idle", "stall"), [(0.0, 0.4), (0.8, 0.0), (0.5, 0.3)])
def test_every_set_bit_leaves_once_and_in_order(name, idle, stall):
    wanted, taken, waited, clocks = run(name, idle, stall)
    assert taken == wanted and len(wanted) > 100
    assert sum(counted for _, counted, _ in clocks) == sum(not item["is_value"] for item in wanted)
    assert bool(waited) == (stall > 0)
    if config(name).core.values or config(name).core.graded:
        assert {item["is_value"] for item in wanted} == {0, 1}


@pytest.mark.parametrize("name", CORES)
def test_one_neuron_per_clock_without_bubbles(name):
    wanted, _, _, clocks = run(name, idle=0.0, stall=0.0)
    moved = [moved for moved, _, _ in clocks]
    first = moved.index(1)
    assert all(moved[first : first + len(wanted)])
    assert all(busy for _, _, busy in clocks[first : first + len(wanted)])
