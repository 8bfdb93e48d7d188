"""UPduino v3 of tinyVision.ai. Pins: the maker's repository (RTL/common/upduino.pcf, docs/source/features/specs.rst).

The FT232H shares its pins with the flash: TXD is the flash's clock, RXD its data input, so its chip select stays high,
and what is in it is not for the design: the host loads what a bitstream cannot hold.
"""

from amaranth.build import Attrs, PinsN, Resource
from amaranth_boards.resources import UARTResource
from amaranth_boards.upduino_v3 import UpduinoV3Platform

from . import Board

NAME = "upduino_v3"
BOARD = Board(
    title="tinyVision.ai UPduino v3",
    platform=UpduinoV3Platform,
    clock="clk12",
    link="USB (FT232H)",
    loader=("--board", "ice40_generic", "--write-flash"),
    extra=(
        UARTResource(0, rx="15", tx="14", attrs=Attrs(IO_STANDARD="SB_LVCMOS")),
        Resource("flash_select", 0, PinsN("16", dir="o"), Attrs(IO_STANDARD="SB_LVCMOS")),
    ),
    inactive=("flash_select",),
    note="short the OSC jumper: the internal oscillator is not exact enough for a UART",
)
