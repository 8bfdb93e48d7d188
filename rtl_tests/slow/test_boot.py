"""Synapses in SPRAM: what CI shows of two samples under Icarus, at length; and `run` on a virtual board."""

import numpy as np
import pytest

from neurogen import cli
from neurogen.flow.target import resolve
from neurogen.flow.verify import verify
from rtl_tests import shipped
from rtl_tests.cocotb.simulators import SIMULATORS, needs

SIZE = {"lanes": 4, "banks": 2, "update_lanes": 1, "synapse_memory": "spram"}
SAMPLES = 4


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_verify_loads_what_the_verilog_cannot_hold(simulator):
    target = resolve(None, {"size": SIZE})
    assert not target.folded and "ram_style" in target.emitted.verilog
    (found,) = verify(target, simulators=[needs(simulator)], samples=SAMPLES, allow_silent=True)
    assert found.statistics.spikes > 500


def test_run_on_a_virtual_board(tmp_path):
    needs("verilator")
    size = [word for key, value in SIZE.items() for word in ("-P", f"size.{key}={value}")]
    output = tmp_path / "run.npz"
    x = shipped.first(SAMPLES, tmp_path)
    assert cli.main(["run", "--port", "sim", "--input", str(x), "-o", str(output), *size]) == 0
    assert cli.main(["simulate", "--input", str(x), "-o", str(tmp_path / "simulate.npz"), *size]) == 0
    with np.load(output) as found, np.load(tmp_path / "simulate.npz") as expected:
        np.testing.assert_array_equal(found["spikes"], expected["spikes"])
