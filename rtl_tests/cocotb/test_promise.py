"""The product's promise on generated Verilog: any network, placement and stalls, the same spikes.

Eight fabrics of different shape are compiled once; images, placements and stalls at the ports vary from case to case.
In six of them every internal stream has a gate that shuts at random. ``make soak`` runs many more cases.
"""

import pytest

from rtl_tests.cocotb.simulators import needs
from rtl_tests.property_cases import EVERYWHERE, Coverage
from rtl_tests.property_run import build, run
from rtl_tests.random_networks import FABRICS

SEED, CASES = 31, 63
WITHOUT_GATES = ("lif_1x1", "if_1x4")


@pytest.fixture(scope="module")
def coverage():
    return Coverage()


@pytest.mark.parametrize("name", FABRICS)
def test_any_network_gives_the_same_spikes(name, coverage, tmp_path):
    print(f"seed {SEED}")
    dut = build(name, None if name in WITHOUT_GATES else SEED)
    coverage.counts.update(run(dut, needs("verilator"), SEED, 0, CASES, tmp_path / "run"))


def test_the_cases_reached_everything(coverage):
    print(dict(coverage.counts))
    coverage.require(*EVERYWHERE, least=10)
    coverage.require("cases", least=500)
    coverage.require("clocks idled", "clocks stalled", "states", "spikes", least=10_000)
