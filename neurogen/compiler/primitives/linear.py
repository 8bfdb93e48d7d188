"""Linear: ``y = W x``, W (n_out, n_in)."""

import numpy as np

NAME = "Linear"
KIND = "map"
KEYS = ("weight",)


def size_in(record) -> int:
    return record["weight"].shape[-1]


def weights(record, size: int) -> np.ndarray:
    return np.asarray(record["weight"], dtype=float).T


def bias(record) -> None:
    return None
