"""Reads back what was loaded: every word of every memory that an image has a say in."""

from dataclasses import dataclass

import numpy as np

from ..spec import words as layouts
from ..spec.fields import bits_to_ints
from ..spec.image import Image
from ..spec.words import Command, Register, Response
from . import codec
from .codec import Records


@dataclass(frozen=True)
class Difference:
    """A 16-bit word of a core's memory, or a row of the encoder's table, that is not the image's.

    ``got`` is None where there was no answer.
    """

    place: str
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
    if config.encoder:
        entry = codec.peek(config, Register.ENTRY)
        parts += [codec.poke(config, Register.ENTRY_ROW, 0), *[entry] * config.encoder.entries]
    return np.concatenate(parts)


def size(image: Image) -> int:
    """Records that :func:`words` are answered with."""
    encoder = image.config.encoder
    return sum(len(block) for *_, block in image.config_writes()) + (encoder.entries if encoder else 0)


def compare(image: Image, records: Records) -> Difference | None:
    """Hold the answers against the image: the first difference, if there is one."""
    data, at = records.of(Response.REPLY).value, 0
    for core, address, block in image.config_writes():
        if wrong := _first(block, data[at : at + len(block)], f"core {core}, memory at {address:#x}, word"):
            return wrong
        at += len(block)
    if image.config.encoder:
        expected = np.array(bits_to_ints(image.entry_bits()))
        return _first(expected, records.of(Response.PEEKED).extra[: len(expected)], "encoder's table, row")
    return None


def _first(expected: np.ndarray, found: np.ndarray, where: str) -> Difference | None:
    wrong = np.flatnonzero(found != expected[: len(found)])
    if len(wrong):
        at = int(wrong[0])
        return Difference(f"{where} {at}", int(expected[at]), int(found[at]))
    if len(found) < len(expected):
        return Difference(f"{where} {len(found)}", int(expected[len(found)]), None)
    return None
