"""Lattice's ECP5 Versa board: the second channel of its FT2232H is the UART."""

from amaranth_boards.versa_ecp5 import VersaECP5Platform

from . import Board

NAME = "versa_ecp5"
BOARD = Board(
    title="Lattice ECP5 Versa",
    platform=VersaECP5Platform,
    clock="clk100",
    link="USB (FT2232H, channel B)",
    loader=("--cable", "ft2232"),
)
