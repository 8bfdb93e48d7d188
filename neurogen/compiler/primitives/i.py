"""I: ``dv/dt = r I``; puts out v."""

from .records import Record, numbers

NAME = "I"
KIND = "neuron"
KEYS = ("r",)
MODEL = "lif"
SHAPED = ("r",)
OPEN = ("dt",)
SPIKING = False


def discretise(record: Record, convention):
    """``v = v + dt*r*I``."""
    return convention.dt * numbers(record, "r"), {"keep": 1.0}
