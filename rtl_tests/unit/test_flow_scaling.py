"""Traffic of the scaling figures: limits, plans, what arrivals say; the simulation is in ``cocotb/test_scaling.py``."""

import numpy as np
import pytest

from neurogen.flow import scaling
from neurogen.spec import packet
from neurogen.spec.packet import Kind


@pytest.mark.parametrize(("side", "limit"), [(1, 1), (2, 1), (4, 1), (5, 5 / 6), (6, 2 / 3), (7, 7 / 12), (8, 1 / 2)])
def test_limit_is_what_the_busiest_channel_of_uniform_traffic_leaves(side, limit):
    assert scaling.bisection_limit(side) == pytest.approx(limit)
    loads = np.zeros(side)  # of the channels east of each column, by counting all pairs of nodes of one row
    for source in range(side):
        for target in range(source + 1, side):
            loads[source:target] += 1 / side
    assert min(1, 1 / max(loads.max(), 1e-9)) == pytest.approx(limit)


@pytest.mark.parametrize("name", scaling.PATTERNS)
def test_targets_are_on_the_mesh_and_those_of_layers_in_the_next_column(name):
    side, pattern = 4, scaling.PATTERNS[name]
    nodes = np.repeat(pattern.senders(side), 50)
    x0, x1, y0, y1 = pattern.targets(np.random.default_rng(1), side, nodes).T
    assert (x0 >= 0).all() and (x0 == x1).all() and (x1 < side).all() and (y0 >= 0).all() and (y1 < side).all()
    if name != "uniform":
        assert (x0 == nodes % side + 1).all()
    assert (y1 - y0 + 1 == pattern.copies(side)).all()
    assert len(np.unique(y0)) == (1 if name == "multicast" else side)


def arrivals(config, node, clock, delay):
    """Every packet of a plan arrives ``delay`` clocks after its offer, at one end."""
    flits = scaling._flits(config, node, np.zeros((len(node), 4), dtype=np.int64))
    return np.column_stack([clock + delay, np.zeros_like(node), np.array(flits, dtype=np.int64)])


def test_arrivals_are_matched_although_numbers_return():
    config = scaling.mesh(4)
    node = np.repeat(np.arange(16), 3 * scaling.NUMBERS + 7)
    clock = np.tile(np.arange(3 * scaling.NUMBERS + 7), 16)
    assert len(node) > 1 << packet.to_core(config)[Kind.WRITE]["data"].width - 2
    found = arrivals(config, node, clock, 9)
    order = np.argsort(found[:, 0], kind="stable")
    assert np.array_equal(scaling._numbers(config, node, found[order]), order)


def test_saturation_is_the_throughput_up_to_which_loads_are_accepted():
    loads = [(0.2, 0.2), (0.5, 0.48), (0.7, 0.6), (1.0, 0.62)]
    assert scaling.saturation([scaling.Point(*load, None, None) for load in loads]) == 0.48


def test_point_counts_what_was_offered_and_arrived_in_the_window():
    config, start = scaling.mesh(2), scaling.RESET + scaling.WARMUP
    node, clock = np.repeat(np.arange(4), 3), np.tile([start - 1, start, start + 5], 4)
    found = arrivals(config, node, clock, 7)
    point = scaling._point(config, clock, node, 4, 1, found)
    assert point == scaling.Point(8 / (4 * scaling.WINDOW), 12 / (4 * scaling.WINDOW), 7.0, 7.0)
    lost = scaling._point(config, clock, node, 4, 1, found[:-1])
    assert lost.latency is None and lost.offered == point.offered and lost.accepted < point.accepted
