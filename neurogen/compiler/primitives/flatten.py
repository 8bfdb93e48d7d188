"""Flatten: the same values in row-major order, which is the order that populations count in anyway."""

import numpy as np

from ..linear import Diagonal, identity
from .records import Record

NAME = "Flatten"
KIND = "map"
KEYS = ()


def takes(record: Record) -> None:
    return None


def shape(record: Record, taken) -> tuple[int] | None:
    """One dimension, whatever start_dim says: frameworks count a batch dimension in it or do not."""
    return None if taken is None else (int(np.prod(taken)),)


def apply(record: Record, taken) -> tuple[Diagonal, None]:
    return identity(int(np.prod(taken))), None
