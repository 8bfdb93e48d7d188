"""Lattice's ECP5-5G evaluation board: the UART of its FT2232H needs two resistors moved (user manual, 6.2)."""

from amaranth_boards.ecp5_5g_evn import ECP55GEVNPlatform

from . import Board

NAME = "ecp5_evn"
BOARD = Board(
    title="Lattice ECP5-5G evaluation board",
    platform=ECP55GEVNPlatform,
    clock="clk12",
    link="USB (FT2232H, channel B)",
    loader=("--board", "ecp5_evn"),
    note="move two resistors to connect the UART (user manual, section 6.2)",
)
