"""Neuron models on integer arrays: one module each, beside ``neurogen.spec.neurons`` and of the same stem.

A model offers ``NAME`` and three functions. ``initial(parameters, shape)`` is the state at the start of a sample.
``step(state, parameters, current, widths)`` is one update: ``state`` maps a register to what it holds,
``parameters`` every parameter of the model to an int or an array that broadcasts against the state, ``current`` is the
summed synaptic input and ``widths`` the registers' bits; it returns the new state and the spikes as bool.
``latency_cycles(config)`` is how long the update takes in hardware whose neuron is ``config``, for the cycle model.
"""

import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType

import numpy as np

from neurogen.spec.config import NeuronConfig
from neurogen.spec.fixed import Reset
from neurogen.spec.registry import pick, scan

from .. import fixed


@cache
def models() -> dict[str, ModuleType]:
    """Every golden neuron model, by name."""
    return scan(sys.modules[__name__])


def model(name: str) -> ModuleType:
    """One golden neuron model. Raises InputError, naming the models that exist."""
    return pick(models(), name, "neuron model")


def initial_registers(parameters: Mapping, shape: tuple[int, ...], *names: str) -> dict[str, np.ndarray]:
    """Registers ``names`` at their ``*_init`` parameter, and a refractory counter of 0."""
    state = {name: np.broadcast_to(np.int64(parameters[f"{name}_init"]), shape).copy() for name in names}
    return state | {"refractory": np.zeros(shape, dtype=np.int64)}


def stays(reset, threshold) -> bool:
    """Whether a neuron's reset in the step of its spike leaves what a register holds between that and 0."""
    if fixed.is_array(reset) or fixed.is_array(threshold):
        return False
    return reset == Reset.NONE or (reset == Reset.SUBTRACT and bool(threshold >= 0))


def may_be(config: NeuronConfig, parameter: str, *values: int) -> bool:
    """Whether the hardware's ``parameter`` can have one of ``values``: it is one of them, or not a constant."""
    return config.constants.get(parameter, values[0]) in values
