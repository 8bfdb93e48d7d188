"""Conv2d: ``y[o, i, j] = b[o] + sum over c, p, q of W[o, c, p, q] * x[c, i*stride - padding + p*dilation, ...]``."""

import numpy as np

from ...spec.kernels import Kernel
from . import windows
from .records import Record, whole

NAME = "Conv2d"
KIND = "map"
KEYS = ("weight",)


def takes(record: Record) -> tuple[int | None, ...]:
    weights, _, groups = windows.convolution(record, 2)
    extent = whole(record, "input_shape", 2, 1, least=1) if "input_shape" in record else (None, None)
    return weights.shape[1] * groups, *extent


def shape(record: Record, taken) -> tuple[int, ...] | None:
    source = taken or takes(record)
    if None in source:
        return None
    weights, window, _ = windows.convolution(record, 2)
    return len(weights), *window.over(source[1:])


def apply(record: Record, taken) -> tuple[Kernel, np.ndarray | None]:
    weights, window, groups = windows.convolution(record, 2)
    kernel = window.kernel(weights, taken, groups)
    return kernel, windows.bias(record, kernel.target)
