"""Integrate-and-fire: the LIF neuron without decay."""

from . import lif

NAME = "if"
SUMMARY = "integrate-and-fire"
EQUATION = "As lif with leak = none:\n" + lif.EQUATION
SOURCE = lif.SOURCE
STATE = lif.STATE
PARAMETERS = lif.MEMBRANE
