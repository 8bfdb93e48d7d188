"""Fixed-point arithmetic of the neuron models, on exact signed values.

Every option (a rounding, an overflow mode, a shift) is an ``int`` or a Value. An ``int`` builds only what it names.
"""

from collections.abc import Mapping

from amaranth import *

from ...spec.fixed import DECAY_BITS, Compare, Overflow, Rounding


def choose(option, alternatives: Mapping[int, Value]) -> Value:
    """``alternatives[option]``. An option that is none of the keys means the last one."""
    if isinstance(option, int):
        return alternatives[option]
    *others, last = alternatives.items()
    chosen = last[1]
    for key, alternative in others:
        chosen = Mux(option == key, alternative, chosen)
    return chosen


def may_be(option, *choices: int) -> bool:
    """Whether ``option`` can be one of ``choices``."""
    return not isinstance(option, int) or option in choices


def shift_left(x: Value, shift) -> Value:
    """``x * 2**shift``, as wide as it gets."""
    return x.shift_left(shift) if isinstance(shift, int) else x << shift


def quotient(x: Value, shift, rounding) -> Value:
    """``x / 2**shift``, rounded."""
    floor, carry = rounded(x, shift, rounding)
    return floor + carry


def rounded(x: Value, shift, rounding) -> tuple[Value, Value]:
    """``x / 2**shift`` as its floor, and a carry that follows from the bits shifted out."""
    dropped = Cat(bit & (shift > at) for at, bit in enumerate(x)).any()
    half = (Cat(C(0, 1), x).as_signed() >> shift)[0]
    carry = choose(rounding, {Rounding.FLOOR: C(0, 1), Rounding.TOWARD_ZERO: x[-1] & dropped, Rounding.HALF_UP: half})
    return x >> shift, carry


def lessened(x: Value, floor: Value, carry: Value) -> Value:
    """``x - (floor + carry)`` in one carry chain, as wide as ``x``: for a quotient of ``x``, which is no larger."""
    return (Cat(C(1, 1), x) + Cat(~carry, ~floor))[1 : len(x) + 1].as_signed()


def decay_product(x: Value, decay) -> Value:
    """``x * (4096 - decay)``: the first half of a multiplicative decay."""
    return x * ((1 << DECAY_BITS) - decay)


def overflow(mode, x: Value, bits: int) -> Value:
    """``x`` in a register of ``bits`` bits: clipped symmetrically, or reduced modulo ``2**bits``."""
    if len(x) < bits:
        x = (x + C(0, signed(bits)))[:bits].as_signed()
    return choose(mode, {Overflow.SATURATE: saturate(x, bits), Overflow.WRAP: x[:bits].as_signed()})


def saturate(x: Value, bits: int) -> Value:
    """``x`` clipped to ``-(2**(bits - 1) - 1) .. 2**(bits - 1) - 1``."""
    low, high = x[: bits - 1], x[bits - 1 :]
    above = ~x[-1] & high.any()
    below = x[-1] & ~(high.all() & low.any())
    limit = (1 << (bits - 1)) - 1
    return Mux(above, limit, Mux(below, -limit, x[:bits].as_signed()))


def fires(x: Value, threshold, compare) -> Value:
    """``x > threshold`` or ``x >= threshold``."""
    return choose(compare, {Compare.GT: x > threshold, Compare.GE: x >= threshold})


def next_refractory(refractory: Value, spike: Value, ticks) -> Value:
    """``max(ticks - 1, 0)`` after a spike, else one less than before, down to 0."""
    after_spike = max(ticks - 1, 0) if isinstance(ticks, int) else ticks - ticks.any()
    return Mux(spike, after_spike, refractory - refractory.any())
