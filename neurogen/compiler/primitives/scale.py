"""Scale: ``y = s * x``, element by element."""

from ..linear import Diagonal
from .records import Record, numbers, spread

NAME = "Scale"
KIND = "map"
KEYS = ("scale",)


def takes(record: Record) -> tuple[int, ...] | None:
    scale = numbers(record, "scale")
    return (scale.size,) if scale.size > 1 and scale.ndim == 1 else None


def shape(record: Record, taken):
    if taken is None and numbers(record, "scale").size > 1:
        return numbers(record, "scale").shape
    return taken


def apply(record: Record, taken) -> tuple[Diagonal, None]:
    return Diagonal(spread(numbers(record, "scale"), taken, "scale")), None
