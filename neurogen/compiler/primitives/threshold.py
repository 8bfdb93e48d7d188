"""Threshold: spikes where its input is greater than the threshold; remembers nothing."""

import numpy as np

from .records import Record, numbers

NAME = "Threshold"
KIND = "neuron"
KEYS = ("threshold",)
MODEL = "lif"
SHAPED = ("threshold",)
OPEN = ()
SPIKING = True


def discretise(record: Record, convention):
    """``v = I``. A threshold of 0 or less is raised to 1, and v with it: those of hardware are positive."""
    threshold = numbers(record, "threshold")
    raised = np.where(threshold > 0, 0.0, 1 - threshold)
    return 1.0, {"keep": 0.0, "bias": raised, "threshold": threshold + raised}
