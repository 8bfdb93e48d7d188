"""OrangeCrab r0.2 with an LFE5U-85F: the Feather's serial pins (0 is rx, 1 is tx), as in litex-boards."""

from amaranth.build import Attrs
from amaranth_boards.orangecrab_r0_2 import OrangeCrabR0_2_85FPlatform
from amaranth_boards.resources import UARTResource

from . import Board

NAME = "orangecrab_85f"
BOARD = Board(
    title="OrangeCrab r0.2 85F",
    platform=OrangeCrabR0_2_85FPlatform,
    clock="clk",
    link="adapter at pins 0 (rx), 1 (tx)",
    loader=("--board", "orangeCrab"),
    extra=(UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")),),
)
