"""ButterStick r1.0: its SYZYGY banks have no voltage until gateware sets one, so the UART is at the microSD slot."""

from amaranth.build import Attrs
from amaranth_boards.butterstick import ButterStickPlatform
from amaranth_boards.resources import UARTResource

from . import Board

NAME = "butterstick"
BOARD = Board(
    title="ButterStick r1.0",
    platform=ButterStickPlatform,
    clock="clk30",
    link="adapter at the microSD slot: DAT0 (rx), CMD (tx)",
    loader=("dfu-util", "-d", "1209:5af1", "-a", "0", "-D", "{bitstream}"),
    extra=(UARTResource(0, rx="C12", tx="A13", attrs=Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")),),
)
