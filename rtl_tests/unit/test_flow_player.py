"""Toggles from a value change dump."""

import numpy as np

from neurogen.flow.player import count_toggles

DUMP = """$timescale 1ps $end
$scope module bench $end
$var wire 1 ! outside $end
$scope module dut $end
$var wire 1 c clk $end
$var wire 4 a word [3:0] $end
$var wire 1 b bit $end
$scope module inner $end
$var wire 1 b same_bit $end
$upscope $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
0!
0c
b0000 a
xb
$end
#5000
1c
1!
#10000
0c
b1011 a
1b
#15000
1c
0!
#20000
0c
b0011 a
0b
#25000
1c
"""


def test_bits_of_the_scope_that_change_are_counted_by_clock_without_the_clock():
    assert np.array_equal(count_toggles(DUMP.splitlines()), [0, 4, 2])


def test_another_scope_has_other_nets():
    assert np.array_equal(count_toggles(DUMP.splitlines(), scope="inner"), [0, 1, 1])
