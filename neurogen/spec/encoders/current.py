"""The pixel itself as a constant input current."""

from . import FULL, PIXEL_BITS

NAME = "current"
SUMMARY = "the pixel's value in every step, as the payload of an event: a direct current"
EQUATION = """\
an event with payload x in every step, if x > 0
"""
GRADED = True
PARAMETERS = (FULL,)


def memories(encoder) -> list[tuple[int, int]]:
    """Line and pixel."""
    return [(encoder.line_bits + PIXEL_BITS, encoder.lines)]
