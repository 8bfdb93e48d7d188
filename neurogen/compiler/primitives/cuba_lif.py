"""CubaLIF: ``tau_syn dI/dt = -I + w_in S``, ``tau_mem dv/dt = (v_leak - v) + r I``; spikes where v passes threshold."""

from . import cuba_li
from .lif import firing
from .records import Record

NAME = "CubaLIF"
KIND = "neuron"
KEYS = ("tau_mem", "tau_syn", "r", "v_threshold")
MODEL = "cuba_lif"
SHAPED = ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")
OPEN = ("dt", "decay", "reset", "reset_timing", "compare")
SPIKING = True


def discretise(record: Record, convention):
    """As CubaLI."""
    gain, parameters = cuba_li.discretise(record, convention)
    return gain, parameters | firing(record)
