"""Sipeed Tang Nano 9K: its BL702 is both programmer and serial port."""

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from . import Board

NAME = "tang_nano_9k"
BOARD = Board(
    title="Sipeed Tang Nano 9K",
    platform=TangNano9kPlatform,
    clock="clk27",
    link="USB (BL702)",
    loader=("--board", "tangnano9k", "--write-flash"),
)
