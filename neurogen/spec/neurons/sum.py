"""The plain sum of a step's input: relays, and readouts without dynamics."""

from . import Parameter, State

NAME = "sum"
SUMMARY = "the step's input sum, nothing kept"

EQUATION = """\
v' = I                          (wrapped into v's width, which the compiler proves never to happen)
s  = [v' != 0]
"""
SOURCE = "what splits a fan-in over cores exactly; as graded relays they need no update logic in any core"

STATE = (State("v", 24, "the sum"),)

PARAMETERS: tuple[Parameter, ...] = ()
