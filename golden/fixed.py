"""Fixed-point arithmetic on integer arrays. Every option is an integer, or an array with one choice per neuron.

Results have the operands' type; that it holds them is for the caller to prove (:mod:`golden.intervals`).
"""

import numpy as np

from neurogen.spec.fixed import DECAY_BITS, Compare


def is_array(option) -> bool:
    """Whether an option differs from neuron to neuron."""
    return getattr(option, "ndim", 0) > 0


def is_zero(option) -> bool:
    """Whether an option is known to be 0 for every neuron."""
    return isinstance(option, (int, np.integer)) and option == 0


def choose(option, *alternatives):
    """``alternatives[option]()``, element by element where ``option`` is an array."""
    if is_array(option):
        return np.choose(option, [alternative() for alternative in alternatives])
    return alternatives[int(option)]()


def shift_left(x, exponent):
    """``x * 2**exponent``."""
    return x if is_zero(exponent) else x << exponent


def add(x, y):
    """``x + y``."""
    return x if is_zero(y) else x + y


def saturate(x, bits: int):
    """Clip symmetrically, to -(2**(bits - 1) - 1) .. 2**(bits - 1) - 1."""
    limit = (1 << (bits - 1)) - 1
    return np.clip(x, -limit, limit)


def wrap(x, bits: int):
    """Reduce modulo 2**bits into -2**(bits - 1) .. 2**(bits - 1) - 1."""
    half = 1 << (bits - 1)
    return ((x + half) & (2 * half - 1)) - half


def wrap_upwards(x, bits: int):
    """Reduce modulo 2**bits into -(2**(bits - 1) - 1) .. 2**(bits - 1): Loihi's synaptic current."""
    half = 1 << (bits - 1)
    return half - ((half - x) & (2 * half - 1))


def overflow(mode, x, bits: int):
    """Bring ``x`` into a register of ``bits`` bits as :class:`Overflow` ``mode`` says."""
    return choose(mode, lambda: saturate(x, bits), lambda: wrap(x, bits))


def quotient(x, shift, rounding):
    """``x / 2**shift``, rounded as :class:`Rounding` ``rounding`` says."""
    below = (1 << shift) - 1
    return choose(
        rounding,
        lambda: x >> shift,
        lambda: (x + ((x >> 63) & below)) >> shift,
        lambda: (x + ((1 << shift) >> 1)) >> shift,
    )


def decay(x, amount, rounding):
    """``x * (4096 - amount) / 4096``, rounded."""
    if not is_array(amount) and amount == 0:
        return x
    return quotient(x * ((1 << DECAY_BITS) - amount), DECAY_BITS, rounding)


def fires(x, threshold, compare):
    """``x > threshold`` or ``x >= threshold``, as bool."""
    if not is_array(compare):
        return x > threshold if compare == Compare.GT else x >= threshold
    return np.where(compare == Compare.GT, x > threshold, x >= threshold)


def next_refractory(refractory, held: bool, spike, ticks):
    """The counter after an update; ``held`` says whether any neuron of ``refractory`` is above 0."""
    if not held and not is_array(ticks) and ticks <= 1:
        return refractory
    return np.maximum(np.where(spike, ticks, refractory) - 1, 0)
