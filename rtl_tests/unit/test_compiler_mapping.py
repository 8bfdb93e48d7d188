"""Mapping: the fabric computes the network, whatever the mesh and the placement; what does not fit is refused."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import compile, validate
from neurogen.compiler.mapping import PLACEMENTS, map_network
from neurogen.compiler.mapping.axons import cover
from neurogen.compiler.mapping.schedule import overlappable, schedule
from neurogen.compiler.mapping.stores.dense import _hulls
from neurogen.spec.config import CoreConfig, FabricConfig, NeuronConfig
from neurogen.spec.errors import InputError
from neurogen.spec.image import CoreImage
from neurogen.spec.memory_map import Status
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.random_networks import FABRICS, random_network

PARAMETERS = {"threshold": "per_population", "leak_shift": "per_population", "bias": "per_neuron"}


def network(sizes: dict[str, int], edges: dict[tuple[str, str], int], inputs: int = 4, seed: int = 0) -> Network:
    """LIF populations; ``edges`` maps (source, target) to a delay; the input is x, the last population the output."""
    rng = np.random.default_rng(seed)
    extents = {"x": inputs, **sizes}
    return Network(
        "net",
        (Input("x", inputs),),
        tuple(Population(name, size, "lif", {"threshold": 3}) for name, size in sizes.items()),
        tuple(Projection(s, t, rng.integers(-2, 4, (extents[s], extents[t])), d) for (s, t), d in edges.items()),
        (Output(list(sizes)[-1]),),
    )


def fabric(width: int = 1, height: int = 1, changes: dict | None = None, **core) -> FabricConfig:
    settings = {"axons": 64, "neurons": 32, "lanes": 4, "banks": 2, "update_lanes": 2, "accumulator_bits": 10}
    settings |= {"delay_slots": 8, "ranges": 4, "neuron": NeuronConfig(parameters=PARAMETERS)} | core
    return FabricConfig(width=width, height=height, core=CoreConfig(**settings), **(changes or {}))


def agree(net: Network, image, x: np.ndarray, overlapped: bool = False) -> int:
    """Run both models and compare every output; returns the number of spikes."""
    machine = Fabric(image)
    found = samples.run(machine, {"x": x}, overlapped=overlapped)
    wanted = golden_network.run(net, {"x": x})
    for name, spikes in wanted.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], spikes)
    for name, values in wanted.values.items():
        np.testing.assert_array_equal(found.values[name], values)
    assert machine.refused == 0
    assert all(machine.counters(core)[Status.COLLISIONS] == 0 for core in range(image.config.nodes))
    return sum(int(spikes.sum()) for spikes in wanted.spikes.values())


# The promise

SEEDS = range(40)


@pytest.mark.parametrize("name", FABRICS)
def test_fabric_computes_the_network_under_any_placement(name):
    config, seen = FABRICS[name], Counter()
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        net = random_network(config, rng)
        net = replace(net, inputs=(replace(net.inputs[0], name="x"),), projections=tuple(
            replace(p, source="x") if p.source == "in" else p for p in net.projections))  # fmt: skip
        top = 1 << max(net.inputs[0].payload_bits, 1)
        x = rng.integers(0, top, (2, 6, net.inputs[0].size)) * (rng.random((2, 6, net.inputs[0].size)) < 0.6)
        for placement in PLACEMENTS:
            try:
                image = compile(net, config, seed, placement)
            except InputError:
                seen["refused"] += 1
                continue
            seen["spikes"] += agree(net, image, x)
            seen["compiled"] += 1
            seen["long steps"] += image.step_ticks > 1
            seen["recurrent"] += not image.overlappable
            if image.overlappable:
                seen["overlapped"] += agree(net, image, x, overlapped=True) > 0
    assert seen["compiled"] >= 20 and seen["spikes"] > 500, seen
    assert seen["recurrent"] and seen["overlapped"], seen
    if config.core.delay_slots > 4:
        assert seen["long steps"], seen


@given(
    seed=st.integers(0, 1 << 32),
    lanes=st.sampled_from([1, 2, 4, 8]),
    banks=st.sampled_from([1, 2, 4]),
    mesh=st.sampled_from([(1, 1), (2, 2), (3, 1), (1, 4), (3, 2)]),
    ranges=st.integers(1, 5),
    neurons=st.integers(9, 40),
)
@settings(max_examples=60, deadline=None)
def test_lanes_banks_ranges_and_meshes_do_not_matter(seed, lanes, banks, mesh, ranges, neurons):
    """A recurrent network with a skip, a split population and several on a core."""
    net = network(
        {"a": 9, "b": 13, "c": 3, "out": 5},
        {("x", "a"): 0, ("a", "b"): 0, ("b", "b"): 1, ("a", "c"): 0, ("b", "c"): 1, ("b", "out"): 0, ("a", "out"): 2},
        seed=seed,
    )
    config = fabric(*mesh, neurons=neurons, lanes=lanes, banks=banks, ranges=ranges, update_lanes=1)
    try:
        image = compile(net, config, seed)
    except InputError as error:
        assert "network too large for the fabric" in str(error)
        return
    rng = np.random.default_rng(seed)
    x = (rng.random((2, 8, 4)) < 0.7).astype(np.uint8)
    agree(net, image, x)


def test_random_placements_differ_and_use_multicast_split_and_shared_cores():
    net = network({"a": 20, "b": 12, "out": 6}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0, ("a", "a"): 1})
    config, seen = fabric(2, 2), Counter()
    digests = set()
    for seed in range(20):
        image = compile(net, config, seed)
        digests.add(image.digest)
        cores = [placement.core for placement in image.placements]
        seen["split"] += len(cores) > 3
        seen["shared"] += len(set(cores)) < len(cores)
        routes = image.cores[image.placements[0].core].routes
        seen["multicast"] += bool(np.any((routes["x1"] > routes["x0"]) | (routes["y1"] > routes["y0"])))
    assert len(digests) == 20
    assert all(seen[kind] >= 3 for kind in ("split", "shared", "multicast")), seen


def test_the_same_call_writes_the_same_image():
    net = network({"a": 20, "out": 6}, {("x", "a"): 0, ("a", "out"): 0})
    for seed in (None, 7):
        assert compile(net, fabric(2, 2), seed).digest == compile(net, fabric(2, 2), seed).digest


def test_balanced_placement_uses_every_core_and_lowers_hops():
    net = network({"a": 32, "b": 32, "out": 32}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0})
    image = compile(net, fabric(3, 2))
    assert {placement.core for placement in image.placements} == set(range(6))

    def hops(image):
        machine = Fabric(image)
        samples.run(machine, {"x": np.ones((1, 6, 4), np.uint8)})
        return sum(machine.counters(core)[Status.HOPS] for core in range(6))

    at_random = [hops(compile(net, fabric(3, 2), seed)) for seed in range(5)]
    assert hops(image) < np.mean(at_random)


def test_equal_delays_share_an_axon_where_populations_are_neighbours():
    net = network({"a": 4, "b": 4, "c": 4, "out": 1}, {("x", "a"): 0, ("a", "b"): 0, ("a", "c"): 0, ("b", "out"): 0})
    net = replace(net, projections=tuple(replace(p, weights=np.ones_like(p.weights)) for p in net.projections))
    image = compile(net, fabric())
    pointers = image.cores[0].pointers
    assert pointers["count"][:4].tolist() == [1] * 4  # b and c by one event
    assert agree(net, image, np.ones((1, 8, 4), np.uint8)) > 0


def test_populations_apart_get_an_axon_each():
    edges = {("x", "a"): 0, ("x", "b"): 0, ("x", "c"): 1, ("a", "b"): 0, ("b", "c"): 0}
    net = network({"a": 4, "b": 4, "c": 4}, edges)
    core = CoreConfig(**dict(fabric().core) | {"ranges": 8})
    mapping = map_network(net, FabricConfig(core=core))
    spans = [(s.first, s.last) for s in mapping.segments[0] if s.link.source == "x"]
    assert spans == [(0, 0), (1, 1), (2, 2)]  # three delays
    same = replace(net, projections=tuple(replace(p, delay=0) if p.source == "x" else p for p in net.projections[:3]))
    spans = [(s.first, s.last) for s in map_network(same, FabricConfig(core=core)).segments[0]]
    assert spans == [(0, 2)]
    apart = replace(same, projections=(same.projections[0], same.projections[2]))
    spans = [(s.first, s.last) for s in map_network(apart, FabricConfig(core=core)).segments[0]]
    assert spans == [(0, 0), (2, 2)]


def test_two_projections_between_the_same_populations_add_up():
    net = network({"a": 3, "out": 4}, {("x", "a"): 0, ("a", "out"): 0})
    twice = replace(
        net, projections=(*net.projections, *(replace(p, weights=p.weights[::-1]) for p in net.projections))
    )
    image = compile(twice, fabric())
    assert agree(twice, image, (np.random.default_rng(0).random((2, 10, 4)) < 0.5).astype(np.uint8)) > 0
    assert len(image.inputs["x"]) == 8


def test_lines_that_reach_nothing_get_no_events():
    net = network({"out": 4}, {("x", "out"): 0})
    weights = net.projections[0].weights.copy()
    weights[2] = 0
    image = compile(replace(net, projections=(Projection("x", "out", weights),)), fabric())
    assert image.inputs["x"][:, 0].tolist() == [0, 1, 3]


def test_axons_are_balanced_over_banks_and_ordered_by_range():
    net = network({"a": 16, "b": 12, "out": 4}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0}, inputs=16)
    net = replace(net, projections=tuple(replace(p, weights=np.ones_like(p.weights)) for p in net.projections))
    core = compile(net, fabric(accumulator_bits=12)).cores[0]
    ranges = core.axons["range"][:, : 44 // 2]
    assert np.all(np.diff(ranges, axis=1) >= 0) and len(np.unique(ranges)) == 3
    np.testing.assert_array_equal(ranges[0], ranges[1])


# Schedule


@pytest.mark.parametrize(
    ("sizes", "edges", "step_ticks", "depths"),
    [
        ("ab", {("x", "a"): 0, ("a", "b"): 0}, 1, (0, 1)),
        ("ab", {("x", "a"): 0, ("a", "b"): 0, ("b", "b"): 1}, 1, (0, 1)),
        ("ab", {("x", "a"): 0, ("a", "b"): 0, ("b", "a"): 1}, 2, (0, 1)),
        ("abc", {("x", "a"): 0, ("a", "b"): 0, ("b", "c"): 0, ("c", "a"): 1}, 3, (0, 1, 2)),
        ("abc", {("x", "a"): 0, ("a", "b"): 0, ("b", "c"): 0, ("c", "a"): 2}, 2, (0, 1, 2)),
        ("abc", {("x", "a"): 0, ("a", "b"): 0, ("b", "c"): 0, ("a", "c"): 0}, 1, (0, 1, 2)),
        ("abc", {("x", "a"): 0, ("a", "b"): 0, ("b", "a"): 1, ("b", "c"): 0}, 2, (0, 1, 2)),
    ],
)
def test_steps_are_as_short_as_the_loops_allow(sizes, edges, step_ticks, depths):
    net = network(dict.fromkeys(sizes, 2), edges)
    plan = schedule(net)
    assert (plan.step_ticks, tuple(plan.depths.values())) == (step_ticks, depths)
    assert all(plan.delay_ticks(p) >= (p.source != "x") for p in net.projections)
    assert overlappable(net) == (not any(edges.values()))


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1))
def test_rectangles_cover_exactly(cells):
    nodes = {y * 7 + x for x, y in cells}
    covered = [y * 7 + x for x0, x1, y0, y1 in cover(nodes, 7) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]
    assert len(covered) == len(set(covered)) and set(covered) == nodes


def test_a_block_is_one_rectangle():
    assert cover({0, 1, 2, 7, 8, 9}, 7) == [(0, 2, 0, 1)]
    assert sorted(cover({0, 1, 7}, 7)) == [(0, 0, 1, 1), (0, 1, 0, 0)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted).map(tuple), min_size=1), st.integers(1, 4))
def test_joined_ranges_contain_what_they_join(spans, limit):
    hulls = _hulls(spans, limit)
    assert set(hulls) == set(spans) and len(set(hulls.values())) <= limit
    assert all(hull[0] <= first and last <= hull[1] for (first, last), hull in hulls.items())


# Refusals

WIDE = network({"a": 40, "out": 4}, {("x", "a"): 0, ("a", "out"): 0})
DENSE = Network(
    "dense", (Input("x", 70),), (Population("out", 2, "lif", {"threshold": 3}),),
    (Projection("x", "out", np.ones((70, 2), int)),), (Output("out"),),
)  # fmt: skip
TWO = network({"a": 4, "out": 2}, {("x", "a"): 0, ("a", "out"): 0})
SKIP = network({"a": 2, "b": 2, "out": 2}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0, ("a", "out"): 1})
LATE = network({"a": 2, "b": 2, "out": 2}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0, ("x", "out"): 1})
LOOP = network({"a": 2, "b": 2, "out": 2}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0, ("out", "a"): 1})
PER_NEURON = replace(TWO, populations=(replace(TWO.populations[0], parameters={"threshold": np.array([1, 2, 3, 4])}),
                                       TWO.populations[1]))  # fmt: skip
MIXED = replace(TWO, populations=(Population("a", 4, "cuba_lif", {}), TWO.populations[1]))
VALUED = replace(TWO, outputs=(Output("out", values=True),))
BOTH = replace(VALUED, outputs=(Output("out", values=True), Output("out")))


@pytest.mark.parametrize(
    ("net", "config", "text"),
    [
        (WIDE, fabric(), "network too large for the fabric: needs 11 groups of 4 neurons, has 8"),
        (DENSE, fabric(), "network too large for the fabric: population 'out' has a fan-in of 70 axons, a core has 64"),
        (network({"a": 30, "out": 2}, {("x", "a"): 0, ("a", "out"): 0, ("a", "a"): 1}), fabric(axons=33, delay_slots=4),
         "network too large for the fabric: population 'a' has a fan-in of 34 axons, a core has 33"),
        (network({"a": 8, "b": 8, "out": 2}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0}), fabric(axons=18),
         "network too large for the fabric: needs 20 axons at core (0, 0), has 18"),
        (TWO, fabric(routes=5), "network too large for the fabric: needs 6 routes at core (0, 0), has 5"),
        (TWO, fabric(synapse_rows=3),
         "network too large for the fabric: needs 4 synapse rows in bank 0 at core (0, 0), has 3"),
        (TWO, fabric(changes={"lines": 1}), "network too large for the fabric: needs 2 output lines, has 1"),
        (SKIP, fabric(delay_slots=2),
         "projection a -> out needs an axonal delay of 3 ticks; the fabric has 2 slots, for delays of 1..1"),
        (LATE, fabric(delay_slots=4),
         "projection x -> out has its events sent 3 ticks ahead; with 4 delay slots the fabric takes them at most 2"
         " ticks ahead"),
        (LOOP, fabric(changes={"phase_bits": 1}),
         "the network's loops need more than 2 ticks per step, the most that the fabric has"),
        (SKIP, fabric(changes={"depth_bits": 1}), "the network is 2 ticks deep; depth_bits 1 is too narrow"),
        (TWO, fabric(weight_bits=2), "projection x -> a has weights -2..3; weight_bits 2 holds -2..1"),
        (DENSE, fabric(axons=70, accumulator_bits=7),
         "the accumulator is too narrow: neuron 0 of 'out' needs 8 bits, accumulator_bits is 7"),
        (PER_NEURON, fabric(),
         "population 'a': threshold differs between neurons, the fabric has it per population"),
        (TWO, fabric(neuron=NeuronConfig(parameters={"threshold": 4})),
         "population 'a': threshold is 3, the fabric's constant is 4"),
        (TWO, fabric(neuron=NeuronConfig(state_bits={"v": 12}, parameters=PARAMETERS)),
         "population 'a' keeps v in 16 bits, the fabric in 12; they must agree"),
        (TWO, fabric(neuron=NeuronConfig(model="cuba_lif", parameters={})),
         "population 'a' is lif, the fabric's neurons are cuba_lif"),
        (MIXED, fabric(), "population 'a' is cuba_lif, the fabric's neurons are lif"),
        (VALUED, fabric(), "output 'out' delivers values, the fabric's cores do not (core.values)"),
        (BOTH, fabric(values=True), "population 'out' delivers values, so it cannot send spikes too"),
        (replace(TWO, inputs=(Input("x", 4, 3),)), fabric(accumulator_bits=12),
         "input 'x' has payloads of 3 bits, the fabric 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(net, config, text):
    with pytest.raises(InputError) as error:
        compile(net, config)
    assert str(error.value) == text


def test_unknown_placements_are_refused():
    with pytest.raises(InputError, match="placement is one of balanced, compact, random, not 'best'"):
        compile(TWO, fabric(), placement="best")


# Validation of images that others may have written


def image_with(**damage):
    """A valid image with some table entries of core 0 changed: ``table__column=(index, value)``."""
    image = compile(TWO, fabric())
    validate(image)
    core = image.cores[0]
    tables = {name: {k: v.copy() for k, v in getattr(core, name).items()}
              for name in ("axons", "targets", "walks", "groups", "neurons", "pointers", "routes")}  # fmt: skip
    for key, (index, value) in damage.items():
        table, column = key.split("__")
        tables[table][column][index] = value
    return replace(image, cores=(CoreImage(synapses=core.synapses, **tables),))


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ({"routes__delay": (0, 0)}, "core (0, 0): route 0 has delay 0; 1..7 are possible"),
        (
            {"routes__axon": (0, 0)},
            "axon 0 of core (0, 0) has two sources: neuron 0 of core (0, 0) and input 'x' line 0",
        ),
        ({"routes__line": (4, 256)}, "core (0, 0): route.host.line holds 0..255, not 256 (8 bits)"),
        ({"walks__last": (0, 0), "walks__first": (0, 1)}, "core (0, 0): range 0 is 1..0; the core has groups 0..7"),
        ({"axons__base": ((0, 0), 255), "walks__last": (0, 7)},
         "core (0, 0): axon 0 names a range or synapse rows that do not exist"),
        ({"pointers__count": (0, 300)}, "core (0, 0): the route entries of neuron 0 do not exist"),
    ],
)  # fmt: skip
def test_damaged_images_are_refused(damage, text):
    with pytest.raises(InputError) as error:
        validate(image_with(**damage))
    assert str(error.value) == text


def test_damaged_inputs_are_refused():
    image = compile(TWO, fabric())
    for column, value, text in (
        (0, 9, "input 'x' line 9 does not exist; there are 4"),
        (6, -1, "input 'x' line 0 has delay -1; 0 or more ticks are possible"),
        (2, 1, "input 'x' line 0 names cores 0..1, 0..0 and axon {axon}, which do not all exist"),
    ):
        entries = image.inputs["x"].copy()
        axon = entries[0, 5]
        entries[0, column] = value
        with pytest.raises(InputError) as error:
            validate(replace(image, inputs={"x": entries}))
        assert str(error.value) == text.format(axon=axon)


def test_every_core_and_axon_has_one_source():
    net = network({"a": 20, "b": 12, "out": 6}, {("x", "a"): 0, ("a", "b"): 0, ("b", "out"): 0, ("a", "a"): 1})
    for seed in range(10):
        taken = Counter()
        for bundle in map_network(net, fabric(3, 2), "random", np.random.default_rng(seed)).bundles:
            for node in bundle.segments:
                taken.update((node, axon) for axon in bundle.axons.tolist())
        assert taken and max(taken.values()) == 1
