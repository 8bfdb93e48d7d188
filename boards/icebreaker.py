"""iCEBreaker of 1BitSquared: the second channel of its FT2232H is the UART."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from . import Board

NAME = "icebreaker"
BOARD = Board(
    title="1BitSquared iCEBreaker",
    platform=ICEBreakerPlatform,
    clock="clk12",
    clock_pad=True,
    link="USB (FT2232H, channel B)",
    baud=3_000_000,
    loader=("--board", "ice40_generic", "--write-flash"),
    flash="spi_flash_1x",
)
