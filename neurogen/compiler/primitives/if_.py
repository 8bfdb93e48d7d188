"""IF: ``dv/dt = r I``; spikes where v passes v_threshold."""

from . import i
from .lif import firing
from .records import Record

NAME = "IF"
KIND = "neuron"
KEYS = ("r", "v_threshold")
MODEL = "lif"
SHAPED = ("r", "v_threshold", "v_reset")
OPEN = ("dt", "reset", "reset_timing", "compare")
SPIKING = True


def discretise(record: Record, convention):
    """``v = v + dt*r*I``."""
    gain, parameters = i.discretise(record, convention)
    return gain, parameters | firing(record)
