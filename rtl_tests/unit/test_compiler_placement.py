"""Placement: its cost is what the routers count; the best on small meshes, near it on others, never below the bound."""

from dataclasses import replace

import numpy as np
import pytest

from neurogen.compiler import compile
from neurogen.compiler.mapping import placement, quality
from neurogen.compiler.mapping.placement import best, lower_bound, place
from neurogen.compiler.mapping.traffic import Mesh, Traffic, flits
from neurogen.flow import measure
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.memory_map import Status
from neurogen.spec.network import Input, Network, Output, Population, Projection
from neurogen.spec.topologies.mesh import Direction
from rtl_tests.random_networks import FABRICS, random_network


def traffic(width: int, height: int, seed: int) -> tuple[Traffic, FabricConfig]:
    """Layers of cores that each send to the next, or to a few cores of it, and answers to the host."""
    rng, cores = np.random.default_rng(seed), width * height
    cuts = np.sort(rng.choice(np.arange(1, cores), 2, replace=False))
    layers = np.split(rng.permutation(cores), cuts)
    weights: dict[frozenset[int], np.ndarray] = {}
    for source, target in zip([np.array([cores]), *layers[:-1]], layers, strict=True):
        for core in source:
            some = rng.choice(target, rng.integers(1, len(target) + 1), replace=False)
            row = weights.setdefault(frozenset(some.tolist()), np.zeros(cores + 1))
            row[core] += rng.integers(1, 20)
    to_host = np.zeros(cores)
    to_host[layers[-1]] = rng.integers(1, 9, len(layers[-1]))
    return Traffic(tuple(weights), np.array(list(weights.values())), to_host), FabricConfig(width=width, height=height)


def run(config, seed, mapping_seed=None, activity=None):
    rng = np.random.default_rng(seed)
    net = random_network(config, rng)
    image = compile(net, config, mapping_seed, activity=activity)
    inputs = {
        item.name: rng.integers(0, 1 << max(item.payload_bits, 1), (2, 6, item.size))
        * (rng.random((2, 6, item.size)) < 0.6)
        for item in net.inputs
    }
    return net, inputs, image, measure.run(image, inputs)


@pytest.mark.parametrize("name", [name for name, config in FABRICS.items() if config.nodes > 1])
def test_flits_by_link_add_up_to_what_every_router_counts(name):
    config, seen = FABRICS[name], np.zeros(len(Direction), dtype=np.int64)
    for seed in range(12):
        try:
            _, _, _, found = run(config, seed, seed)
        except InputError:
            continue
        by_link = quality.links(found.events, config)
        assert np.array_equal(by_link.sum(axis=1), found.counters[Status.HOPS])
        seen += by_link.sum(axis=0)
    used = [Direction.N, Direction.L, *([Direction.E, Direction.W] if config.width > 1 else [])]
    used += [Direction.S] if config.height > 1 else []
    assert (seen[used] > 0).all(), seen


@pytest.mark.parametrize("name", [name for name, config in FABRICS.items() if config.nodes > 1])
def test_cost_of_a_placement_is_what_the_routers_count(name):
    """Rectangles are covered anew, so that the cost is never more than what is counted."""
    equal = 0
    for seed in range(12):
        try:
            _, _, _, found = run(FABRICS[name], seed)
        except InputError:
            continue
        hops = quality.hops(found.events, FABRICS[name])
        again, mesh = quality._traffic(found.events, FABRICS[name]), Mesh(FABRICS[name])
        cost = flits(again, mesh, np.arange(FABRICS[name].nodes))
        assert hops.bound <= hops.best <= cost + 1e-6 and cost <= hops.placed and hops.placed > 0
        equal += cost == hops.placed
    assert equal >= 3


def test_small_meshes_get_the_best_placement():
    for width, height in ((2, 1), (2, 2), (3, 2), (1, 5)):
        for seed in range(10):
            found, config = traffic(width, height, seed) if width * height > 2 else traffic(3, 1, seed)
            mesh = Mesh(config)
            fewest = flits(found, mesh, best(found, mesh))
            assert flits(found, mesh, place(found, config)) == fewest
            rng = np.random.default_rng(seed)
            assert all(flits(found, mesh, rng.permutation(config.nodes)) >= fewest for _ in range(20))


def test_search_comes_near_the_best_of_all_placements_of_3x3():
    """362,880 placements each, looked at one by one."""
    ratios = []
    for seed in range(6):
        found, config = traffic(3, 3, seed)
        mesh = Mesh(config)
        ratios.append(flits(found, mesh, place(found, config)) / flits(found, mesh, best(found, mesh)))
    assert min(ratios) >= 1 and max(ratios) <= 1.02 and np.mean(ratios) <= 1.005, ratios


def test_no_placement_is_below_the_bound_and_the_bound_is_not_idle():
    ratios = []
    for width, height in ((2, 2), (3, 2), (1, 6)):
        for seed in range(8):
            found, config = traffic(width, height, seed)
            mesh = Mesh(config)
            ratios.append(lower_bound(found, config) / flits(found, mesh, best(found, mesh)))
    assert max(ratios) <= 1 and np.mean(ratios) > 0.85, ratios


def test_a_larger_mesh_is_placed_well_below_chance_and_repeatably():
    found, config = traffic(4, 4, 3)
    mesh = Mesh(config)
    node_of = place(found, config)
    assert np.array_equal(node_of, place(found, config)) and sorted(node_of) == list(range(16))
    rng = np.random.default_rng(0)
    chance = np.mean([flits(found, mesh, rng.permutation(16)) for _ in range(20)])
    assert flits(found, mesh, node_of) < 0.8 * chance


def test_a_mesh_beyond_the_search_takes_the_better_start(monkeypatch):
    found, config = traffic(4, 4, 3)
    mesh = Mesh(config)
    searched = flits(found, mesh, place(found, config))
    monkeypatch.setattr(placement, "LARGEST", 8)
    assert searched <= flits(found, mesh, place(found, config)) <= flits(found, mesh, np.arange(16))


def chain(activity: float) -> tuple[Network, dict[str, np.ndarray]]:
    """Two pairs of layers that exchange as many spikes as they have neurons, or hardly any."""
    rng = np.random.default_rng(5)
    names, sizes = ("a", "b", "c", "d"), 16
    edges = (("x", "a"), ("x", "b"), ("a", "c"), ("b", "d"))
    net = Network(
        "net",
        (Input("x", 8),),
        tuple(Population(name, sizes, "lif", {"threshold": 3}) for name in names),
        tuple(Projection(s, t, rng.integers(0, 3, (8 if s == "x" else sizes, sizes))) for s, t in edges),
        (Output("c"), Output("d")),
    )
    rates = {"x": np.full(8, 0.1), "a": np.full(16, activity), "b": np.full(16, 1 - activity)}
    return net, rates | {"c": np.zeros(16), "d": np.zeros(16)}


def test_activity_decides_who_stands_beside_whom():
    core = CoreConfig(axons=64, neurons=16, lanes=16, banks=2, update_lanes=4, accumulator_bits=10, delay_slots=8)
    config = FabricConfig(width=4, height=1, core=core)
    for activity, pair in ((0.9, "ac"), (0.1, "bd")):
        net, rates = chain(activity)
        image = compile(net, config, activity=rates)
        column = {p.population: p.core for p in image.placements}
        assert abs(column[pair[0]] - column[pair[1]]) == 1


def test_measured_activity_is_events_per_step():
    for name in ("lif_2x2_block", "if_1x4"):
        net, inputs, image, found = run(FABRICS[name], 0)
        rates = measure.activity(net, inputs)
        for item in net.inputs:
            assert np.allclose(rates[item.name] * 12, np.count_nonzero(inputs[item.name], axis=(0, 1)))
        spikes = sum(rates[p.name].sum() for p in net.populations if not any(
            o.population == p.name and o.values for o in net.outputs)) * 12  # fmt: skip
        assert round(spikes) == found.counters[Status.SPIKES].sum() > 0
        again = compile(net, FABRICS[name], activity=rates)
        assert replace(image, metadata={}).network_digest == again.network_digest
