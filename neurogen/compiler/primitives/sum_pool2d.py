"""SumPool2d: the sum of every window of every channel; what lies outside is 0."""

import numpy as np

from ...spec.kernels import Kernel
from .records import Record
from .windows import pooling

NAME = "SumPool2d"
KIND = "map"
KEYS = ("kernel_size", "stride")


def takes(record: Record) -> tuple[None, None, None]:
    return None, None, None


def shape(record: Record, taken) -> tuple[int, int, int] | None:
    return None if taken is None else (taken[0], *pooling(record).over(taken[1:]))


def apply(record: Record, taken) -> tuple[Kernel, None]:
    window = pooling(record)
    return window.kernel(np.ones((taken[0], 1, *window.taps)), taken, groups=taken[0]), None
