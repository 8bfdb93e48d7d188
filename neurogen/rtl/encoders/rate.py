"""The rate encoder: an accumulator for each pixel that is not 0."""

from amaranth import *

from ...spec.config import EncoderConfig
from .listed import ListedUnit

NAME = "rate"


class Unit(ListedUnit):
    """The equation of :mod:`neurogen.spec.encoders.rate`.

    A step takes n + 4 clocks for n pixels that are not 0, whatever fires: with 784 lines and 16 steps at most 12,608
    clocks an image, of MNIST on average 2,500. A row has ``line_bits`` + 16 bits.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__(config, state_bits=config.full.bit_length())

    def _event(self, value, state):
        total, full = value + state, self.config.full
        rest = total - full  # negative where the accumulator does not overflow
        return ~rest[-1], C(1), Mux(rest[-1], total, rest)[: self.state_bits]
