"""Packets of the mesh: one flit each, one field table for each kind.

A flit begins with ``kind`` and ``host``. With ``host`` = 1 it goes to the host port; otherwise to every core of the
rectangle x0..x1, y0..y1 (inclusive). The host port hangs on the north side of router (0, 0).
"""

from enum import IntEnum
from functools import cache

from .config import FabricConfig
from .fields import WORD_BITS, Field, Layout


class Kind(IntEnum):
    """What a packet is. 6 and 7 are reserved."""

    SPIKE = 0  # to a core: an axon event for a slot. To the host: output line fired
    VALUE = 1  # to the host: the value of an output line. Unused to a core: a graded event is a SPIKE
    WRITE = 2  # one 16-bit word to the core's address register, which increments
    SETADDR = 3
    READ = 4  # answered by `count` REPLYs; the address register increments with each
    REPLY = 5


KIND_BITS = 3


@cache
def header(config: FabricConfig) -> Layout:
    """What every flit starts with."""
    return Layout(
        "flit",
        (
            Field("kind", KIND_BITS, "packet kind"),
            Field("host", 1, "1: to the host port; 0: to the rectangle of cores"),
        ),
    )


@cache
def rectangle(config: FabricConfig) -> Layout:
    """The cores that receive a packet."""
    return Layout(
        "rectangle",
        (
            Field("x0", config.x_bits, "westmost column"),
            Field("x1", config.x_bits, "eastmost column, >= x0"),
            Field("y0", config.y_bits, "northmost row"),
            Field("y1", config.y_bits, "southmost row, >= y0"),
        ),
    )


@cache
def to_core(config: FabricConfig) -> dict[Kind, Layout]:
    """Flits with host = 0, by kind."""
    # Imported here because the width of an address follows from the memory map, which follows from the configuration.
    from .memory_map import address_bits

    core = config.core
    bodies = {
        Kind.SPIKE: (
            Field("axon", core.axon_bits, "axon at every core of the rectangle"),
            Field("slot", core.slot_bits, "absolute slot, (tick + delay) mod D"),
            Field("payload", core.payload_bits, "graded payload; 1 where the width is 0", core.payload_signed),
        ),
        Kind.WRITE: (Field("data", WORD_BITS, "word to write"),),
        Kind.SETADDR: (Field("address", address_bits(config), "new value of the address register"),),
        Kind.READ: (Field("count", WORD_BITS, "words to read, at least 1"),),
    }
    common = header(config).fields + rectangle(config).fields
    return {kind: Layout(f"flit.{kind.name}", common + body) for kind, body in bodies.items()}


@cache
def to_host(config: FabricConfig) -> dict[Kind, Layout]:
    """Flits with host = 1, by kind."""
    line = Field("line", config.line_bits, "output line")
    bodies = {Kind.SPIKE: (line,), Kind.REPLY: (Field("data", WORD_BITS, "word that was read"),)}
    if config.core.values:
        value = Field("value", config.core.value_bits, "membrane potential after the update", signed=True)
        bodies[Kind.VALUE] = (line, value)
    common = header(config).fields
    return {kind: Layout(f"flit.host.{kind.name}", common + body) for kind, body in bodies.items()}


@cache
def flit_bits(config: FabricConfig) -> int:
    """Width of a flit: that of its widest kind."""
    return max(layout.width for layouts in (to_core(config), to_host(config)) for layout in layouts.values())
