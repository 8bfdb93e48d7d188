"""New integers in a finished bitstream: which bit of which block RAM holds which bit of the image, and exchanging them.

A design is synthesised, placed and routed with random contents in its image's memories. A column of a block RAM holds
a slice of one column of one memory, ``SLICE_ROWS`` random bits or more, by which it is recognised: two among thousands
are equal with a probability below 2**-40. No name and no rule of the synthesis tool is relied on, and a design in
which a bit is not found is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from ..spec.config import FabricConfig
from ..spec.errors import InputError, ToolError
from ..spec.image import CoreImage, Image
from ..spec.memory_map import Region

FIXED = (Region.WALKS,)
"""Tables in flip-flops: part of the design, not of its memories' contents."""


class _Drawn(CoreImage):
    """A core whose memories hold random bits; tables in flip-flops are as they were."""

    def region_bits(self, config: FabricConfig) -> dict[Region, np.ndarray]:
        return self.__dict__["drawn"]


def drawn(image: Image, seed: int) -> Image:
    """Random bits for every memory bit of ``image``, rows beyond its own included.

    Nothing in the result depends on the image's integers but for what :func:`difference` compares. An encoder's table
    is part of the design too.
    """
    generator, cores = np.random.default_rng(seed), []
    for core in image.cores:
        cores.append(_Drawn(**vars(CoreImage.empty(image.config)) | {"walks": core.walks}))
        cores[-1].__dict__["drawn"] = {
            region: bits if region in FIXED else generator.integers(0, 2, bits.shape, dtype=np.uint8)
            for region, bits in rows_of(core, image.config).items()
        }
    inputs = (image.inputs, image.input_sizes) if image.config.encoder else ({}, {})
    return Image(
        image.config, tuple(cores), *inputs, {}, (), (), image.step_ticks, image.depth, metadata={"drawn with": seed}
    )


def rows_of(core: CoreImage, config: FabricConfig) -> dict[Region, np.ndarray]:
    """The core's rows as the hardware's memories hold them, (banks, rows, width), rows that do not exist as 0."""
    found = core.region_bits(config)
    depths = {region: config.core.table_rows(bits.shape[1]) for region, bits in found.items() if region not in FIXED}
    return {
        region: np.pad(bits, ((0, 0), (0, depths.get(region, bits.shape[1]) - bits.shape[1]), (0, 0)))
        for region, bits in found.items()
    }


def memories(image: Image) -> Iterator[np.ndarray]:
    """Every memory of the image, (rows, width), in a fixed order."""
    for core in image.cores:
        for region, banks in rows_of(core, image.config).items():
            if region not in FIXED:
                yield from banks


def contents(image: Image) -> np.ndarray:
    """All bits of :func:`memories`, one after the other."""
    return np.concatenate([memory.ravel() for memory in memories(image)])


@dataclass(frozen=True)
class Places:
    """Bit ``bits[i]`` of block RAM ``names[blocks[i]]`` holds bit ``sources[i]`` of :func:`contents`."""

    names: tuple[str, ...]
    blocks: np.ndarray
    bits: np.ndarray
    sources: np.ndarray

    def save(self, path: Path) -> None:
        np.savez_compressed(path, names=self.names, blocks=self.blocks, bits=self.bits, sources=self.sources)

    @classmethod
    def load(cls, path: Path) -> "Places":
        """Read what :meth:`save` wrote. Raises InputError if the file is not there."""
        try:
            with np.load(path) as file:
                return cls(tuple(file["names"].tolist()), *(file[key] for key in ("blocks", "bits", "sources")))
        except FileNotFoundError:
            raise InputError(f"{path}: not there; only a bitstream with its image inside can be updated") from None


def locate(family: ModuleType, routed: str, image: Image) -> Places:
    """Where the contents of ``image``, drawn at random, are in the routed design.

    Raises ToolError if a bit of it is nowhere.
    """
    tables = {rows: _slices(image, rows) for rows in {len(layout) for layout in family.LAYOUTS}}
    found = family.memories(routed)
    blocks, bits, sources = [], [], []
    for number, block in enumerate(found.values()):
        best = max((list(_matches(block, layout, tables[len(layout)])) for layout in family.LAYOUTS), key=len)
        for where, source in best:
            blocks.append(np.full(len(source), number))
            bits.append(where[: len(source)])
            sources.append(source)
    places = Places(tuple(found), *(np.concatenate(part or [np.zeros(0, int)]) for part in (blocks, bits, sources)))
    total = len(contents(image))
    missing = total - len(np.unique(places.sources))
    if missing:
        raise ToolError(f"{missing} of {total} bits of the image are in no block RAM of the routed design")
    return places


def _slices(image: Image, rows: int) -> dict[bytes, np.ndarray]:
    """For each column of each memory, in slices of ``rows`` rows padded with 0: where its bits are in the contents."""
    table, at = {}, 0
    for memory in memories(image):
        index = at + np.arange(memory.size).reshape(memory.shape)
        at += memory.size
        for first in range(0, len(memory), rows):
            part = memory[first : first + rows]
            keys = np.packbits(np.pad(part, ((0, rows - len(part)), (0, 0))), axis=0).T
            table |= {key.tobytes(): index[first : first + rows, column] for column, key in enumerate(keys)}
    return table


def _matches(block: np.ndarray, layout: np.ndarray, table: dict) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The columns of a block RAM, read by one layout, that are a slice of a memory."""
    for column, key in enumerate(np.packbits(block[layout], axis=0).T):
        if (source := table.get(key.tobytes())) is not None:
            yield layout[:, column], source


def patched(family: ModuleType, routed: str, places: Places, image: Image) -> str:
    """The routed design with the contents of ``image`` in place of those it was made with."""
    found, wanted = family.memories(routed), contents(image)
    if len(wanted) != places.sources.max(initial=-1) + 1:
        raise InputError(f"the image has {len(wanted)} bits and the bitstream has room for {places.sources.max() + 1}")
    for number, name in enumerate(places.names):
        mine = places.blocks == number
        found[name][places.bits[mine]] = wanted[places.sources[mine]]
    return family.with_memories(routed, found)


def difference(old: Image, new: Image) -> str | None:
    """What differs between two images besides memory contents, in a few words; None if nothing does."""
    if old.config != new.config:
        return "the fabric"
    for name, words in (("step_ticks", "the ticks per step"), ("depth", "the depth in ticks")):
        if getattr(old, name) != getattr(new, name):
            return f"{words} ({getattr(old, name)}, now {getattr(new, name)})"
    for before, after in zip(old.cores, new.cores, strict=True):
        if any(not np.array_equal(before.walks[key], after.walks[key]) for key in before.walks):
            return "which groups of neurons axons reach"
    if old.config.encoder and not np.array_equal(old.entry_bits(), new.entry_bits()):
        return "where the encoder's events go"
    return None
