"""A kernel as synapse rows: for each kind of source pixel the rows of weights of the groups that its events reach.

Along one direction a source at position p reaches target t by tap k where ``t * stride + k * dilation = p + padding``.
The targets of all sources whose ``p + padding`` agree modulo the stride (times the pixels of a group) lie alike, so
they share their rows: at most ``stride`` kinds of lines and ``stride * pixels`` kinds of columns for each source
channel. What a border cuts off is left out of the walk.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import gcd

import numpy as np

from ...spec.kernels import Kernel
from .layout import Box, pixels_per_group


class Axis:
    """One direction of a kernel. ``pixels`` neighbouring targets are one cell; None: one each, in steps.

    Kind q reaches cells ``first[q] + step * n``, n < ``count[q]``, shifted by the source's position; ``taps[q]`` are
    its (tap, n, pixel in the cell).
    """

    def __init__(self, taps: int, stride: int, padding: int, dilation: int, pixels: int | None):
        self.padding, self.kinds = padding, stride * (pixels or 1)
        self.step = 1 if pixels else dilation // gcd(stride, dilation)
        self.first, self.count = np.zeros((2, self.kinds), dtype=np.int64)
        self.taps: list[list[tuple[int, int, int]]] = []
        for kind in range(self.kinds):
            reach = [(kind - tap * dilation, tap) for tap in range(taps)]
            found = [(*divmod(at // stride, pixels or 1), tap) for at, tap in reach if at % stride == 0]
            if found:
                self.first[kind] = min(found)[0]
                self.count[kind] = (max(found)[0] - self.first[kind]) // self.step + 1
            self.taps.append([(tap, (cell - self.first[kind]) // self.step, pixel) for cell, pixel, tap in found])

    def walk(self, positions: np.ndarray, low: int, high: int) -> tuple[np.ndarray, ...]:
        """For sources at ``positions``: kind, cells skipped before ``low``, the first cell, cells below ``high``."""
        shift, kind = np.divmod(positions + self.padding, self.kinds)
        start = self.first[kind] + shift
        skipped = np.maximum(0, -((start - low) // self.step))
        stop = np.minimum(self.count[kind], -((start - high) // self.step))
        return kind, skipped, start + skipped * self.step, np.maximum(0, stop - skipped)


@dataclass(frozen=True, eq=False)
class Walk:
    """Where events of some source neurons go, one entry each: ``block`` of rows, ``skip`` rows in it, then

    ``lines`` lines of ``length`` groups from group ``first`` of the box, ``row_stride`` and ``group_stride`` apart.
    """

    block: np.ndarray
    skip: np.ndarray
    first: np.ndarray
    length: np.ndarray
    lines: np.ndarray
    row_stride: np.ndarray
    group_stride: int


class KernelRows:
    """The synapse rows of a kernel for boxes of its target with certain ``blocks`` of channels."""

    def __init__(self, kernel: Kernel, lanes: int, blocks: tuple[int, int]):
        self.kernel, self.lanes, self.first_block = kernel, lanes, blocks[0]
        self.pixels, self.blocks = pixels_per_group(kernel.target, lanes), blocks[1] - blocks[0]
        down, across = (
            (kernel.weights.shape[2 + axis], kernel.stride[axis], kernel.padding[axis], kernel.dilation[axis])
            for axis in (0, 1)
        )
        self.down, self.across = Axis(*down, pixels=None), Axis(*across, pixels=self.pixels)

    @cached_property
    def _weights(self) -> np.ndarray:
        """(source channels, blocks, lanes of one pixel, rows, columns): every tap, 0 outside a channel's group."""
        kernel = self.kernel
        out, reads, height, width = kernel.weights.shape
        full = np.zeros((kernel.groups, reads, kernel.groups, out // kernel.groups, height, width), dtype=np.int64)
        each = np.arange(kernel.groups)
        full[each, :, each] = kernel.weights.reshape(kernel.groups, -1, reads, height, width).swapaxes(1, 2)
        full = full.reshape(kernel.source[0], out, height, width)
        if self.pixels > 1:
            return full[:, None]
        start = self.first_block * self.lanes
        found = np.zeros((len(full), self.blocks * self.lanes, height, width), dtype=np.int64)
        part = full[:, start : start + self.blocks * self.lanes]
        found[:, : part.shape[1]] = part
        return found.reshape(len(full), self.blocks, self.lanes, height, width)

    @cached_property
    def _used_blocks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per source channel: whether it has weights here, and the first and last block that has."""
        used = self._weights.any(axis=(2, 3, 4))
        return used.any(axis=1), used.argmax(axis=1), self.blocks - 1 - used[:, ::-1].argmax(axis=1)

    @cached_property
    def _table(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Different blocks of rows (lines, groups, lanes), and the number of each channel's and kind's."""
        number = np.zeros((self.kernel.source[0], self.down.kinds, self.across.kinds), dtype=np.int64)
        found: dict[tuple, int] = {}
        blocks: list[np.ndarray] = []
        _, low, high = self._used_blocks
        for kinds in np.ndindex(number.shape[1:]):
            rows = self._rows(*kinds)
            for channel, lines in enumerate(rows):
                groups = lines[:, low[channel] : lines.shape[1] - (self.blocks - 1 - high[channel])]
                key = (groups.shape, groups.tobytes())
                if key not in found:
                    found[key] = len(blocks)
                    blocks.append(groups)
                number[(channel, *kinds)] = found[key]
        return blocks, number

    def _rows(self, down: int, across: int) -> np.ndarray:
        """(source channels, lines, groups, lanes) of one kind of pixel."""
        lines, cells = int(self.down.count[down]), int(self.across.count[across])
        rows = np.zeros((len(self._weights), lines, cells, self.blocks, self.lanes), dtype=np.int64)
        width = self._weights.shape[2]
        for i, line, _ in self.down.taps[down]:
            for j, cell, pixel in self.across.taps[across]:
                rows[:, line, cell, :, pixel * width : (pixel + 1) * width] = self._weights[..., i, j]
        return rows.reshape(len(rows), lines, cells * self.blocks, self.lanes)

    @property
    def row_blocks(self) -> list[np.ndarray]:
        """Different blocks of rows, (lines, groups, lanes) each."""
        return self._table[0]

    def reached(self, box: Box) -> np.ndarray:
        """(n_source,) bool: an event of the neuron walks over some group of ``box``."""
        rows, columns = (np.arange(size) for size in self.kernel.source[1:])
        down, across = self.down.walk(rows, *box.lines)[-1] > 0, self.across.walk(columns, *box.columns)[-1] > 0
        return (self._used_blocks[0][:, None, None] & down[:, None] & across).ravel()

    def walk(self, neurons: np.ndarray, box: Box) -> Walk:
        """The walks of source ``neurons`` over ``box``."""
        channel, y, x = np.unravel_index(neurons, self.kernel.source)
        down, skipped_lines, line, lines = self.down.walk(y, *box.lines)
        across, skipped_cells, cell, cells = self.across.walk(x, *box.columns)
        _, low, high = self._used_blocks
        extra = (high - low)[channel] + 1
        row_stride = (self.across.count[across] - 1) * self.blocks + extra
        columns = box.extent[1]
        return Walk(
            block=self._table[1][channel, down, across],
            skip=skipped_lines * row_stride + skipped_cells * self.blocks,
            first=((line - box.lines[0]) * columns + cell - box.columns[0]) * self.blocks + low[channel],
            length=(cells - 1) * self.blocks + extra,
            lines=lines,
            row_stride=row_stride,
            group_stride=self.down.step * columns * self.blocks,
        )


@lru_cache(maxsize=256)
def kernel_rows(kernel: Kernel, lanes: int, blocks: tuple[int, int]) -> KernelRows:
    """The rows of a kernel, made once."""
    return KernelRows(kernel, lanes, blocks)
