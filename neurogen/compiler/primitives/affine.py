"""Affine: ``y = W x + b``, W (n_out, n_in)."""

import numpy as np

from .linear import size_in, weights

__all__ = ["KEYS", "KIND", "NAME", "bias", "size_in", "weights"]

NAME = "Affine"
KIND = "map"
KEYS = ("weight", "bias")


def bias(record) -> np.ndarray:
    return np.ravel(np.asarray(record["bias"], dtype=float))
