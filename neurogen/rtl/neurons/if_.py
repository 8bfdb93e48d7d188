"""Integrate-and-fire: the LIF neuron without decay."""

from ...spec.fixed import Leak, Rounding
from . import lif

NAME = "if"


class Neuron(lif.Neuron):
    __doc__ = lif.Neuron.__doc__

    FIXED = {"leak": Leak.NONE, "leak_shift": 0, "decay": 0, "rounding": Rounding.FLOOR}  # noqa: RUF012
