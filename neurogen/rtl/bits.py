"""One-hot arithmetic: find the lowest set bit, number it, select by it."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth import *
from amaranth.hdl import ValueLike

from ..spec.fixed import index_bits


def lowest(bits: Value) -> Value:
    """The lowest set bit of ``bits`` alone, one-hot; 0 if none is set."""
    return Cat(bit & ~bits[:i].any() for i, bit in enumerate(bits))


def encode(onehot: Value) -> Value:
    """Index of the set bit of a one-hot value; 0 if none is set."""
    digits = range(index_bits(len(onehot)))
    return Cat(Cat(bit for i, bit in enumerate(onehot) if i >> digit & 1).any() for digit in digits)


def select(onehot: Value, values: Sequence[ValueLike]) -> Value:
    """The one of ``values`` whose bit is set in ``onehot``, without its sign; 0 if none is set."""
    gated = (
        Value.cast(value) & bit.replicate(len(Value.cast(value))) for bit, value in zip(onehot, values, strict=True)
    )
    return reduce(or_, gated)
