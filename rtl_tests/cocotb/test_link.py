"""The link's hardware at its pins, under a line that mistreats a part of all frames (`make link-fuzz` does more)."""

import pytest

from rtl_tests.cocotb.simulators import SIMULATORS, needs
from rtl_tests.link_fuzz import on_hardware

FRAMES = {"verilator": 3000, "icarus": 200}
SEED = 2


@pytest.mark.parametrize("name", SIMULATORS)
def test_a_line_that_hates_the_link_changes_nothing(name, tmp_path):
    done = on_hardware(FRAMES[name], SEED, tmp_path, needs(name))
    assert " sessions; " in done
