"""The direct current: every pixel that is not 0, in every step."""

from amaranth import *

from .listed import ListedUnit

NAME = "current"


class Unit(ListedUnit):
    """The equation of :mod:`neurogen.spec.encoders.current`.

    A step takes n + 4 clocks for its n events: with 784 lines and 16 steps at most 12,608 clocks an image. A row has
    ``line_bits`` + 8 bits.
    """

    def _event(self, value, state):
        return C(1), value, state
