"""Holds what was read back against the image that was loaded."""

from ..host import readback
from ..host.codec import Records
from ..host.readback import words
from ..spec.image import Image
from .checker import Mismatch

__all__ = ["check", "words"]


def check(image: Image, records: Records) -> int:
    """Hold the answers against the image; how many words were compared. Raises Mismatch at the first difference."""
    if found := readback.compare(image, records):
        raise Mismatch(what=found.place, expected=found.expected, got=found.got)
    if len(records) != readback.size(image):
        raise Mismatch(what="words read back", expected=readback.size(image), got=len(records))
    return len(records)
