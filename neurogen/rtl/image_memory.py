"""The memories that hold the image."""

from amaranth.lib.memory import Memory

from ..spec.config import CoreConfig


def image_memory(core: CoreConfig, *, width: int, rows: int, init: list[int]) -> Memory:
    """The memory of one table of the image; in block RAM where its contents are to be exchanged in a bitstream."""
    attributes = {"ram_style": "block"} if core.image_memories == "block" else {}
    return Memory(shape=width, depth=core.table_rows(rows), init=init, attrs=attributes)
