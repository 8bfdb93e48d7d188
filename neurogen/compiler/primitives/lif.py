"""LIF: ``tau dv/dt = (v_leak - v) + r I``; spikes where v passes v_threshold."""

from . import li
from .records import Record, numbers

NAME = "LIF"
KIND = "neuron"
KEYS = ("tau", "r", "v_threshold")
MODEL = "lif"
SHAPED = ("tau", "r", "v_leak", "v_threshold", "v_reset")
OPEN = ("dt", "decay", "reset", "reset_timing", "compare")
SPIKING = True


def discretise(record: Record, convention):
    """``v = keep*v + (1 - keep)*(v_leak + r*I)``."""
    gain, parameters = li.discretise(record, convention)
    return gain, parameters | firing(record)


def firing(record: Record) -> dict:
    """Threshold and reset value."""
    reset = numbers(record, "v_reset") if "v_reset" in record else 0.0
    return {"threshold": numbers(record, "v_threshold"), "reset_value": reset}
