"""AvgPool2d: the mean of every window of every channel; what lies outside is 0 and counted."""

from dataclasses import replace

import numpy as np

from ...spec.kernels import Kernel
from . import sum_pool2d
from .records import Record, whole
from .sum_pool2d import KEYS, KIND, shape, takes

__all__ = ["KEYS", "KIND", "NAME", "apply", "guess", "shape", "takes"]

NAME = "AvgPool2d"


def apply(record: Record, taken) -> tuple[Kernel, None]:
    total, _ = sum_pool2d.apply(record, taken)
    return replace(total, weights=total.weights / np.prod(total.weights.shape[2:])), None


def guess(record: Record) -> str | None:
    padded = any(whole(record, "padding", 2, 0, least=0))
    return "assumed that the padding counts in the mean, as it does in PyTorch by default" if padded else None
