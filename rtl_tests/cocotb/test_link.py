"""The link's hardware at its pins, under a line that mistreats a part of all frames (`make link-fuzz` does more)."""

from rtl_tests.cocotb.simulators import needs
from rtl_tests.link_fuzz import on_hardware

FRAMES = 3000
SEED = 2


def test_a_line_that_hates_the_link_changes_nothing(tmp_path):
    assert " sessions; " in on_hardware(FRAMES, SEED, tmp_path, needs("verilator"))
