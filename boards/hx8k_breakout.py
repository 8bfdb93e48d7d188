"""Lattice's iCE40-HX8K breakout board: the second channel of its FT2232H is the UART."""

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from . import Board

NAME = "hx8k_breakout"
BOARD = Board(
    title="Lattice iCE40-HX8K breakout",
    platform=ICE40HX8KBEVNPlatform,
    clock="clk12",
    link="USB (FT2232H, channel B)",
    baud=3_000_000,
    loader=("--board", "ice40_generic", "--write-flash"),
)
