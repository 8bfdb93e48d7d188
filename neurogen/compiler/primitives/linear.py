"""Linear: ``y = W x``, W (n_out, n_in)."""

import numpy as np

from ...spec.errors import InputError
from .records import Record, numbers

NAME = "Linear"
KIND = "map"
KEYS = ("weight",)


def matrix(record: Record) -> np.ndarray:
    """W without leading dimensions of one."""
    weight = numbers(record, "weight")
    if weight.ndim < 2 or np.prod(weight.shape[:-2]) != 1 or not weight.size:
        raise InputError(f"weight has shape {weight.shape}, not (n_out, n_in)")
    return weight.reshape(weight.shape[-2:])


def takes(record: Record) -> tuple[int]:
    return (matrix(record).shape[1],)


def shape(record: Record, taken) -> tuple[int]:
    return (matrix(record).shape[0],)


def apply(record: Record, taken) -> tuple[np.ndarray, None]:
    return matrix(record).T, None
