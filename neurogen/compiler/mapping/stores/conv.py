"""Kernels whose rows the axons of a bank share, beside rows of weights for projections that are no kernels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ....spec.config import CoreConfig
from ....spec.image import CoreImage
from ....spec.kernels import Kernel
from ....spec.network import Network, Projection
from ..layout import Box, Chunk, Layout, MapLayout, map_layouts
from ..links import Link, Segment, neighbours, reached
from ..walks import KernelRows, Walk, kernel_rows
from . import Served, own_rows, set_axons

NAME = "conv"


def layouts(network: Network, population: str, core: CoreConfig) -> Iterator[Layout | MapLayout]:
    """A map where a kernel arrives: the one with the most synapses says how it is shaped."""
    kernels = [p for p in network.incoming(population) if isinstance(p.weights, Kernel)]
    if kernels:
        shape = max(kernels, key=lambda p: p.synapses).weights.target
        yield from map_layouts(population, shape, core.lanes)
    else:
        yield Layout(population, network.population(population).size, core.lanes)


def arrange(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Chunk]:
    return chunks


@dataclass(frozen=True, eq=False)
class KernelSegment(Segment):
    """Groups that a kernel reaches: a chunk that is a box of its target."""

    rows: KernelRows

    def walk(self, neurons: np.ndarray) -> Walk:
        return self.rows.walk(neurons, self.chunks[0].box)

    def steps(self, neurons: np.ndarray) -> np.ndarray:
        walk = self.walk(neurons)
        return walk.lines * walk.length

    def kinds(self, neurons: np.ndarray) -> np.ndarray:
        return self.walk(neurons).block


def segments(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Segment]:
    """What reaches one core: kernels chunk by chunk; for all else neighbouring chunks of one link share an axon."""
    found: list[Segment] = []
    for link in network_links:
        maps = [chunk for chunk in chunks if _is_kernel(link, chunk)]
        for chunk in maps:
            rows = kernel_rows(link.projections[chunk.population].weights, core.lanes, chunk.box.blocks)
            found.append(KernelSegment(link, chunk.group, chunk.last, (chunk,), rows.reached(chunk.box), rows))
        rest = [chunk for chunk in chunks if chunk not in maps]
        found += [Segment(*span, reached(link, span[-1])) for span in neighbours(rest, [link])]
    return [segment for segment in found if segment.reached.any()]


def _is_kernel(link: Link, chunk: Chunk) -> bool:
    weights = link.projections[chunk.population].weights if chunk.population in link.projections else None
    return isinstance(weights, Kernel) and chunk.box is not None and weights.target == chunk.box.shape


class Plan:
    """The memories of one core: in every bank the blocks of kernel rows that its axons need, once, and other rows."""

    def __init__(self, served: list[Served], core: CoreConfig):
        self.rows = np.zeros(core.banks, dtype=np.int64)
        self.geometries: dict[tuple[int, int], int] = {}
        self.blocks: dict[tuple[KernelRows, int, int], int] = {}  # (rows, bank, block) -> first synapse row
        self.own: list[tuple[Served, np.ndarray]] = []
        self.axons: list[tuple[np.ndarray, dict[str, np.ndarray | int]]] = []
        for item in served:
            if isinstance(item.segment, KernelSegment):
                self._add_kernel(item, core)
            else:
                self._add_own(item)

    def _add_own(self, item: Served) -> None:
        segment = item.segment
        base = own_rows(self.rows, item.axons, segment.steps(item.neurons))
        self.own.append((item, base))
        length = segment.last - segment.first + 1
        self.axons.append((item.axons, {"base": base, "first": segment.first, "length": length, "lines": 1}))

    def _add_kernel(self, item: Served, core: CoreConfig) -> None:
        rows, walk = item.segment.rows, item.segment.walk(item.neurons)
        banks = item.axons % core.banks
        pairs, pair = np.unique(np.stack([banks, walk.block]), axis=1, return_inverse=True)
        start = np.array([self._block(rows, int(bank), int(block)) for bank, block in pairs.T])
        strides, stride = np.unique(np.where(walk.lines > 1, walk.row_stride, 0), return_inverse=True)
        geometry = np.array([self._geometry(int(rows), walk.group_stride) for rows in strides])
        columns = {
            "base": start[pair.ravel()] + walk.skip,
            "first": item.segment.first + walk.first,
            "length": walk.length,
            "lines": walk.lines,
            "geometry": geometry[stride.ravel()],
        }
        self.axons.append((item.axons, columns))

    def _block(self, rows: KernelRows, bank: int, block: int) -> int:
        """The first synapse row of a block in a bank, where it is put when it is first asked for."""
        if (rows, bank, block) not in self.blocks:
            lines, groups, _ = rows.row_blocks[block].shape
            self.blocks[rows, bank, block] = int(self.rows[bank])
            self.rows[bank] += lines * groups
        return self.blocks[rows, bank, block]

    def _geometry(self, row_stride: int, group_stride: int) -> int:
        """The number of a geometry; a single line (a stride of 0) takes any."""
        return self.geometries.setdefault((row_stride, group_stride), len(self.geometries)) if row_stride else 0

    @property
    def walks(self) -> int:
        return len(self.geometries)

    def write(self, image: CoreImage, core: CoreConfig) -> None:
        for (row_stride, group_stride), row in self.geometries.items():
            image.walks["row_stride"][row], image.walks["group_stride"][row] = row_stride, group_stride
        for axons, columns in self.axons:
            set_axons(image.axons, axons, **columns)
        for (rows, bank, block), start in self.blocks.items():
            weights = rows.row_blocks[block].reshape(-1, core.lanes)
            image.synapses[bank, start : start + len(weights)] = weights
        for item, base in self.own:
            at = base[:, None] + np.arange(item.segment.last - item.segment.first + 1)
            image.synapses[(item.axons % core.banks)[:, None], at] = item.segment.weights(item.neurons, core.lanes)


def check(image: CoreImage, core: CoreConfig) -> str | None:
    """What is wrong with a core's axon rows, synapse rows and geometries, or None."""
    axons = image.axons
    geometry = np.minimum(axons["geometry"], core.geometries - 1)
    further, length = axons["lines"] - 1, axons["length"]
    end = axons["base"] + further * image.walks["row_stride"][geometry] + length
    last = axons["first"] + further * image.walks["group_stride"][geometry] + length
    wrong = (axons["geometry"] >= core.geometries) | (further < 0) | (end > core.rows) | (last > core.groups)
    bad = np.argwhere(wrong & (length > 0))
    if len(bad):
        bank, local = bad[0]
        return f"axon {local * core.banks + bank} walks over synapse rows or groups that do not exist"
    return None


def notes(plans: list[Plan]) -> list[str]:
    axons = sum(len(numbers) for plan in plans for numbers, _ in plan.axons)
    return [f"{sum(int(plan.rows.sum()) for plan in plans)} synapse rows for {axons} axons"]


def rows(projection: Projection, core: CoreConfig) -> int:
    """Synapse rows that a projection takes: a kernel's blocks, in every bank if there are fewer of them than banks."""
    if not isinstance(projection.weights, Kernel):
        return int(np.count_nonzero(projection.fan_out)) * -(-projection.shape[1] // core.lanes)
    box = Box.whole(projection.weights.target, core.lanes)
    blocks = kernel_rows(projection.weights, core.lanes, box.blocks).row_blocks
    copies = core.banks if len(blocks) < core.banks else 1
    return copies * sum(lines * groups for lines, groups, _ in (block.shape for block in blocks))
