"""The spike encoder as emitted Verilog, under both simulators."""

import re

import pytest

from neurogen.flow import simulators
from neurogen.flow.emit import emit
from neurogen.rtl.encoder import Encoder
from neurogen.spec.errors import ToolError
from rtl_tests.cocotb.play_encoder import GROUP_BITS, LANES, SUBGROUP_BITS
from rtl_tests.cocotb.simulators import SIMULATORS, needs
from rtl_tests.random_networks import fabric

SEED = 11
MODULE = "rtl_tests.cocotb.play_encoder"


def emitted() -> str:
    lanes = LANES << SUBGROUP_BITS
    config = fabric("encoder", 1, 1, neurons=lanes << GROUP_BITS, lanes=lanes, update_lanes=LANES)
    return emit(Encoder(config), "encoder").verilog


def run(name: str, verilog: str, folder) -> None:
    model = simulators.compile(needs(name), {"top.v": verilog}, "encoder", {}, public=True)
    simulators.run(model, MODULE, "every_set_bit_becomes_one_spike", folder, SEED)


@pytest.mark.parametrize("name", SIMULATORS)
def test_every_set_bit_becomes_one_spike(name, tmp_path):
    run(name, emitted(), tmp_path)


def test_an_encoder_that_ignores_backpressure_fails(tmp_path):
    verilog = emitted()
    broken = re.sub(r"^(  assign .* = .*)\bspikes__ready\b", r"\g<1>1'h1", verilog, flags=re.MULTILINE)
    assert broken != verilog
    with pytest.raises(ToolError, match=f"^verilator: .* failed, seed {SEED}$"):
        run("verilator", broken, tmp_path)
