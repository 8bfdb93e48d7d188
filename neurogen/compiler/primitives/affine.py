"""Affine: ``y = W x + b``, W (n_out, n_in), b (n_out,)."""

import numpy as np

from ...spec.errors import InputError
from .linear import matrix, shape, takes
from .records import Record, numbers

__all__ = ["KEYS", "KIND", "NAME", "apply", "shape", "takes"]

NAME = "Affine"
KIND = "map"
KEYS = ("weight", "bias")


def apply(record: Record, taken) -> tuple[np.ndarray, np.ndarray]:
    weight, bias = matrix(record), numbers(record, "bias").ravel()
    if bias.size not in (1, len(weight)):
        raise InputError(f"bias has {bias.size} values for {len(weight)}")
    return weight.T, np.broadcast_to(bias, (len(weight),))
