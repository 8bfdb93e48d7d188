"""How wide the integers of an update get: a neuron model's own step, run once on intervals instead of arrays.

NumPy hands every function that it is asked to apply to an :class:`Interval` back to it, so the bound is on what the
code really computes: every operand and every intermediate result, for all states, inputs and parameters at once.
"""

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from neurogen.spec import neurons as spec_neurons
from neurogen.spec.fixed import signed_range, unsigned_range

from . import fixed

TYPES = (np.int16, np.int32, np.int64)
"""What a step may run in, from the narrowest."""

_MONOTONIC = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "left_shift": operator.lshift,
    "right_shift": operator.rshift,
    "minimum": min,
    "maximum": max,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}
"""Functions of two integers that go one way in each of them, so that their extremes are at the corners."""


class Interval(NDArrayOperatorsMixin):
    """The integers ``low`` to ``high``; a truth value is 0 or 1. ``met`` gathers the ends of all that there ever were.

    ``ndim`` is 0 for an option on which all neurons agree.
    """

    def __init__(self, low: int, high: int, met: set[int], ndim: int = 1):
        self.low, self.high, self.met, self.ndim = int(low), int(high), met, ndim
        met |= {self.low, self.high}

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return self._apply(ufunc.__name__, inputs) if method == "__call__" and not options else NotImplemented

    def __array_function__(self, function, types, inputs, options):
        return self._apply(function.__name__, inputs) if not options else NotImplemented

    def __int__(self):
        if self.low != self.high:
            raise TypeError("a step must not branch on what is not the same for all neurons")
        return self.low

    def __bool__(self):
        return int(self) != 0

    def any(self) -> bool:
        """Whether a value other than 0 is possible."""
        return self.low != 0 or self.high != 0

    def _apply(self, name: str, inputs: tuple) -> "Interval":
        if name == "choose":
            inputs = inputs[1]
        values = [x if isinstance(x, Interval) else Interval(x, x, self.met, ndim=0) for x in inputs]
        if name in _MONOTONIC:
            x, y = values
            ends = [_MONOTONIC[name](a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
            return Interval(min(ends), max(ends), self.met)
        return getattr(self, f"_{name}")(*values)

    def _choose(self, *values):
        return Interval(min(x.low for x in values), max(x.high for x in values), self.met)

    def _where(self, _, x, y):
        return self._choose(x, y)

    def _clip(self, x, low, high):
        return np.minimum(np.maximum(x, low), high)

    def _bitwise_and(self, x, y):
        """A mask that is not negative bounds the result; otherwise it has no more bits than the operands."""
        masks = [value.high for value in (x, y) if value.low >= 0]
        half = 1 << max(value.bit_length() for value in (x.low, x.high, y.low, y.high))
        return Interval(0, min(masks), self.met) if masks else Interval(-half, half - 1, self.met)

    def _equal(self, x, y):
        if x.low == x.high == y.low == y.high:
            return Interval(1, 1, self.met)
        return Interval(0, x.low <= y.high and y.low <= x.high, self.met)

    def _not_equal(self, x, y):
        return 1 - self._equal(x, y)


def narrowest(model: ModuleType, parameters: Mapping, widths: Mapping[str, int], largest: int) -> type:
    """The narrowest type in which ``model``'s step is exact from every state, for inputs of -``largest``..``largest``.

    ``parameters`` are integers or arrays, as ``step`` takes them. int64 where nothing narrower is proved to do.
    """
    ends = tuple(
        (name, int(x.min()), int(x.max()), 1) if fixed.is_array(x) else (name, x, x, 0)
        for name, x in parameters.items()
    )
    return _narrowest(model.NAME, model.step, ends, tuple(widths.items()), largest, TYPES)


@lru_cache(maxsize=1024)
def _narrowest(name: str, step: Callable, parameters: tuple, widths: tuple, largest: int, types: tuple) -> type:
    met: set[int] = set()
    bits = dict(widths)
    state = {
        register.name: Interval(*(signed_range if register.signed else unsigned_range)(bits[register.name]), met)
        for register in spec_neurons.model(name).STATE
    }
    known = {key: Interval(low, high, met, ndim) for key, low, high, ndim in parameters}
    after, _ = step(state, known, Interval(-largest, largest, met), bits)
    stays = all(state[key].low <= x.low and x.high <= state[key].high for key, x in after.items())
    fitting = [t for t in types if np.iinfo(t).min <= min(met) and max(met) <= np.iinfo(t).max]
    return fitting[0] if stays and fitting else np.int64
