"""Reads back what was loaded: every word of every memory that an image has a say in."""

from dataclasses import dataclass

import numpy as np

from ..spec import words as layouts
from ..spec.image import Image
from ..spec.words import Command
from . import codec


@dataclass(frozen=True)
class Difference:
    """A 16-bit word of a core's memory that is not the image's. ``got`` is None where there was no answer."""

    core: int
    address: int
    word: int
    expected: int
    got: int | None


def words(image: Image) -> np.ndarray:
    """Commands that read everything that ``codec.load`` writes, in its order."""
    config, parts = image.config, []
    largest = layouts.commands(config)[Command.READ]["count"].range[1]
    for core, address, block in image.config_writes():
        parts += [codec.target(config, core), codec.command(config, Command.SETADDR, address=address)]
        counts = [min(largest, len(block) - at) for at in range(0, len(block), largest)]
        parts += [codec.command(config, Command.READ, count=count) for count in counts]
    return np.concatenate(parts)


def compare(image: Image, data: np.ndarray) -> Difference | None:
    """Hold the data of the REPLY records against the image: the first difference, if there is one."""
    at = 0
    for core, address, block in image.config_writes():
        found = data[at : at + len(block)]
        wrong = np.flatnonzero(found != block[: len(found)])
        if len(wrong):
            word = int(wrong[0])
            return Difference(core, address, word, int(block[word]), int(found[word]))
        if len(found) < len(block):
            return Difference(core, address, len(found), int(block[len(found)]), None)
        at += len(block)
    return None
