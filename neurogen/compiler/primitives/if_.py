"""IF: ``dv/dt = r I``; spikes where v passes v_threshold."""

import numpy as np

NAME = "IF"
KIND = "neuron"
KEYS = ("r", "v_threshold")
MODEL = "lif"
SHAPED = ("r", "v_threshold", "v_reset")


def discretise(record, convention):
    """``v = v + dt*r*I``."""
    parameters = {"keep": 1.0, "threshold": record["v_threshold"], "reset_value": record.get("v_reset", 0.0)}
    return convention.dt * np.asarray(record["r"], dtype=float), parameters
