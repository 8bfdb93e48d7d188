"""How the configuration unit reaches a memory that some block owns."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec.fixed import index_bits
from ..spec.memory_map import Region, Shape

READ_CYCLES = 3
"""Clocks from ``read`` to the clock in which ``read_data`` may be sampled. It holds until the next read or tick."""


def owner_port(region: Region) -> str:
    """Name of the port that the memory's owner offers."""
    return f"{region.name.lower()}_port"


class MemoryPort(wiring.Signature):
    """Rows of one region, from the configuration unit's side. Used only while the core is idle between ticks.

    Parameters
    ----------
    shape : :class:`~neurogen.spec.memory_map.Shape`
        Extent of the region.

    Members
    -------
    bank, row : Out
        Which row.
    write : Out(1)
        Write ``write_data`` to the row at this clock edge.
    read : Out(1)
        Fetch the row: ``read_data`` is valid ``READ_CYCLES`` clocks later.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        super().__init__(
            {
                "bank": Out(index_bits(shape.banks)),
                "row": Out(index_bits(shape.rows)),
                "write": Out(1),
                "write_data": Out(shape.width),
                "read": Out(1),
                "read_data": In(shape.width),
            }
        )
