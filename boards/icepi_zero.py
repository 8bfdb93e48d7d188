"""Icepi Zero v1.3: its FT231X is both programmer and serial port."""

from amaranth_boards.icepi_zero import IcepiZero1_3Platform

from . import Board

NAME = "icepi_zero"
BOARD = Board(
    title="Icepi Zero v1.3",
    platform=IcepiZero1_3Platform,
    clock="clk50",
    link="USB (FT231X)",
    baud=3_000_000,
    loader=("--board", "icepi-zero"),
)
