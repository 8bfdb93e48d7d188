"""Relays: fan-ins larger than a core's axons and delays longer than its slots, split exactly."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import compile
from neurogen.compiler.mapping.relays import insert
from neurogen.compiler.mapping.schedule import schedule
from neurogen.spec.config import FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.fixed import signed_range
from neurogen.spec.kernels import Kernel
from neurogen.spec.memory_map import Status
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.random_networks import Sizes, fabric, neuron, random_events, random_network

LIF = neuron("lif", "per_population", {"v": 9})


def relaying(width: int = 3, height: int = 3, **core) -> FabricConfig:
    """Small cores that relay."""
    wanted = {"axons": 20, "neurons": 24, "lanes": 4, "banks": 2, "update_lanes": 2, "weight_bits": 4}
    wanted |= {"accumulator_bits": 18, "payload_bits": 13, "payload_signed": True, "graded": True, "delay_slots": 4}
    wanted |= {"slot_word_bits": 4, "ranges": 4, "routes": 256, "neuron": LIF}
    return fabric("relays", width, height, **(wanted | core))


def events(network: Network, rng: np.random.Generator, steps: int = 7) -> dict[str, np.ndarray]:
    return {item.name: random_events(item, rng, 2, steps, density=0.5) for item in network.inputs}


def assert_equal(network: Network, found: golden_network.Result, wanted: golden_network.Result, where) -> None:
    for output in network.outputs:
        part = "values" if output.values else "spikes"
        got, expected = (getattr(result, part)[output.population] for result in (found, wanted))
        assert np.array_equal(got, expected), (where, output.population)


# The promise

FABRICS = {
    "few axons": relaying(axons=12, values=True),
    "few axons, wide groups": relaying(axons=24, lanes=8, update_lanes=4, neurons=32),
    "narrow payloads": relaying(payload_bits=7),
    "repeaters of spikes": relaying(axons=64, payload_bits=0, payload_signed=False, delay_slots=2),
    "repeaters of counts": relaying(axons=64, payload_bits=3, payload_signed=False),
    "eight slots": relaying(delay_slots=8, axons=16),
    "lists": relaying(axons=16, store="sparse", synapse_rows=300),
    "kernels": relaying(axons=12, store="conv", synapse_rows=400, geometries=16),
}


@pytest.mark.parametrize("name", FABRICS)
def test_a_network_with_relays_computes_the_same(name):
    config, seen = FABRICS[name], Counter()
    for seed in range(50):
        rng = np.random.default_rng([seed, *name.encode()])
        network = random_network(config, rng, Sizes(populations=5, neurons=12, inputs=50))
        if not config.core.payload_bits:
            network = replace(network, inputs=(replace(network.inputs[0], payload_bits=0),))
        try:
            relayed = insert(network, config)
        except InputError as error:
            assert "cannot be split" in str(error)
            seen["refused"] += 1
            continue
        if relayed is network:
            seen["left alone"] += 1
            continue
        inputs = events(network, rng)
        wanted = golden_network.run(network, inputs)
        assert_equal(network, golden_network.run(relayed, inputs), wanted, seed)
        plan, before = schedule(relayed), schedule(network)
        seen["relayed"] += 1
        seen["split"] += any("split" in note for note in relayed.metadata["relays"])
        seen["late"] += any("slots" in note for note in relayed.metadata["relays"])
        seen["deeper"] += plan.depth > before.depth
        seen["slower"] += plan.step_ticks > before.step_ticks
        seen["spikes"] += sum(int(spikes.sum()) for spikes in wanted.spikes.values())
    print(seen)
    assert seen["relayed"] >= 10 and seen["spikes"] > 300 and seen["late"], seen
    if config.core.payload_signed:
        assert seen["split"] >= 8 and seen["deeper"] and seen["slower"], seen


@pytest.mark.parametrize("name", FABRICS)
def test_the_fabric_computes_what_the_network_without_relays_does(name):
    config, seen = FABRICS[name], Counter()
    for seed in range(16):
        rng = np.random.default_rng([seed, 1, *name.encode()])
        network = random_network(config, rng, Sizes(populations=3, neurons=8, inputs=40))
        if not config.core.payload_bits:
            network = replace(network, inputs=(replace(network.inputs[0], payload_bits=0),))
        try:
            image = compile(network, config, seed, placement=("balanced", "random")[seed % 2])
        except InputError as error:
            assert "too large" in str(error) or "cannot be split" in str(error), error
            continue
        machine, inputs = Fabric(image), events(network, rng)
        wanted = golden_network.run(network, inputs)
        assert_equal(network, samples.run(machine, inputs), wanted, seed)
        assert machine.refused == 0
        assert not any(machine.counters(core)[Status.COLLISIONS] for core in range(config.nodes))
        assert image.network_digest == network.digest
        seen["compiled"] += 1
        seen["relayed"] += "relays" in image.metadata
        seen["spikes"] += sum(int(spikes.sum()) for spikes in wanted.spikes.values())
    assert seen["relayed"] >= 5 and seen["spikes"] > 50, seen


# What is done


def layer(fan_in: int, size: int, weights=None, seed: int = 0, **parameters) -> Network:
    """One layer of LIF neurons with a threshold that is hard to reach, whose membrane potential is the output."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-3, 4, (fan_in, size)) if weights is None else np.asarray(weights)
    constants = {"threshold": 255, "leak": 0} | parameters
    return Network(
        "layer",
        (Input("x", fan_in),),
        (Population("fc1", size, "lif", constants, {"v": 9}),),
        (Projection("x", "fc1", weights.astype(np.int64)),),
        (Output("fc1", values=True),),
    )


def test_a_split_is_explained_and_costs_a_tick():
    network = layer(50, 6)
    relayed = insert(network, relaying(values=True))
    assert relayed.metadata["relays"] == [
        "population fc1: fan-in 50 exceeds 20 axons: split into 3 parts, one more tick of depth"
    ]
    assert schedule(relayed).depth == 1
    relays = [p for p in relayed.populations if p.model == "sum"]
    assert [p.size for p in relays] == [4, 2] * 3 and all(p.graded for p in relays)
    assert all(np.count_nonzero(relayed.incoming(p.name)[0].fan_out) <= 20 for p in relays)


def test_only_the_groups_that_are_too_crowded_are_split():
    weights = np.zeros((50, 8))
    weights[:10, :4], weights[:, 4:] = 1, 1
    relayed = insert(layer(50, 8, weights), relaying(values=True))
    direct = [p for p in relayed.incoming("fc1") if p.source == "x"]
    assert len(direct) == 1 and not direct[0].weights[:, 4:].any() and direct[0].weights[:10, :4].all()


def test_a_map_is_split_only_where_a_group_of_its_layout_is_crowded():
    """All of 256 inputs reach the population, but 16 or fewer any neuron."""
    kernel = Kernel(np.ones((4, 1, 4, 4), dtype=np.int64), (1, 16, 16), (4, 13, 13))
    base = layer(256, 676)
    network = replace(base, projections=(Projection("x", "fc1", kernel),))
    kernels = {"values": True, "store": "conv", "geometries": 4, "synapse_rows": 300, "neurons": 700}
    assert insert(network, relaying(axons=20, **kernels)) is network
    assert insert(network, relaying(axons=12, payload_bits=9, **kernels)) is not network
    assert insert(network, relaying(axons=20, **(kernels | {"store": "dense"}))) is not network


def test_parts_of_parts_where_there_are_many():
    network = layer(200, 3)
    relayed = insert(network, relaying(values=True))
    assert len(relayed.metadata["relays"]) == 2 and schedule(relayed).depth == 2
    x = events(network, np.random.default_rng(3))
    image = compile(network, relaying(4, 4, values=True))
    assert_equal(network, samples.run(Fabric(image), x), golden_network.run(network, x), "tree")


def test_the_sum_is_saturated_once_and_after_the_total():
    """Each part alone is far beyond v's range; together they are not."""
    weights = np.repeat([[7], [-7], [0]], [60, 59, 1], axis=0)
    network = layer(120, 1, weights, reset=0)
    image = compile(network, relaying(values=True))
    x = {"x": np.ones((1, 2, 120), dtype=np.int64)}
    assert signed_range(9)[1] < 7 * 40
    assert samples.run(Fabric(image), x).values["fc1"].ravel().tolist() == [7, 14]


def test_more_parts_where_sums_would_not_fit_a_payload():
    network = layer(40, 2, np.full((40, 2), 7))
    wide, narrow = (insert(network, relaying(values=True, payload_bits=bits)) for bits in (9, 7))
    parts = [sum(p.model == "sum" for p in relayed.populations) for relayed in (wide, narrow)]
    assert parts == [2, 5]  # 20 weights of 7 sum to 140, 8 of them to 56


def test_one_relay_serves_all_projections_that_are_too_long():
    sizes = {"a": 3, "b": 3, "c": 3}
    network = Network(
        "delays",
        (Input("x", 3),),
        tuple(Population(name, size, "lif", {"threshold": 2, "leak": 0}, {"v": 9}) for name, size in sizes.items()),
        tuple(Projection(s, t, np.eye(3, dtype=np.int64) * 2, d) for s, t, d in
              (("x", "a", 0), ("a", "b", 9), ("a", "c", 9), ("x", "c", 5))),
        (Output("b"), Output("c")),
    )  # fmt: skip
    config = relaying(values=True)
    relayed = insert(network, config)
    assert relayed.metadata["relays"] == [
        "a -> b, c: 9 ticks are too long for the slots: a relay between",
        "a_relay0 -> b, c: 6 ticks are too long for the slots: a relay between",
        "x -> c: 5 ticks are too long for the slots: a relay between",
    ]
    x = {"x": np.zeros((1, 16, 3), dtype=np.int64)}
    x["x"][0, 1] = [1, 0, 1]
    spikes = samples.run(Fabric(compile(network, config)), x).spikes
    assert np.argwhere(spikes["b"][0]).tolist() == [[10, 0], [10, 2]]
    assert np.argwhere(spikes["c"][0]).tolist() == [[6, 0], [6, 2], [10, 0], [10, 2]]


# What is refused


@pytest.mark.parametrize(
    ("network", "core", "text"),
    [
        (
            layer(50, 6),
            {"graded": False},
            "network too large for the fabric: population 'fc1' has a fan-in of 50 axons, a core has 20",
        ),
        (
            layer(50, 6, np.full((50, 6), 7)),
            {"payload_bits": 4},
            "population 'fc1' has a fan-in of 50 axons, a core has 20; it cannot be split with"
            " payloads of -8..7 and groups of 4 neurons: fewer lanes, or more axons, are needed",
        ),
        (
            replace(layer(5, 6), populations=(Population("fc1", 6, "lif", {"leak": 0}, {"v": 9}, graded=True),)),
            {"graded": False},
            "population 'fc1' sends graded events, the fabric's cores do not (core.graded)",
        ),
        (
            replace(layer(5, 6), populations=(Population("fc1", 6, "lif", {"leak": 0}, {"v": 9}, graded=True),)),
            {"values": False},
            "population 'fc1' sends graded events of its v, the fabric's cores keep v to themselves (core.values)",
        ),
        (
            replace(layer(5, 6), populations=(Population("fc1", 6, "lif", {"leak": 0}, {"v": 9}, graded=True),)),
            {"payload_bits": 8},
            "population 'fc1' sends graded events of -256..255; the fabric's payloads are -128..127",
        ),
        (
            replace(layer(5, 6), populations=(Population("fc1", 6, "sum", {}, {"v": 9}, graded=True),)),
            {},
            "population 'fc1' sends graded events of its input sums, which lif neurons do not deliver as an output",
        ),
        (
            replace(
                layer(5, 6),
                populations=(Population("fc1", 6, "lif", {"leak": 0}, {"v": 9}, graded=True),),
                outputs=(Output("fc1"),),
            ),
            {},
            "population 'fc1' sends graded events, so as an output it delivers values, not spikes",
        ),
        (
            replace(layer(5, 6), inputs=(Input("x", 5, 13),)),
            {},
            "input 'x' has payloads of 13 bits, the fabric 13, signed",
        ),
    ],
)
def test_what_cannot_be_is_one_line(network, core, text):
    with pytest.raises(InputError) as error:
        compile(network, relaying(**({"values": True} | core)))
    assert str(error.value) == text


def test_sums_that_go_round_have_no_bound():
    eye = np.eye(2, dtype=np.int64)
    network = Network(
        "round",
        (Input("x", 2),),
        (Population("a", 2, "sum", {}, {"v": 9}, graded=True), Population("b", 2, "lif", {"leak": 0}, {"v": 9})),
        (Projection("x", "a", eye), Projection("a", "a", eye, 1), Projection("a", "b", eye)),
        (Output("b"),),
    )
    with pytest.raises(InputError, match="the sums of 'a' are passed on round a loop, so nothing bounds them"):
        compile(network, relaying())
