"""The product's promise on generated Verilog: any network, placement and stalls, the same spikes.

Fabrics of different shape are compiled once; images, placements and stalls at the ports vary from case to case.
In all but two of them every internal stream has a gate that shuts at random. Fabrics of other synapse stores run fewer
cases. ``make soak`` runs many more of all.
"""

import pytest

from rtl_tests.cocotb.simulators import needs
from rtl_tests.property_cases import EVERYWHERE, Coverage
from rtl_tests.property_run import build, run
from rtl_tests.random_networks import FABRICS

SEED, CASES, STORE_CASES = 31, 63, 12
IN_CI = ("conv_2x2", "sparse_2x2")
WITHOUT_GATES = ("lif_1x1", "if_1x4")


@pytest.fixture(scope="module")
def coverage():
    return Coverage()


@pytest.fixture(scope="module")
def in_stores():
    return Coverage()


@pytest.mark.parametrize("name", FABRICS)
def test_any_network_gives_the_same_spikes(name, coverage, tmp_path):
    print(f"seed {SEED}")
    dut = build(name, None if name in WITHOUT_GATES else SEED)
    coverage.counts.update(run(dut, needs("verilator"), SEED, 0, CASES, tmp_path / "run"))


@pytest.mark.parametrize("name", IN_CI)
def test_any_network_gives_the_same_spikes_from_other_stores(name, in_stores, tmp_path):
    print(f"seed {SEED}")
    in_stores.counts.update(run(build(name, SEED), needs("verilator"), SEED, 0, STORE_CASES, tmp_path / "run"))


@pytest.mark.parametrize("name", ["lif_2x2_values", "relays_2x2"])
def test_nothing_undefined_matters(name, tmp_path):
    """What was never written is X in a simulator of four values, and would reach every output from there."""
    reached = run(build(name), needs("icarus"), SEED, 0, 2, tmp_path / "run")
    Coverage(reached).require("spikes", "graded input")


def test_the_other_stores_were_used(in_stores):
    print(dict(in_stores.counts))
    in_stores.require("kernels", "matrices", "walk of several lines", "list of several rows", least=10)
    in_stores.require("spikes", least=1000)


def test_the_cases_reached_everything(coverage):
    print(dict(coverage.counts))
    coverage.require(*EVERYWHERE, least=10)
    coverage.require("cases", least=500)
    coverage.require("clocks idled", "clocks stalled", "states", "spikes", least=10_000)
