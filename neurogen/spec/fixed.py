"""The fixed-point vocabulary: names and ranges, never arithmetic.

Every state is a signed two's-complement integer. ``saturate`` clips *symmetrically*, to
-(2**(n-1) - 1) .. 2**(n-1) - 1, as Loihi does: negation is then exact and no value is favoured. ``wrap`` is reduction
modulo 2**n into the signed range.
"""

from enum import IntEnum


class Rounding(IntEnum):
    """How a quotient by a power of two becomes an integer."""

    FLOOR = 0
    TOWARD_ZERO = 1
    HALF_UP = 2  # floor(x + 1/2)


class Overflow(IntEnum):
    """What happens to a value that its register cannot hold."""

    SATURATE = 0
    WRAP = 1


class Compare(IntEnum):
    """Which membrane potential fires against the threshold."""

    GT = 0
    GE = 1


class Reset(IntEnum):
    """What a spike does to the membrane potential."""

    NONE = 0
    SUBTRACT = 1  # v - threshold
    ZERO = 2  # v = reset_value (0 unless said otherwise)


class ResetTiming(IntEnum):
    """When a spike's reset is applied."""

    SAME_STEP = 0
    DELAYED = 1  # in the next update, from the stored membrane (snnTorch's default)
    SNNTORCH_IMMEDIATE = 2  # snnTorch with reset_delay=False


class Leak(IntEnum):
    """How the stored membrane decays in one step."""

    NONE = 0
    SHIFT = 1  # v - round(v / 2**leak_shift)
    MULTIPLY = 2  # round(v * (4096 - decay) / 4096)


DECAY_BITS = 12
"""Multiplicative decays are fractions of 2**12, Loihi's convention: ``dec(x, d) = round(x * (4096 - d) / 4096)``."""


def signed_range(bits: int) -> tuple[int, int]:
    """Smallest and largest integer of a two's-complement register of ``bits`` bits."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def unsigned_range(bits: int) -> tuple[int, int]:
    return 0, (1 << bits) - 1


def signed_bits_for(low: int, high: int) -> int:
    """Width of the narrowest two's-complement register that holds both ``low`` and ``high``."""
    return max((-low - 1).bit_length() if low < 0 else low.bit_length(), (~high if high < 0 else high).bit_length()) + 1


def index_bits(count: int) -> int:
    """Bits of an index into ``count`` things: 0 for one thing."""
    return max(count - 1, 0).bit_length()
