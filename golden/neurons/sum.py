"""The input sum: the equation of ``neurogen.spec.neurons.sum``."""

import numpy as np

from .. import fixed

NAME = "sum"


def initial(parameters, shape):
    """Nothing was summed yet."""
    return {"v": np.zeros(shape, dtype=np.int64)}


def step(state, parameters, current, widths):
    """One update of every neuron; see :mod:`golden.neurons`."""
    v = fixed.wrap(current, widths["v"])
    return {"v": v}, v != 0


def latency_cycles(config):
    """One register."""
    return 1
