"""The routers' throughput and latency as the scaling figures measure them, on the smallest mesh that has a middle."""

from neurogen.flow import scaling
from rtl_tests.cocotb.simulators import needs

SEED = 1


def test_two_by_two_mesh_takes_all_traffic_below_saturation_and_two_clocks_a_hop():
    needs("verilator")
    calm = scaling.measure(2, "uniform", 0.05, SEED)
    assert abs(calm.accepted - calm.offered) < 0.01 and calm.offered > 0.03
    routers = 2.0  # a packet passes on average, itself and neighbours among its targets
    assert 2 * routers <= calm.latency < 2 * routers + 4, "two clocks a router, and the bench's own"
    full = scaling.measure(2, "uniform", 1.0, SEED)
    assert 0.6 < full.accepted < scaling.bisection_limit(2), "saturation is below the limit, and not far"
    assert full.latency is None or full.latency > 10 * calm.latency


def test_multicast_reaches_both_nodes_of_the_next_column():
    needs("verilator")
    point = scaling.measure(2, "multicast", 0.2, SEED)
    assert abs(point.accepted - point.offered) < 0.02 and point.latency is not None
