"""The memories that hold the image."""

from amaranth.lib.memory import Memory

from ..spec.config import CoreConfig

NO_CHECK = {"no_rw_check": 1}
"""Attributes of a memory whose user never looks at what is read in the clock of a write to the same row."""

EMPTY_STYLE = "huge"
"""The ``ram_style`` by which Yosys knows SPRAM. What is emitted gives such a memory no contents at power-up."""


def synapse_memory(core: CoreConfig, *, width: int, rows: int, init: list[int]) -> Memory:
    """The memory of one bank of synapse rows. One in SPRAM has to be read and written at one address in all clocks.

    Raises ValueError for contents that SPRAM is to have at power-up.
    """
    if not core.starts_empty:
        return image_memory(core, width=width, rows=rows, init=init)
    if len(init):
        raise ValueError(f"synapses in SPRAM are loaded; they cannot be there at power-up, as {len(init)} rows should")
    return Memory(shape=width, depth=rows, init=[], attrs={"ram_style": EMPTY_STYLE})


def image_memory(core: CoreConfig, *, width: int, rows: int, init: list[int]) -> Memory:
    """The memory of one table of the image; in block RAM where its contents are to be exchanged in a bitstream."""
    attributes = {"ram_style": "block"} if core.image_memories == "block" else {}
    return Memory(shape=width, depth=core.table_rows(rows), init=init, attrs=attributes)
