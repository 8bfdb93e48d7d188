"""Shared weights: a convolution between two maps of neurons, kept as its kernel instead of as a matrix."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from scipy import sparse

Shape = tuple[int, int, int]
"""Channels, rows, columns; neuron ``(c * rows + y) * columns + x``. One-dimensional maps have one row."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """``I[o, y, x] = sum over c, i, j of weights[o, c, i, j] * s[g + c, y * stride - padding + i * dilation, ...]``.

    ``weights`` (channels_out, channels_in / groups, rows, columns), of integers or of floats. Output channel o reads
    the channels of its group, ``g = o // (channels_out / groups) * channels_in / groups`` and following. ``stride``,
    ``padding`` (before the first row, before the first column) and ``dilation`` are (vertical, horizontal). What lies
    outside the source map is 0, so the padding behind follows from ``target``. Raises InputError if shapes disagree.
    """

    weights: np.ndarray
    source: Shape
    target: Shape
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self):
        out, reads = self.weights.shape[:2] if self.weights.ndim == 4 else (0, 0)
        fits = out == self.target[0] and reads * self.groups == self.source[0] and out % self.groups == 0
        if not out or not fits:
            raise InputError(
                f"a kernel of shape {self.weights.shape} with {self.groups} groups does not take {self.source[0]}"
                f" channels to {self.target[0]}"
            )
        if len(self.source) != 3 or len(self.target) != 3 or min(*self.source, *self.target) < 1:
            raise InputError(f"a kernel joins maps of channels, rows and columns, not {self.source} and {self.target}")
        if min(*self.stride, *self.dilation, self.groups) < 1:
            raise InputError(f"stride {self.stride}, dilation {self.dilation} and groups {self.groups} are at least 1")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_source, n_target): that of the matrix."""
        return int(np.prod(self.source)), int(np.prod(self.target))

    def _reads(self, axis: int) -> np.ndarray:
        """(taps, n_target, n_source) bool, along the rows (0) or the columns (1): a tap of a target reads a source."""
        taps, targets, sources = (
            np.arange(n) for n in (self.weights.shape[2 + axis], self.target[1 + axis], self.source[1 + axis])
        )
        read = targets * self.stride[axis] - self.padding[axis] + taps[:, None] * self.dilation[axis]
        return read[..., None] == sources

    @cached_property
    def fan_out(self) -> np.ndarray:
        """(n_source,) synapses whose weight is not 0, without unrolling."""
        out, reads, height, width = self.weights.shape
        taps = (self.weights != 0).reshape(self.groups, out // self.groups, reads, height, width).sum(axis=1)
        taps = taps.reshape(-1, height, width)
        return np.einsum("cij,iy,jx->cyx", taps, self._reads(0).any(axis=1), self._reads(1).any(axis=1)).ravel()

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """(n_target,) sums of every neuron's incoming ``weights``, of the kernel's shape, without unrolling."""
        taps = weights.sum(axis=1)
        return np.einsum("oij,iy,jx->oyx", taps, self._reads(0).any(axis=2), self._reads(1).any(axis=2)).ravel()

    @cached_property
    def matrix(self) -> "sparse.csr_array":
        """The same projection unrolled, (n_source, n_target); only what is not 0 is kept."""
        from scipy import sparse  # slow to import, and needed only where there are kernels

        out, reads = self.weights.shape[:2]
        o, c, i, j = (index.ravel() for index in np.indices(self.weights.shape))
        values, channel = self.weights.ravel(), o // (out // self.groups) * reads + c
        entries = []
        for y in range(self.target[1]):
            from_y = y * self.stride[0] - self.padding[0] + i * self.dilation[0]
            for x in range(self.target[2]):
                from_x = x * self.stride[1] - self.padding[1] + j * self.dilation[1]
                inside = (from_y >= 0) & (from_y < self.source[1]) & (from_x >= 0) & (from_x < self.source[2])
                sources = (channel * self.source[1] + from_y) * self.source[2] + from_x
                targets = (o * self.target[1] + y) * self.target[2] + x
                entries.append((values[inside], sources[inside], targets[inside]))
        found, sources, targets = (np.concatenate(column) for column in zip(*entries, strict=True))
        matrix = sparse.csr_array((found, (sources, targets)), shape=self.shape)
        matrix.eliminate_zeros()
        return matrix

    @cached_property
    def columns(self) -> "sparse.csc_array":
        """The matrix, stored by target."""
        return self.matrix.tocsc()
