"""Sipeed Tang Primer 20K: the BL616 of its dock is both programmer and serial port."""

from amaranth_boards.tang_primer_20k import TangPrimer20kPlatform

from . import Board

NAME = "tang_primer_20k"
BOARD = Board(
    title="Sipeed Tang Primer 20K",
    platform=TangPrimer20kPlatform,
    clock="clk27",
    link="USB (BL616)",
    loader=("--board", "tangprimer20k", "--write-flash"),
    note="on a dock, whose first DIP switch enables the core board",
)
