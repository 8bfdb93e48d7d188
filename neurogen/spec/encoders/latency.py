"""One spike for each pixel, the earlier the brighter."""

from . import FULL, PIXEL_BITS, Parameter

NAME = "latency"
SUMMARY = "one spike, the earlier the brighter the pixel; none up to a threshold"
EQUATION = """\
s = [x > least] and t = floor((full - x)*(T - 1)/full + 1/2)
"""
GRADED = False
PARAMETERS = (FULL, Parameter("least", 25, 0, (1 << PIXEL_BITS) - 1, "pixels up to this one never fire"))


def memories(encoder) -> list[tuple[int, int]]:
    """What follows each line, each step's first line, and each pixel's step."""
    times = encoder.steps.bit_length(), encoder.full + 1
    return [(encoder.line_bits + 1, encoder.lines), (encoder.line_bits, encoder.steps), times]
