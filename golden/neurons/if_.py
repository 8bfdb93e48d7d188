"""Integrate-and-fire: the LIF neuron without decay."""

from neurogen.spec.fixed import Leak

from . import lif

NAME = "if"

initial = lif.initial


def step(state, parameters, current, widths):
    """One update of every neuron; see :mod:`golden.neurons`."""
    return lif.step(state, {**parameters, "leak": Leak.NONE}, current, widths)


def latency_cycles(config):
    """One step less than a LIF neuron with a leak."""
    return lif.latency_cycles(config) - 1
