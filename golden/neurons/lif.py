"""Leaky integrate-and-fire: the equation of ``neurogen.spec.neurons.lif``."""

import numpy as np

from neurogen.spec.fixed import Leak, Reset, ResetTiming

from .. import fixed
from . import initial_registers, may_be, stays

NAME = "lif"


def initial(parameters, shape):
    """Membrane potential ``v_init``, not refractory."""
    return initial_registers(parameters, shape, "v")


def step(state, parameters, current, widths):
    """One update of every neuron; see :mod:`golden.neurons`."""
    v, refractory, bits = state["v"], state["refractory"], widths["v"]
    threshold, reset, timing = parameters["threshold"], parameters["reset"], parameters["reset_timing"]

    late = fixed.is_array(timing) or timing != ResetTiming.SAME_STEP
    pending = False
    if late:
        pending = np.not_equal(timing, ResetTiming.SAME_STEP) & fixed.fires(v, threshold, parameters["compare"])
        v = np.where(pending & np.equal(reset, Reset.ZERO), parameters["reset_value"], v)
    x = fixed.add(_leak(v, parameters) + fixed.shift_left(current, parameters["exponent"]), parameters["bias"])
    if late:
        x = x - (pending & np.equal(reset, Reset.SUBTRACT)) * threshold
    x = fixed.overflow(parameters["overflow"], x, bits)

    held = bool(refractory.any())
    if held:
        x = np.where(refractory > 0, parameters["reset_value"], x)
    spike = fixed.fires(x, threshold, parameters["compare"])
    if held:
        spike = spike & (refractory == 0)

    after = fixed.choose(
        timing,
        lambda: _reset(reset, x, spike * threshold, lambda: np.where(spike, parameters["reset_value"], x)),
        lambda: x,
        lambda: _immediate(reset, x, spike, pending, threshold),
    )
    if held or late or not stays(reset, threshold):
        after = fixed.overflow(parameters["overflow"], after, bits)
    return {
        "v": after,
        "refractory": fixed.next_refractory(refractory, held, spike, parameters["refractory_ticks"]),
    }, spike


def _leak(v, parameters):
    return fixed.choose(
        parameters["leak"],
        lambda: v,
        lambda: v - fixed.quotient(v, parameters["leak_shift"], parameters["rounding"]),
        lambda: fixed.decay(v, parameters["decay"], parameters["rounding"]),
    )


def _reset(reset, x, subtrahend, zeroed):
    return fixed.choose(reset, lambda: x, lambda: x - subtrahend, zeroed)


def _immediate(reset, x, spike, pending, threshold):
    return _reset(reset, x, spike * threshold - pending * threshold, lambda: x - spike * x + pending * x)


def latency_cycles(config):
    """Four steps, one more each for a reset that may be delayed and for a leak."""
    delayed = may_be(config, "reset_timing", ResetTiming.DELAYED, ResetTiming.SNNTORCH_IMMEDIATE)
    return 4 + delayed + may_be(config, "leak", Leak.SHIFT, Leak.MULTIPLY)
