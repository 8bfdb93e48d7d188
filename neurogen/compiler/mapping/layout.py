"""How a population's neurons lie on groups and lanes, and where they may be cut into chunks.

A population that kernels reach is a *map*. Its pixels lie line by line; the channels of a pixel fill the lanes of one
group, or of several *blocks* of lanes; where there are fewer channels than lanes, neighbouring columns share a group.
So one synapse row of a kernel serves one group, and the pixels that an event reaches are lines of consecutive groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...spec.kernels import Shape


@dataclass(frozen=True)
class Box:
    """Part of a map: ``blocks`` of channels, ``lines`` and ``columns`` (of groups), each (start, stop)."""

    shape: Shape
    lanes: int
    blocks: tuple[int, int]
    lines: tuple[int, int]
    columns: tuple[int, int]

    @classmethod
    def whole(cls, shape: Shape, lanes: int) -> "Box":
        blocks, columns = -(-shape[0] // lanes), -(-shape[2] // pixels_per_group(shape, lanes))
        return cls(shape, lanes, (0, blocks), (0, shape[1]), (0, columns))

    @property
    def extent(self) -> tuple[int, int, int]:
        """Lines, columns and blocks."""
        lines, columns, blocks = (stop - start for start, stop in (self.lines, self.columns, self.blocks))
        return lines, columns, blocks

    @cached_property
    def slots(self) -> np.ndarray:
        """(groups, lanes) neuron of the map on each lane, -1 where there is none; groups by line, column and block."""
        channels, rows, columns = self.shape
        pixels = pixels_per_group(self.shape, self.lanes)
        line, column, block, lane = np.ix_(
            range(*self.lines), range(*self.columns), range(*self.blocks), range(self.lanes)
        )
        if pixels == 1:
            channel, x = block * self.lanes + lane, column
            exists = channel < channels
        else:
            channel, x = lane % channels, column * pixels + lane // channels
            exists = (lane < pixels * channels) & (x < columns)
        neuron = (channel * rows + line) * columns + x
        return np.where(exists, neuron, -1).reshape(-1, self.lanes)


def pixels_per_group(shape: Shape, lanes: int) -> int:
    """Neighbouring pixels of a line that share a group."""
    return max(1, min(lanes // shape[0], shape[2]))


@dataclass(frozen=True, eq=False)
class Chunk:
    """Neurons of a population from group ``group`` of a core on: ``slots`` (groups, lanes), -1 where there is none.

    ``core`` counts logical cores, and nodes once they are placed. ``box`` says which part of a map it is.
    """

    population: str
    slots: np.ndarray
    core: int
    group: int
    box: Box | None = None

    @property
    def groups(self) -> int:
        return len(self.slots)

    @property
    def last(self) -> int:
        """The last group."""
        return self.group + self.groups - 1

    @property
    def count(self) -> int:
        return len(self.places)

    @cached_property
    def places(self) -> np.ndarray:
        """Slots that hold a neuron, counted from the chunk's first."""
        return np.flatnonzero(self.slots.ravel() >= 0)

    @cached_property
    def neurons(self) -> np.ndarray:
        """The neurons in the order of ``places``."""
        return self.slots.ravel()[self.places]

    def place_of(self, neurons: np.ndarray) -> np.ndarray:
        """The slot of each of ``neurons``, -1 where it is not here."""
        places = np.full(max(int(self.neurons.max()), int(neurons.max(initial=0))) + 1, -1)
        places[self.neurons] = self.places
        return places[neurons]


@dataclass(frozen=True)
class Layout:
    """Neurons in the population's order, to be cut anywhere. Units of cutting are neurons."""

    population: str
    units: int
    lanes: int

    @property
    def groups(self) -> int:
        return -(-self.units // self.lanes)

    def fit(self, first: int, room: int) -> int:
        """How many units from ``first`` on fit ``room`` slots in one chunk."""
        return min(self.units - first, room)

    def fewer(self, count: int) -> int:
        """A smaller count to try: whole groups, about half of them; 0 at the end."""
        return 0 if count <= self.lanes else -(-count // self.lanes) // 2 * self.lanes

    def chunk(self, first: int, count: int, core: int, group: int) -> Chunk:
        slots = np.full(-(-count // self.lanes) * self.lanes, -1)
        slots[:count] = np.arange(first, first + count)
        return Chunk(self.population, slots.reshape(-1, self.lanes), core, group)


@dataclass(frozen=True)
class MapLayout:
    """A map in bands of lines. Units of cutting are the lines of ``boxes``, one box after the other."""

    population: str
    boxes: tuple[Box, ...]

    @property
    def units(self) -> int:
        return sum(box.extent[0] for box in self.boxes)

    @property
    def groups(self) -> int:
        return sum(len(box.slots) for box in self.boxes)

    def _box(self, unit: int) -> tuple[Box, int]:
        """The box of a unit, and its line there."""
        for box in self.boxes:
            if unit < box.extent[0]:
                return box, box.lines[0] + unit
            unit -= box.extent[0]
        raise IndexError(unit)

    def fit(self, first: int, room: int) -> int:
        """How many units from ``first`` on fit ``room`` slots in one chunk."""
        box, line = self._box(first)
        slots = box.slots[: box.extent[1] * box.extent[2]].ravel()  # of one line
        spare = len(slots) - 1 - int(np.flatnonzero(slots >= 0)[-1])
        return min(box.lines[1] - line, max(0, room + spare) // len(slots))

    def fewer(self, count: int) -> int:
        """A smaller count to try, 0 at the end."""
        return count // 2

    def chunk(self, first: int, count: int, core: int, group: int) -> Chunk:
        whole, line = self._box(first)
        box = Box(whole.shape, whole.lanes, whole.blocks, (line, line + count), whole.columns)
        return Chunk(self.population, box.slots, core, group, box)


def map_layouts(population: str, shape: Shape, lanes: int) -> Iterator[MapLayout]:
    """The map in ever smaller boxes: in strips of columns, then in single blocks of channels as well."""
    whole = Box.whole(shape, lanes)
    _, columns, blocks = whole.extent
    for strips in range(1, columns + 1):
        yield MapLayout(population, tuple(_cut(whole, strips, 1)))
    for layers in range(2, blocks + 1):
        yield MapLayout(population, tuple(_cut(whole, columns, layers)))


def _cut(whole: Box, strips: int, layers: int) -> Iterator[Box]:
    """``strips`` x ``layers`` boxes of nearly equal size."""
    _, columns, blocks = whole.extent
    for layer in range(layers):
        for strip in range(strips):
            yield Box(
                whole.shape,
                whole.lanes,
                (blocks * layer // layers, blocks * (layer + 1) // layers),
                whole.lines,
                (columns * strip // strips, columns * (strip + 1) // strips),
            )
