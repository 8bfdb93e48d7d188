"""The files between the virtual board in its simulator and whoever started it."""

from pathlib import Path

BENCH = Path(__file__).with_name("board_bench.v")
TOP = BENCH.stem
SETTINGS, PORT, SPEED = "board.json", "port", "speed.json"
CAPACITY, BURST = 128, 48
"""Bytes that the bench gathers, at most, before it hands them over, and those that it is given at once."""


def defines(top: str, clocks_per_bit: int) -> dict[str, str]:
    """The bench's macros for a board whose module is ``top``."""
    return {"TOP": top, "CLOCKS_PER_BIT": str(clocks_per_bit), "CAPACITY": str(CAPACITY)}
