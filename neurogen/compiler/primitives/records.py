"""Reading a node's record: whole numbers, pairs, values for every element. No primitive of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...spec.errors import InputError

Record = Mapping[str, Any]


def numbers(record: Record, key: str) -> np.ndarray:
    """The key's values in float64, in their own shape."""
    return np.asarray(record[key], dtype=float)


def whole(record: Record, key: str, count: int, default: int, least: int) -> tuple[int, ...]:
    """``count`` whole numbers of at least ``least``; one number stands for all of them."""
    values = np.ravel(record.get(key, default))
    numeric = values.dtype.kind in "iuf" and len(values) in (1, count)
    if not numeric or not np.all(np.isfinite(values)) or np.any(values != np.round(values)):
        raise InputError(
            f"{key} is {count if count > 1 else 'a'} whole number{'s' * (count > 1)}, not {_shown(values)}"
        )
    if np.any(values < least):
        raise InputError(f"{key} is at least {least}, not {_shown(values)}")
    found = tuple(int(value) for value in values)
    return found * count if len(found) == 1 else found


def spread(values: np.ndarray, taken: tuple[int, ...], key: str) -> np.ndarray:
    """Values for every element of a map of shape ``taken``, flat (n,): one, one for each or each channel, or what
    broadcasts."""
    size = int(np.prod(taken))
    if values.size in (1, size):
        return np.broadcast_to(values.ravel(), (size,))
    if len(taken) == 3 and values.shape == taken[:1]:
        return np.repeat(values, taken[1] * taken[2])
    try:
        return np.broadcast_to(values, taken).ravel()
    except ValueError:
        raise InputError(f"{key} has {_size(values.shape)} values for {_size(taken)}") from None


def _size(shape: tuple[int, ...]) -> str:
    size = str(int(np.prod(shape)))
    return size if len(shape) < 2 else f"{size} ({' x '.join(map(str, shape))})"


def _shown(values: np.ndarray) -> str:
    return ", ".join(str(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")
