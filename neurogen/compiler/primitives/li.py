"""LI: ``tau dv/dt = (v_leak - v) + r I``; puts out v."""

from .records import Record, numbers

NAME = "LI"
KIND = "neuron"
KEYS = ("tau", "r")
MODEL = "lif"
SHAPED = ("tau", "r", "v_leak")
OPEN = ("dt", "decay")
SPIKING = False


def discretise(record: Record, convention):
    """``v = keep*v + (1 - keep)*(v_leak + r*I)``."""
    tau = numbers(record, "tau")
    keep = convention.keep(tau)
    leak = numbers(record, "v_leak") if "v_leak" in record else 0.0
    return convention.gain(tau, numbers(record, "r")), {"keep": keep, "bias": (1 - keep) * leak}
