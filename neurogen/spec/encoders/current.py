"""The pixel itself as a constant input current."""

from . import FULL

NAME = "current"
SUMMARY = "the pixel's value in every step, as the payload of an event: a direct current"
EQUATION = """\
an event with payload x in every step, if x > 0
"""
GRADED = True
PARAMETERS = (FULL,)
