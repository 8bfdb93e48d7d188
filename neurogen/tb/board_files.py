"""The files between the virtual board in its simulator and whoever started it."""

from pathlib import Path

from ..spec.boot import OFFSET

BENCH = Path(__file__).with_name("board_bench.v")
TOP = BENCH.stem
SETTINGS, PORT, SPEED = "board.json", "port", "speed.json"
FLASH, FLASH_CONTENTS = BENCH.with_name("spi_flash.v"), "flash.hex"
CLOCK_NS = 10
CAPACITY, BURST = 128, 48
"""Bytes that the bench gathers, at most, before it hands them over, and those that it is given at once."""


def defines(top: str, clocks_per_bit: int, flash_wake_cycles: int = 0) -> dict[str, str]:
    """The bench's macros for a board whose module is ``top``, with a flash that sleeps so long after it is woken up."""
    found = {"TOP": top, "CLOCKS_PER_BIT": str(clocks_per_bit), "CAPACITY": str(CAPACITY)}
    if flash_wake_cycles:
        found |= {"FLASH_WAKE": str(flash_wake_cycles * CLOCK_NS), "FLASH_OFFSET": str(OFFSET)}
    return found
