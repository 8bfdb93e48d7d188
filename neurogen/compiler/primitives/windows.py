"""Windows that slide over maps: what convolutions and pooling share. No primitive of its own."""

from dataclasses import dataclass

import numpy as np

from ...spec.errors import InputError
from ...spec.kernels import Kernel
from .records import Record, numbers, whole


@dataclass(frozen=True)
class Window:
    """Taps, stride, padding (before and behind) and dilation, each (vertical, horizontal)."""

    taps: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int] = (1, 1)

    def over(self, extent: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns that the window puts out; what does not fill a window at the end is dropped."""
        found = tuple(
            (extent[a] + sum(self.padding[a]) - self.dilation[a] * (self.taps[a] - 1) - 1) // self.stride[a] + 1
            for a in (0, 1)
        )
        if min(found) < 1 or min(extent) < 1:
            raise InputError(f"a window of {_by(self.taps)} does not fit into {_by(extent)} with its padding")
        return found

    def kernel(self, weights: np.ndarray, source: tuple[int, int, int], groups: int) -> Kernel:
        """``weights`` (out, in / groups, rows, columns) under this window."""
        return Kernel(
            weights,
            source=source,
            target=(len(weights), *self.over(source[1:])),
            stride=self.stride,
            padding=(self.padding[0][0], self.padding[1][0]),
            dilation=self.dilation,
            groups=groups,
        )


def pooling(record: Record) -> Window:
    """The window of a pooling node."""
    taps = whole(record, "kernel_size", 2, 1, least=1)
    padding = whole(record, "padding", 2, 0, least=0)
    return Window(taps, whole(record, "stride", 2, 1, least=1), tuple((p, p) for p in padding))


def convolution(record: Record, axes: int) -> tuple[np.ndarray, Window, int]:
    """Weights (out, in / groups, rows, columns), window and groups of a convolution over 1 or 2 axes."""
    weights = numbers(record, "weight")
    if weights.ndim != 2 + axes or not weights.size:
        taps = ("taps", "rows, columns")[axes - 1]
        raise InputError(f"weight has shape {weights.shape}, not (out, in / groups, {taps})")
    weights = weights.reshape(*weights.shape[:2], *(1,) * (2 - axes), *weights.shape[2:])
    groups = whole(record, "groups", 1, 1, least=1)[0]
    if len(weights) % groups:
        raise InputError(f"{groups} groups do not divide {len(weights)} output channels")
    stride = (1, 1)[axes:] + whole(record, "stride", axes, 1, least=1)
    dilation = (1, 1)[axes:] + whole(record, "dilation", axes, 1, least=1)
    return (
        weights,
        Window(weights.shape[2:], stride, _padding(record, axes, weights.shape[2:], stride, dilation), dilation),
        groups,
    )


def _padding(record: Record, axes: int, taps, stride, dilation) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding before and behind. ``same`` puts the larger half behind, as PyTorch does."""
    said = record.get("padding", 0)
    if not isinstance(said, str):
        before = (0, 0)[axes:] + whole(record, "padding", axes, 0, least=0)
        return tuple((p, p) for p in before)
    if said not in ("same", "valid"):
        raise InputError(f"padding is same, valid or whole numbers, not {said!r}")
    if said == "valid":
        return (0, 0), (0, 0)
    if stride != (1, 1):
        raise InputError("padding 'same' with a stride is not defined; give the padding in numbers")
    spans = [dilation[a] * (taps[a] - 1) for a in (0, 1)]
    return tuple((span // 2, span - span // 2) for span in spans)


def bias(record: Record, target: tuple[int, int, int]) -> np.ndarray | None:
    """A bias per channel, for every element of the target; None where there is none."""
    if "bias" not in record:
        return None
    values = numbers(record, "bias").ravel()
    if values.size not in (1, target[0]):
        raise InputError(f"bias has {values.size} values for {target[0]} channels")
    return np.repeat(np.broadcast_to(values, target[:1]), target[1] * target[2])


def _by(extent: tuple[int, int]) -> str:
    return f"{extent[0]} x {extent[1]}"
