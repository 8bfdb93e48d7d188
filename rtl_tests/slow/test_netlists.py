"""The digits network as the tools implement it, the bitstream of an HX8K included: equal to the golden model."""

import pytest

from neurogen.flow import netlist
from neurogen.flow.target import resolve
from neurogen.flow.verify import verify
from rtl_tests.cocotb.simulators import needs as simulator
from rtl_tests.netlists import BOARDS, SEED, needs

OPTIONS = {"quantise": {"weight_bits": 4}, "size": {"lanes": 4, "banks": 1}}
STAGES = (("ice40", "routed"), ("ice40", "unpacked"), ("ecp5", "routed"))


@pytest.mark.parametrize(("family", "stage"), STAGES)
def test_digits_equal_the_golden_model(family, stage):
    target = netlist.implemented(resolve(None, OPTIONS), BOARDS[family], needs(stage))
    (found,) = verify(target, simulators=[simulator("verilator")], samples=6, seed=SEED)
    assert found.statistics.spikes > 1_000 and found.statistics.states > 5_000
    print(found)
