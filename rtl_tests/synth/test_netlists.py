"""What the tools made of a small fabric, under the bench that verifies the Verilog: equal to the golden model."""

import pytest

from neurogen.flow import netlist
from neurogen.flow.verify import verify
from neurogen.spec.errors import InputError
from rtl_tests.cocotb.simulators import needs as simulator
from rtl_tests.netlists import BOARDS, SEED, small

REGISTERS = {"ice40": 0, "ecp5": 5}
CELLS = {"ice40": "ICESTORM_LC #(", "ecp5": "TRELLIS_COMB #("}


@pytest.mark.parametrize("family", CELLS)
def test_a_routed_netlist_equals_the_golden_model(family):
    target = netlist.implemented(small(memory_registers=family == "ecp5"), BOARDS[family])
    text = target.emitted.verilog
    assert CELLS[family] in text
    assert text.count('.REGMODE_B("OUTREG")') == REGISTERS[family], "registers that a block RAM has taken in"
    (found,) = verify(target, simulators=[simulator("verilator")], samples=3, seed=SEED)
    s = found.statistics
    assert s.spikes > 500 and s.outputs > 200 and s.states > 800 and s.counters > 500 and s.exact_ticks > 10


def test_what_has_no_netlist_is_refused():
    with pytest.raises(InputError, match="no netlist 'unpacked' of an ECP5; there are synthesised, routed"):
        netlist.implemented(small(), BOARDS["ecp5"], "unpacked")
