"""As many spikes as the pixel is bright, evenly spread, by an accumulator that overflows."""

from . import FULL, PIXEL_BITS

NAME = "rate"
SUMMARY = "evenly spread spikes, as many as the pixel is bright, by an accumulator that overflows"
EQUATION = """\
a  = a + x                    (a = 0 at the start of a sample)
s  = [a >= full]
a' = a - full*s
which is s = [floor(x*(t+1)/full) > floor(x*t/full)]: in full steps x spikes
"""
GRADED = False
PARAMETERS = (FULL,)


def memories(encoder) -> list[tuple[int, int]]:
    """Line, pixel and accumulator of every pixel."""
    return [(encoder.line_bits + PIXEL_BITS + encoder.full.bit_length(), encoder.lines)]
