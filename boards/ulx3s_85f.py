"""ULX3S with an LFE5U-85F: its FT231X is both programmer and serial port."""

from amaranth_boards.ulx3s import ULX3S_85F_Platform

from . import Board

NAME = "ulx3s_85f"
BOARD = Board(
    title="Radiona ULX3S 85F",
    platform=ULX3S_85F_Platform,
    clock="clk25",
    link="USB (FT231X)",
    baud=3_000_000,
    loader=("--board", "ulx3s"),
)
