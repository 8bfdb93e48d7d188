"""Holds what was read back against the image that was loaded."""

from ..host import readback
from ..host.codec import Records
from ..host.readback import words
from ..spec.image import Image
from ..spec.words import Response
from .checker import Mismatch

__all__ = ["check", "words"]


def check(image: Image, records: Records) -> int:
    """Hold the answers against the image; how many words were compared. Raises Mismatch at the first difference."""
    expected = sum(len(block) for _, _, block in image.config_writes())
    found = readback.compare(image, records.of(Response.REPLY).value)
    if found:
        raise Mismatch(what=f"word {found.word} of the memory at {found.address:#x}", core=found.core,
                       expected=found.expected, got=found.got)  # fmt: skip
    if len(records) != expected:
        raise Mismatch(what="words read back", expected=expected, got=len(records))
    return expected
