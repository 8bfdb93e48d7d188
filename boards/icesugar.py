"""iCESugar of MuseLab: iCELink is both programmer (a USB drive, icesprog) and serial port."""

from amaranth_boards.icesugar import ICESugarPlatform

from . import Board

NAME = "icesugar"
BOARD = Board(
    title="MuseLab iCESugar",
    platform=ICESugarPlatform,
    clock="clk12",
    clock_pad=True,
    link="USB (iCELink)",
    baud=115_200,
    loader=("icesprog", "-o", "{offset}", "{bitstream}"),
    flash="spi_flash_1x",
)
