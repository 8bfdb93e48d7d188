"""Conv1d: ``y[o, i] = b[o] + sum over c, p of W[o, c, p] * x[c, i*stride - padding + p*dilation]``."""

import numpy as np

from ...spec.kernels import Kernel
from . import windows
from .records import Record, whole

NAME = "Conv1d"
KIND = "map"
KEYS = ("weight",)


def takes(record: Record) -> tuple[int | None, ...]:
    weights, _, groups = windows.convolution(record, 1)
    extent = whole(record, "input_shape", 1, 1, least=1) if "input_shape" in record else (None,)
    return weights.shape[1] * groups, *extent


def shape(record: Record, taken) -> tuple[int, ...] | None:
    source = taken or takes(record)
    if None in source:
        return None
    weights, window, _ = windows.convolution(record, 1)
    return len(weights), window.over((1, source[1]))[1]


def apply(record: Record, taken) -> tuple[Kernel, np.ndarray | None]:
    weights, window, groups = windows.convolution(record, 1)
    kernel = window.kernel(weights, (taken[0], 1, taken[1]), groups)
    return kernel, windows.bias(record, kernel.target)
