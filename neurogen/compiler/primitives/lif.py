"""LIF: ``tau dv/dt = (v_leak - v) + r I``; spikes where v passes v_threshold."""

import numpy as np

NAME = "LIF"
KIND = "neuron"
KEYS = ("tau", "r", "v_threshold")
MODEL = "lif"
SHAPED = ("tau", "r", "v_leak", "v_threshold", "v_reset")


def discretise(record, convention):
    """``v = keep*v + (1 - keep)*(v_leak + r*I)``."""
    keep = convention.keep(np.asarray(record["tau"], dtype=float))
    parameters = {
        "keep": keep,
        "bias": (1 - keep) * record.get("v_leak", 0.0),
        "threshold": record["v_threshold"],
        "reset_value": record.get("v_reset", 0.0),
    }
    return (1 - keep) * record["r"], parameters
