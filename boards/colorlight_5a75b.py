"""Colorlight 5A-75B v7.0: no USB; the UART is at connector J19."""

from amaranth_boards.colorlight_5a75b_r7_0 import Colorlight_5A75B_R70Platform

from . import Board

NAME = "colorlight_5a75b"
BOARD = Board(
    title="Colorlight 5A-75B v7.0",
    platform=Colorlight_5A75B_R70Platform,
    clock="clk25",
    link="adapter at J19: KEY+ (rx), DATA_LED- (tx)",
    loader=("--board", "colorlight"),
    note="connect a JTAG cable to J27..J34 to load it",
)
