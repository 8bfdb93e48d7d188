"""Delay: ``y(t) = x(t - tau)``, element by element."""

import numpy as np

from ...spec.errors import InputError
from .records import Record, numbers, spread

NAME = "Delay"
KIND = "delay"
KEYS = ("delay",)


def takes(record: Record) -> tuple[int, ...] | None:
    delay = numbers(record, "delay")
    return (delay.size,) if delay.size > 1 and delay.ndim == 1 else None


def shape(record: Record, taken):
    if taken is None and numbers(record, "delay").size > 1:
        return numbers(record, "delay").shape
    return taken


def delays(record: Record, taken) -> np.ndarray:
    values = spread(numbers(record, "delay"), taken, "delay")
    if np.any(values < 0):
        raise InputError(f"delay is 0 or more, not {values.min():g}")
    return values
