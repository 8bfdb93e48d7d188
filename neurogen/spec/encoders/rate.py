"""As many spikes as the pixel is bright, evenly spread, by an accumulator that overflows."""

from . import FULL

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
