"""How large one unit of weight is: one scale per target population, shared by all projections that reach it."""

from collections.abc import Sequence

import numpy as np

CANDIDATES = 200
_SAME = 1e-5  # what float32 and gains may leave between two equal weights, as a part of them
_ON_GRID = 1e-3  # and between a weight and its place on a grid, as a part of a step
_GRID_DIVISORS = range(1, 5)  # the least gap of a grid's values is usually its step, sometimes a few

Group = tuple[np.ndarray, int]
"""The magnitudes of one projection's weights that are not 0, and the largest integer for them."""


def largest(bits: int) -> int:
    """The largest weight of ``bits`` bits, in a symmetric range. One bit is the sign alone: -1 or 1."""
    return (1 << (bits - 1)) - 1 if bits > 1 else 1


def rounded(weights: np.ndarray, scale: float, bits: int) -> np.ndarray:
    """Integers, clipped to the range of ``bits`` bits. With one bit only synapses that do not exist are 0."""
    limit = largest(bits)
    if bits == 1:
        return np.sign(weights).astype(np.int64)
    return np.rint(np.clip(weights / scale, -limit, limit)).astype(np.int64)


def scale_of(weights: Sequence[np.ndarray], bits: Sequence[int], clip: str, percentile: float) -> float | None:
    """The float value of one unit of weight for the projections of one population; None where all weights are 0.

    Weights that already are integers times some step, and fit, keep it: nothing is lost. Else they are clipped at their
    maximum, at a percentile of their magnitudes, or where the sum of squared differences to the rounded weights is
    least (the best of 200 scales).
    """
    groups = [(np.abs(w[w != 0]), b) for w, b in zip(weights, bits, strict=True)]
    groups = [(magnitudes, b) for magnitudes, b in groups if len(magnitudes)]
    if not groups:
        return None
    if all(b > 1 for _, b in groups):
        exact = grid(groups)
        if exact is not None:
            return exact
    top = max(float(magnitudes.max()) / largest(b) for magnitudes, b in groups)
    if clip == "max":
        return top
    if clip == "percentile":
        return max(float(np.percentile(magnitudes, percentile)) / largest(b) for magnitudes, b in groups)
    candidates = [*(top * np.linspace(1.0, 0.1, CANDIDATES)), *(float(m.mean()) for m, b in groups if b == 1)]
    return float(min(candidates, key=lambda scale: sum(_error(m, scale, b) for m, b in groups)))


def grid(groups: Sequence[Group]) -> float | None:
    """The finest step that all magnitudes are multiples of, as large ones as fit; None if there is none that fits."""
    found = np.unique(np.concatenate([magnitudes for magnitudes, _ in groups]))
    gaps = np.diff(found, prepend=0.0)
    gap = gaps[gaps > _SAME * found].min()
    for divisor in _GRID_DIVISORS:
        levels = np.rint(found * divisor / gap)
        step = float(found @ levels / (levels @ levels))
        if np.abs(found / step - levels).max() < _ON_GRID:
            room = min(largest(bits) * step / magnitudes.max() for magnitudes, bits in groups) * (1 + _SAME)
            return step / int(room) if room >= 1 else None
    return None


def _error(magnitudes: np.ndarray, scale: float, bits: int) -> float:
    """The sum of squared differences to the rounded weights."""
    return float(np.square(magnitudes - scale * rounded(magnitudes, scale, bits)).sum())
