"""The golden fabric against the golden network, and its rules one by one."""

import time

import numpy as np
import pytest

from golden import cycles, routing, samples
from golden import network as golden_network
from golden.fabric import Fabric
from golden.synapses import dense
from neurogen.spec.errors import InputError
from neurogen.spec.fixed import Reset
from neurogen.spec.image import CoreImage, Image
from neurogen.spec.memory_map import COUNTERS, Status
from neurogen.spec.words import Register
from rtl_tests.random_cases import random_case
from rtl_tests.random_networks import FABRICS, fabric, neuron

SEEDS = range(40)
STEPS = 6


@pytest.mark.parametrize("name", FABRICS)
def test_fabric_computes_the_network(name):
    total = dict.fromkeys(("spikes", "values", "slow", "overlapped"), 0)
    for seed in SEEDS:
        case = random_case(name, seed, steps=STEPS)
        net, events, image = case.network, case.inputs, case.image
        expected = golden_network.run(net, events, record=net.order)
        for overlapped in [False, True] if image.overlappable else [False]:
            machine = Fabric(image)
            found = samples.run(machine, events, overlapped)
            for population, spikes in found.spikes.items():
                assert np.array_equal(spikes, expected.spikes[population]), (seed, population)
            for population, values in found.values.items():
                assert np.array_equal(values, expected.values[population]), (seed, population)
                total["values"] += values.size
            counters = [machine.counters(core) for core in range(image.config.nodes)]
            assert sum(c[Status.COLLISIONS] for c in counters) == machine.refused == 0
            fired = sum(expected.counts[p] for p in net.order if p not in found.values)
            if image.config.core.lanes == 1 and not overlapped:  # no idle lanes, no next sample that begins
                assert sum(c[Status.SPIKES] for c in counters) == fired
            total["spikes"] += fired
            total["overlapped"] += overlapped
            total["slow"] += image.step_ticks > 1
    assert total["spikes"] > 1000, total
    assert total["slow"] > 0 or image.config.core.delay_slots < 4, total
    assert total["overlapped"] > 0, total
    assert total["values"] > 0 or not image.config.core.values, total


@pytest.mark.parametrize("name", FABRICS)
def test_counters_are_what_each_core_did(name):
    """The counters, computed over the fabric at once, against the per-core record in hardware order."""
    busy = 0
    for seed in range(24):
        case = random_case(name, seed, steps=STEPS)
        events, image = case.inputs, case.image
        machine = Fabric(image)
        machine.registers[Register.SAMPLE_TICKS] = STEPS * image.step_ticks
        for step in range(STEPS * image.step_ticks + image.depth):
            if step % image.step_ticks == 0 and step < STEPS * image.step_ticks:
                samples.send(machine, {k: v[0, step // image.step_ticks] for k, v in events.items()})
            before = [machine.counters(core) for core in range(image.config.nodes)]
            tick = machine.tick()
            for core in range(image.config.nodes):
                delta = {status: machine.counters(core)[status] - before[core][status] for status in COUNTERS}
                activity = tick.activity(core)
                assert delta[Status.INTEGRATE_CYCLES] == activity.integrate_cycles
                assert delta[Status.UPDATE_CYCLES] == activity.update_cycles
                assert delta[Status.PACKETS] == activity.packets.sum() <= activity.emit_cycles
                assert activity.spikes.sum() == len(activity.packets) >= delta[Status.SPIKES]
                assert (activity.vectors < activity.update_cycles).all()
                most = 2 if image.config.core.accumulators == "block" else 1  # clocks that a row may take
                assert delta[Status.ROWS] * most >= delta[Status.INTEGRATE_CYCLES]
                busy += activity.integrate_cycles > 0 and len(activity.vectors) > 0
    assert busy > 10


def one_core(**core):
    """A 1x1 fabric of 8 IF neurons on 2 lanes; every axon reaches groups 1..2 with weight 1 + axon."""
    settings = {"axons": 8, "neurons": 8, "lanes": 2, "banks": 2, "update_lanes": 1, "weight_bits": 5,
                "accumulator_bits": 8, "delay_slots": 4, "ranges": 2, "routes": 8, "values": True,
                "neuron": neuron("if", "per_population", {"v": 10})}  # fmt: skip
    config = fabric("one", 1, 1, **settings | core)
    memory = CoreImage.empty(config)
    memory.walks["first"][:], memory.walks["last"][:] = [1, 0], [2, 3]
    for axon in range(8):
        memory.axons["base"][axon % 2, axon // 2] = 4 * (axon // 2)
        memory.synapses[axon % 2, 4 * (axon // 2) : 4 * (axon // 2) + 4] = 1 + axon
    memory.groups["size"][:3] = 2
    memory.groups["threshold"][:] = 100
    memory.groups["v_init"][:] = [5, 0, 7, 9]
    return image_of(config, memory)


def image_of(config, *cores) -> Image:
    return Image(config, tuple(cores), {}, {}, {}, (), ())


def test_events_integrate_in_their_slot_and_idle_groups_rest():
    machine = Fabric(one_core())
    machine.events(1, (0, 0, 0, 0), [0, 3, 4])
    visits = [tick.visited.tolist() for tick in machine.advance(6)]  # D + 2: the slot comes round again
    # Tick 0 starts groups 0..2 and lets the unused group 3 rest; tick 1 brings 1 + 4 + 5 to groups 1 and 2.
    assert visits == [[0, 1, 2, 3], [1, 2], [1, 2], [], [], []]
    assert machine.state(0)["v"].tolist() == [5, 5, 10, 10, 17, 17, 9, 9]
    assert machine.fresh(0).tolist() == [False, False, False, True]
    counters = machine.counters(0)
    # Axons 0 and 4 share bank 0: two passes over two groups; three events read two rows each.
    expected = {Status.EVENTS: 3, Status.ROWS: 6, Status.INTEGRATE_CYCLES: 4, Status.UPDATES: 7,
                Status.UPDATE_CYCLES: 16, Status.HOPS: 3}  # fmt: skip
    assert counters == dict.fromkeys(COUNTERS, 0) | expected


def test_reset_restores_the_initial_state_and_empties_slots():
    machine = Fabric(one_core())
    machine.events(0, (0, 0, 0, 0), 1)
    machine.events(2, (0, 0, 0, 0), 1)
    machine.tick()
    assert machine.state(0)["v"].tolist() == [5, 5, 2, 2, 9, 9, 9, 9]
    machine.reset()
    assert machine.fresh(0).all()
    assert machine.state(0)["v"].tolist() == [5, 5, 0, 0, 7, 7, 9, 9]
    machine.advance(4)
    assert machine.counters(0)[Status.EVENTS] == 1


def test_events_outside_the_window_are_refused_and_collisions_counted():
    machine = Fabric(one_core(payload_bits=2))
    machine.advance(3)
    for tick in (2, 6, 3 + (1 << 15)):
        machine.events(tick, (0, 0, 0, 0), [1, 2], 1)
    assert machine.refused == 6
    for tick in (3, 5, 5 + (1 << 16)):
        machine.events(tick, (0, 0, 0, 0), [1, 2], [3, 0] if tick == 5 else 1)
    assert machine.refused == 6
    machine.advance(3)
    counters = machine.counters(0)
    assert (counters[Status.EVENTS], counters[Status.COLLISIONS], counters[Status.HOPS]) == (4, 2, 6)
    # Tick 3: 2 + 3; tick 5: the first payloads stay, 2 * 3 + 3 * 0.
    assert machine.state(0)["v"][2:4].tolist() == [11, 11]


def test_depth_and_end_of_the_sample_bound_the_work():
    image = one_core()
    image.cores[0].groups["depth"][:3] = [0, 2, 3]
    image.cores[0].groups["bias"][:3] = 1
    machine = Fabric(image)
    machine.registers |= {Register.SAMPLE_TICKS: 4, Register.DEPTH: 3}
    history = []
    for _ in range(9):
        machine.tick()
        history.append(machine.state(0)["v"][[0, 2, 4]].tolist())
    assert history == [[6, 0, 7], [7, 0, 7], [8, 1, 7], [9, 2, 8], [9, 3, 9], [9, 4, 10], [9, 4, 11], [9, 4, 11],
                       [9, 4, 11]]  # fmt: skip


def test_overlapped_populations_restart_at_their_own_step_0():
    image = one_core()
    image.cores[0].groups["depth"][:3] = [0, 1, 2]
    image.cores[0].groups["bias"][:3] = 1
    machine = Fabric(image)
    machine.registers |= {Register.SAMPLE_TICKS: 3, Register.DEPTH: 2, Register.OVERLAPPED: 1}
    history = []
    for _ in range(7):
        machine.tick()
        history.append(machine.state(0)["v"][[0, 2, 4]].tolist())
    assert history == [[6, 0, 7], [7, 1, 7], [8, 2, 8], [6, 3, 9], [7, 1, 10], [8, 2, 8], [6, 3, 9]]


def test_phases_take_turns():
    image = one_core()
    image.cores[0].groups["phase"][:3] = [0, 1, 0]
    image.cores[0].groups["depth"][:3] = [0, 1, 2]
    image.cores[0].groups["bias"][:3] = 1
    machine = Fabric(image)
    machine.registers[Register.PERIOD_TICKS] = 2
    history = []
    for _ in range(5):
        machine.tick()
        history.append(machine.state(0)["v"][[0, 2, 4]].tolist())
    assert history == [[6, 0, 7], [6, 1, 7], [7, 1, 8], [7, 2, 8], [8, 2, 9]]


def test_values_are_delivered_in_every_step():
    image = one_core()
    memory = image.cores[0]
    memory.groups["value"][2] = 1
    memory.pointers["first"][4:6], memory.pointers["count"][4:6] = [0, 1], 1
    memory.routes["host"][:2], memory.routes["line"][:2] = 1, [9, 3]
    machine = Fabric(image)
    machine.events(1, (0, 0, 0, 0), 0)
    assert [tick.values.tolist() for tick in machine.advance(3)] == [[[3, v], [9, v]] for v in (7, 8, 8)]
    counters = machine.counters(0)
    assert (counters[Status.SPIKES], counters[Status.PACKETS], counters[Status.HOPS]) == (0, 6, 7)


def test_narrow_accumulator_is_named():
    image = one_core(accumulator_bits=5)
    machine = Fabric(image)
    machine.events(0, (0, 0, 0, 0), [6, 7])
    machine.events(1, (0, 0, 0, 0), [6, 7, 0])
    machine.tick()
    with pytest.raises(InputError) as error:
        machine.tick()
    assert str(error.value) == (
        "tick 1, core 0, neuron 2: products add up to 0 and 16, which 5 accumulator bits do not hold"
    )


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ((0, (0, 1, 0, 0), 0), "columns 0..1, rows 0..0 are no rectangle of a 1x1 mesh"),
        ((0, (0, 0, 0, 0), 8), "an event's axon is 0..7, not 8"),
        ((0, (0, 0, 0, 0), 0, 2), "an event's payload is 1..1, not 2"),
    ],
)
def test_impossible_events_are_refused(event, message):
    with pytest.raises(InputError) as error:
        Fabric(one_core()).events(*event)
    assert str(error.value) == message


def neighbours_tree(source, rectangle):
    """Sends of a packet by the routers' rules, one router at a time, by the port it came from."""
    x0, x1, y0, y1 = rectangle
    sends, todo = [], [(*source, "L")]
    while todo:
        x, y, came = todo.pop()
        horizontal = came in "LEW"
        out = []
        if x0 < x and came in "LE":
            out.append((x - 1, y, "E"))
        if x1 > x and came in "LW":
            out.append((x + 1, y, "W"))
        if (horizontal and x0 <= x <= x1) or not horizontal:
            if y0 < y and came != "N":
                out.append((x, y - 1, "S"))
            if y1 > y and came != "S":
                out.append((x, y + 1, "N"))
            if y0 <= y <= y1:
                out.append(None)
        sends += [(x, y)] * len(out)
        todo += [step for step in out if step]
    return sends


def test_multicast_trees_follow_the_routers():
    forks = 0
    for code in range(3**4):
        x0, x1, y0, y1 = (code // 3**i % 3 for i in range(4))
        for source in [(x, y) for x in range(3) for y in range(3)] if x0 <= x1 and y0 <= y1 else []:
            found = routing.sends_to_cores(source, (x0, x1, y0, y1))
            assert sorted(found) == sorted(neighbours_tree(source, (x0, x1, y0, y1)))
            forks += len(set(found)) < len(found)
    assert forks > 100
    assert routing.sends_to_host((2, 1)) == [(2, 1), (1, 1), (0, 1), (0, 0)]


def test_multicast_reaches_the_rectangle_and_counts_hops():
    config = fabric("wide", 3, 2, axons=2, neurons=2, lanes=2, banks=1, update_lanes=2, weight_bits=4,
                    accumulator_bits=6, delay_slots=4, routes=2,
                    neuron=neuron("if", "per_population", {"v": 8}, threshold=1, compare="ge"))  # fmt: skip
    memories = [CoreImage.empty(config) for _ in range(6)]
    for memory in memories:
        memory.groups["size"][0], memory.groups["reset"][0] = 2, Reset.SUBTRACT
        memory.synapses[0, 0] = [1, 0]
    source = memories[5]
    source.pointers["count"][0] = 2
    for name, value in {"x0": 1, "x1": 2, "y0": 0, "y1": 1, "axon": 1, "delay": 2}.items():
        source.routes[name][0] = value
    source.routes["host"][1], source.routes["line"][1] = 1, 4
    for memory in memories:
        memory.axons["base"][0, 1], memory.synapses[0, 1] = 1, [0, -3]
    machine = Fabric(image_of(config, *memories))
    machine.events(0, (2, 2, 1, 1), 0)
    assert [tick.spikes.tolist() for tick in machine.advance(3)] == [[4], [], []]
    assert [machine.state(core)["v"].tolist() for core in range(6)] == [[0, 0], *[[0, -3]] * 2, [0, 0], *[[0, -3]] * 2]
    hops = [machine.counters(core)[Status.HOPS] for core in range(6)]
    # The event: 0 1 2 5(L). The multicast: 5 (W N L), 4 (N L), 1 (L), 2 (L). The spike: 5 4 3 0.
    assert hops == [1 + 1, 1 + 1, 1 + 1, 1, 2 + 1, 1 + 3 + 1]
    machine.count_flits((2, 2, 1, 1), flits=2, replies=1)
    assert [machine.counters(core)[Status.HOPS] for core in range(6)] == [5, 4, 4, 2, 4, 8]


def test_passes_take_the_smallest_range_first():
    axons, ranges = np.array([0, 1, 2, 3, 5]), np.array([1, 0, 0, 1, 1])
    assert dense.passes(axons, ranges, banks=2) == [0, 1, 0, 1]  # bank 0 offers 1, 0; bank 1 offers 0, 1, 1


def test_vectors_enter_at_the_clock_of_their_subgroup():
    clocks, spikes = cycles.vectors(np.array([1, 3]), np.array([4, 5, 7, 12]), lanes=4, update_lanes=2)
    assert (clocks.tolist(), spikes.tolist()) == ([0, 1, 2], [2, 1, 1])


def test_unsorted_axons_cost_the_passes_they_make():
    image = one_core()
    image.cores[0].walks["last"][1] = 2  # range 1 walks three groups, range 0 two
    image.cores[0].axons["range"][:] = [[1, 0, 0, 0], [0, 1, 1, 0]]
    image.cores[0].axons["base"][:] = 0
    machine = Fabric(image)
    machine.events(0, (0, 0, 0, 0), [0, 1, 2, 3, 5])
    tick = machine.tick()
    assert tick.activity(0).walks.tolist() == [2, 3, 2, 3]
    assert machine.counters(0)[Status.INTEGRATE_CYCLES] == 10
    assert machine.counters(0)[Status.ROWS] == 2 * 2 + 3 * 3


@pytest.mark.parametrize("ranges, clocks", [([0, 0, 1, 1], [2, 2, 2, 2]), ([1, 1, 0, 0], [1, 2, 2, 2])])
def test_a_pass_waits_for_the_row_of_its_group_in_block_ram(ranges, clocks):
    image = one_core(accumulators="block")
    image.cores[0].walks["first"][:2], image.cores[0].walks["last"][:2] = [0, 1], [1, 1]
    image.cores[0].axons["range"][0] = ranges
    image.cores[0].axons["base"][:] = 0
    machine = Fabric(image)
    machine.events(0, (0, 0, 0, 0), [0, 2, 4, 6])  # all in bank 0
    tick = machine.tick()
    assert tick.activity(0).walks.tolist() == clocks
    assert machine.counters(0)[Status.INTEGRATE_CYCLES] == sum(clocks)


def test_counters_wrap():
    machine = Fabric(one_core(counter_bits=3))
    machine.advance(1)
    assert machine.counters(0)[Status.UPDATE_CYCLES] == 8 % 8
    assert machine.counters(0)[Status.UPDATES] == 3


def test_a_tick_is_fast_enough_for_property_tests():
    case = random_case("lif_2x2_block", 3, steps=STEPS)
    events, image = case.inputs, case.image
    machine = Fabric(image)
    samples.run(machine, events)
    began = time.perf_counter()
    samples.run(machine, events)
    each = (time.perf_counter() - began) / (3 * (STEPS * image.step_ticks + image.depth))
    print(f"{1e6 * each:.0f} us per tick")
    assert each < 5e-3
