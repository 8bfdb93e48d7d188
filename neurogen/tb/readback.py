"""Reads back what was loaded: every word of every memory that an image has a say in."""

import numpy as np

from ..host import codec
from ..host.codec import Records
from ..spec import words as layouts
from ..spec.image import Image
from ..spec.words import Command, Response
from .checker import Mismatch


def words(image: Image) -> np.ndarray:
    """Commands that read everything that ``codec.load`` writes, in its order."""
    config, parts = image.config, []
    largest = layouts.commands(config)[Command.READ]["count"].range[1]
    for core, address, block in image.config_writes():
        parts += [codec.target(config, core), codec.command(config, Command.SETADDR, address=address)]
        counts = [min(largest, len(block) - at) for at in range(0, len(block), largest)]
        parts += [codec.command(config, Command.READ, count=count) for count in counts]
    return np.concatenate(parts)


def check(image: Image, records: Records) -> int:
    """Hold the answers against the image; how many words were compared. Raises Mismatch at the first difference."""
    at = 0
    for core, address, block in image.config_writes():
        part = records[at : at + len(block)]
        if len(part) < len(block) or (part.kind != Response.REPLY).any():
            raise Mismatch(what="words read back", core=core, expected=len(block), got=len(part.of(Response.REPLY)))
        wrong = np.flatnonzero(part.value != block)
        if len(wrong):
            word = int(wrong[0])
            raise Mismatch(what=f"word {word} of the memory at {address:#x}", core=core, expected=int(block[word]),
                           got=int(part.value[word]))  # fmt: skip
        at += len(block)
    if at != len(records):
        raise Mismatch(what="words after the last answer", expected=0, got=len(records) - at)
    return at
