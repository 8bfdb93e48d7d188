"""TinyFPGA BX: no serial bridge, so an adapter goes to pins 1 (rx) and 2 (tx)."""

from amaranth.build import Attrs
from amaranth_boards.resources import UARTResource
from amaranth_boards.tinyfpga_bx import TinyFPGABXPlatform

from . import Board

NAME = "tinyfpga_bx"
BOARD = Board(
    title="TinyFPGA BX",
    platform=TinyFPGABXPlatform,
    clock="clk16",
    link="adapter at pins 1 (rx), 2 (tx)",
    loader=("tinyprog", "-p", "{bitstream}"),
    extra=(UARTResource(0, rx="A2", tx="A1", attrs=Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1)),),
)
