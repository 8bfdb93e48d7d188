"""Current-based leaky integrate-and-fire: the equation of ``neurogen.spec.neurons.cuba_lif``.

The register of ``u`` holds n bits. Where u wraps, its code -2**(n - 1) stands for +2**(n - 1).
"""

import numpy as np

from neurogen.spec.fixed import Overflow

from .. import fixed
from . import initial_registers, stays

NAME = "cuba_lif"


def initial(parameters, shape):
    """Current ``u_init``, membrane potential ``v_init``, not refractory."""
    return initial_registers(parameters, shape, "u", "v")


def step(state, parameters, current, widths):
    """One update of every neuron; see :mod:`golden.neurons`."""
    refractory, rounding = state["refractory"], parameters["rounding"]
    u = _current(state["u"], parameters, current, widths["u"])
    x = fixed.add(fixed.decay(state["v"], parameters["decay_v"], rounding) + u, parameters["bias"])
    x = fixed.overflow(parameters["v_overflow"], x, widths["v"])

    held = bool(refractory.any())
    if held:
        x = np.where(refractory > 0, parameters["reset_value"], x)
    spike = fixed.fires(x, parameters["threshold"], parameters["compare"])
    if held:
        spike = spike & (refractory == 0)

    after = fixed.choose(
        parameters["reset"],
        lambda: x,
        lambda: x - spike * parameters["threshold"],
        lambda: np.where(spike, parameters["reset_value"], x),
    )
    if held or not stays(parameters["reset"], parameters["threshold"]):
        after = fixed.overflow(parameters["v_overflow"], after, widths["v"])
    return {
        "u": fixed.wrap(u, widths["u"]),
        "v": after,
        "refractory": fixed.next_refractory(refractory, held, spike, parameters["refractory_ticks"]),
    }, spike


def _current(u, parameters, current, bits):
    mode = parameters["u_overflow"]
    lowest = -(1 << (bits - 1))
    u = np.where((u == lowest) & np.equal(mode, Overflow.WRAP), -lowest, u)
    u = fixed.decay(u, parameters["decay_u"], parameters["rounding"])
    u = u + fixed.shift_left(current, parameters["exponent"])
    return fixed.choose(mode, lambda: fixed.saturate(u, bits), lambda: fixed.wrap_upwards(u, bits))


def latency_cycles(config):
    """Six steps."""
    return 6
