"""Linear maps between flat vectors and their exact composition, so that shared weights stay shared.

A map takes a row vector x (n_in,) to ``x M`` (n_out,). It is a matrix (n_in, n_out), a :class:`Kernel` or a
:class:`Diagonal`. ``then`` and ``plus`` keep a kernel a kernel wherever one kernel says the same, and unroll it into a
matrix elsewhere. Nothing is approximated: sums of products are computed in float64, in the order of the composition.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..spec.errors import InputError
from ..spec.kernels import Kernel

LARGEST = 1 << 27
"""Weights that a matrix may have: 1 GiB of float64."""
DIAGONAL = 1 << 20
"""Weights that a matrix may have of which only the diagonal is not 0."""


@dataclass(frozen=True, eq=False)
class Diagonal:
    """``y = x * factors``, element by element."""

    factors: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.factors), len(self.factors)

    @property
    def is_identity(self) -> bool:
        return bool(np.all(self.factors == 1))


Map = np.ndarray | Kernel | Diagonal


def identity(size: int) -> Diagonal:
    return Diagonal(np.ones(size))


def is_zero(mapping: Map) -> bool:
    """Whether a map takes everything to 0."""
    if isinstance(mapping, Diagonal):
        return not np.any(mapping.factors)
    return not np.any(mapping.weights if isinstance(mapping, Kernel) else mapping)


def dense(mapping: Map) -> np.ndarray:
    """The map as a matrix. Raises InputError where it has more weights than ``LARGEST``."""
    if isinstance(mapping, np.ndarray):
        return mapping
    _check_size(*mapping.shape)
    return np.diag(mapping.factors) if isinstance(mapping, Diagonal) else mapping.matrix.toarray()


def settled(mapping: Map, shape: tuple[int, ...]) -> np.ndarray | Kernel:
    """The map without a diagonal. One with a factor per channel of a map of ``shape`` is a kernel of one tap.

    So is any diagonal that is large: of one channel where all factors are equal, else of a channel for each.
    """
    if not isinstance(mapping, Diagonal):
        return mapping
    size = len(mapping.factors)
    if len(shape) != 3 and size * size > DIAGONAL:
        shape = (1, 1, size) if np.all(mapping.factors == mapping.factors[0]) else (size, 1, 1)
    factors = _per_channel(mapping.factors, shape) if len(shape) == 3 else None
    if factors is None:
        return dense(mapping)
    return Kernel(factors.reshape(-1, 1, 1, 1), source=shape, target=shape, groups=shape[0])


def then(first: Map, second: Map) -> Map:
    """``x -> (x first) second``. Raises InputError where the result has to be unrolled and is too large for that."""
    if isinstance(second, Diagonal):
        return _scaled(first, second.factors, axis=1)
    if isinstance(first, Diagonal):
        return _scaled(second, first.factors, axis=0)
    if isinstance(first, Kernel) and isinstance(second, Kernel):
        composed = _composed(first, second)
        if composed is not None:
            return composed
    _check_size(first.shape[0], second.shape[1])
    product = getattr(first, "matrix", first) @ getattr(second, "matrix", second)
    return product if isinstance(product, np.ndarray) else product.toarray()


def plus(first: Map, second: Map) -> Map:
    """``x -> x first + x second``. Raises InputError where the result has to be unrolled and is too large for that."""
    if isinstance(first, Diagonal) and isinstance(second, Diagonal):
        return Diagonal(first.factors + second.factors)
    for one, other in ((first, second), (second, first)):
        if isinstance(one, Kernel) and isinstance(other, Diagonal) and one.source == one.target:
            first, second = one, settled(other, one.source)
    kernels = isinstance(first, Kernel) and isinstance(second, Kernel)
    if kernels and (first.source, first.target, first.stride) == (second.source, second.target, second.stride):
        return _summed(first, second)
    return dense(first) + dense(second)


def framed(
    kernel: Kernel, padding: tuple[int, int], dilation: tuple[int, int], taps: tuple[int, int], groups: int
) -> Kernel:
    """The same map in a window of ``taps`` (rows, columns) that begins ``padding`` before the source's first element.

    ``dilation`` divides the kernel's own (along an axis of several taps) and the distance between both beginnings;
    ``groups`` divides the kernel's own. What the window adds is 0.
    """
    weights = _regrouped(kernel.weights, kernel.groups, groups)
    rows, columns = (
        (padding[a] - kernel.padding[a] + np.arange(weights.shape[2 + a]) * kernel.dilation[a]) // dilation[a]
        for a in (0, 1)
    )
    window = np.zeros((*weights.shape[:2], *taps), weights.dtype)
    window[:, :, rows[:, None], columns] = weights
    return replace(kernel, weights=window, padding=padding, dilation=dilation, groups=groups)


def _check_size(rows: int, columns: int) -> None:
    if rows * columns > LARGEST:
        raise InputError(
            f"its shared weights would be unrolled to {rows} x {columns}, more than {LARGEST} weights; pad and stride"
            " so that no row or column is dropped, or put a neuron between"
        )


def _per_channel(factors: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The factor of every channel, or None where the elements of one channel differ."""
    by_channel = factors.reshape(shape[0], -1)
    return by_channel[:, 0] if np.all(by_channel == by_channel[:, :1]) else None


def _scaled(mapping: Map, factors: np.ndarray, axis: int) -> Map:
    """The map with its inputs (axis 0) or outputs (axis 1) multiplied by ``factors``."""
    if isinstance(mapping, Diagonal):
        return Diagonal(mapping.factors * factors)
    if np.all(factors == 1):
        return mapping
    if isinstance(mapping, Kernel):
        channel = _per_channel(factors, mapping.target if axis else mapping.source)
        if channel is not None:
            out, reads = mapping.weights.shape[:2]
            if not axis:
                first = np.arange(out)[:, None] // (out // mapping.groups) * reads
                channel = channel[first + np.arange(reads)]
            return replace(mapping, weights=mapping.weights * channel.reshape(out, -1, 1, 1))
    return dense(mapping) * (factors if axis else factors[:, None])


def _regrouped(weights: np.ndarray, groups: int, fewer: int) -> np.ndarray:
    """Weights of ``groups`` groups as those of ``fewer`` groups (a divisor): 0 between channels that did not meet."""
    merged, (out, reads, *taps) = groups // fewer, weights.shape
    if merged == 1:
        return weights
    parts = weights.reshape(fewer, merged, out // groups, reads, *taps)
    found = np.zeros((fewer, merged, out // groups, merged, reads, *taps), weights.dtype)
    for index in range(merged):
        found[:, index, :, index] = parts[:, index]
    return found.reshape(out, merged * reads, *taps)


def _summed(first: Kernel, second: Kernel) -> Kernel:
    """Two kernels of one geometry in one window that holds both."""
    both = (first, second)
    padding = tuple(max(kernel.padding[a] for kernel in both) for a in (0, 1))
    dilation, taps = [], []
    for a in (0, 1):
        steps = [kernel.dilation[a] for kernel in both if kernel.weights.shape[2 + a] > 1]
        dilation.append(math.gcd(*steps, first.padding[a] - second.padding[a]) or 1)
        ends = [k.dilation[a] * (k.weights.shape[2 + a] - 1) - k.padding[a] for k in both]
        taps.append((max(ends) + padding[a]) // dilation[a] + 1)
    groups = math.gcd(first.groups, second.groups)
    one, other = (framed(kernel, padding, tuple(dilation), tuple(taps), groups) for kernel in both)
    return replace(one, weights=one.weights + other.weights)


def _composed(first: Kernel, second: Kernel) -> Kernel | None:
    """Both kernels as one, or None where what lies between them has an edge that one kernel cannot see.

    With s, p, d the stride, padding and dilation: target y reads ``y*s1*s2 - (p2*s1 + p1) + i2*d2*s1 + i1*d1``.
    """
    if first.target != second.source or not all(_seamless(first, second, axis) for axis in (0, 1)):
        return None
    inner_taps, outer_taps = first.weights.shape[2:], second.weights.shape[2:]
    step = [second.dilation[a] * first.stride[a] for a in (0, 1)]
    dilation, window = [], []
    for a in (0, 1):
        strides = [step[a] * (outer_taps[a] > 1), first.dilation[a] * (inner_taps[a] > 1)]
        dilation.append(math.gcd(*strides) or 1)
        span = (outer_taps[a] - 1) * step[a] + (inner_taps[a] - 1) * first.dilation[a]
        window.append(span // dilation[a] + 1)
    groups = math.gcd(first.groups, second.groups)
    inner = _by_group(first, groups)
    outer = _by_group(second, groups)
    found = np.zeros((groups, outer.shape[1], inner.shape[2], *window), np.result_type(inner, outer))
    for tap in np.ndindex(outer_taps):
        rows, columns = (
            (tap[a] * step[a] + np.arange(inner_taps[a]) * first.dilation[a]) // dilation[a] for a in (0, 1)
        )
        part = np.einsum("gom,gmcij->gocij", outer[..., tap[0], tap[1]], inner, optimize=True)
        found[..., rows[:, None], columns] += part
    return Kernel(
        found.reshape(-1, *found.shape[2:]),
        source=first.source,
        target=second.target,
        stride=tuple(first.stride[a] * second.stride[a] for a in (0, 1)),
        padding=tuple(second.padding[a] * first.stride[a] + first.padding[a] for a in (0, 1)),
        dilation=tuple(dilation),
        groups=groups,
    )


def _by_group(kernel: Kernel, groups: int) -> np.ndarray:
    """Weights (groups, out / groups, in / groups, rows, columns)."""
    weights = _regrouped(kernel.weights, kernel.groups, groups)
    return weights.reshape(groups, -1, *weights.shape[1:])


def _seamless(first: Kernel, second: Kernel, axis: int) -> bool:
    """Whether every tap of ``second`` that reads outside the map between (0 there) would read 0 from the source too."""
    targets, taps = np.arange(second.target[1 + axis]), np.arange(second.weights.shape[2 + axis])
    between = targets[:, None] * second.stride[axis] - second.padding[axis] + taps * second.dilation[axis]
    outside = between[(between < 0) | (between >= first.target[1 + axis])]
    taps = np.arange(first.weights.shape[2 + axis])
    reads = outside[:, None] * first.stride[axis] - first.padding[axis] + taps * first.dilation[axis]
    return not np.any((reads >= 0) & (reads < first.source[1 + axis]))
