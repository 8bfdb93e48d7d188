"""Every memory, state and counter of a core, as addresses of 16-bit words.

An address is ``region | bank | row | word`` from the top, each field as wide as the widest need. A row of w bits
takes ceil(w / 16) words, least significant first; the address register skips from a row's last word to the next row's
first. A row is written when its last word arrives.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from . import rows
from .config import FabricConfig
from .fields import Field, Layout, row_words
from .fixed import index_bits


class Region(IntEnum):
    """One kind of memory."""

    STATUS = 0  # counters and flags, read only: see Status
    AXONS = 1  # banked
    SYNAPSES = 2  # banked
    WALKS = 3  # the ranges or geometries that axon rows name; see the synapse store
    GROUPS = 4
    NEURONS = 5  # per-neuron parameters; a row holds update_lanes neurons
    STATE = 6  # a row holds update_lanes neurons
    POINTERS = 7
    ROUTES = 8


REGION_BITS = 4


class Status(IntEnum):
    """Rows of the STATUS region: 32 bits each (two words)."""

    HOPS = 0  # flits that this node's router sent out, all five ports; read first, before the replies count too
    EVENTS = 1  # axon events taken from slots
    ROWS = 2  # synapse rows read; times lanes = synaptic operations
    UPDATES = 3  # group updates of working groups; times lanes = neuron updates
    SPIKES = 4  # neurons that fired
    PACKETS = 5  # packets sent along routes
    COLLISIONS = 6  # events that found their (slot, axon) taken: always 0 in a valid image
    INTEGRATE_CYCLES = 7  # clocks that walks over synapse rows took
    UPDATE_CYCLES = 8  # clocks in which the update unit took neurons
    FRESH = 9  # and following rows, 32 groups each: bit g set while group g still has its initial state


COUNTERS = tuple(status for status in Status if status is not Status.FRESH)
STATUS_BITS = 32


@dataclass(frozen=True)
class Shape:
    """Extent of one region: ``banks`` x ``rows`` rows of ``width`` bits."""

    banks: int
    rows: int
    width: int

    @property
    def words(self) -> int:
        """16-bit words per row."""
        return row_words(self.width)


@cache
def shapes(config: FabricConfig) -> dict[Region, Shape]:
    """Extent of every region; a region whose rows have no bits is left out."""
    core = config.core
    units, walk = core.groups * core.subgroups, rows.walk(config)
    found = {
        Region.STATUS: Shape(1, len(COUNTERS) + -(-core.groups // STATUS_BITS), STATUS_BITS),
        Region.AXONS: Shape(core.banks, core.bank_axons, rows.axon(config).width),
        Region.SYNAPSES: Shape(core.banks, core.rows, core.lanes * rows.synapse(config).width),
        Region.WALKS: Shape(1, core.walks, walk.width if walk else 0),
        Region.GROUPS: Shape(1, core.groups, rows.group(config).width),
        Region.NEURONS: Shape(1, units, core.update_lanes * core.neuron.parameter_layout.width),
        Region.STATE: Shape(1, units, core.update_lanes * core.neuron.state_layout.width),
        Region.POINTERS: Shape(1, core.groups * core.lanes, rows.pointer(config).width),
        Region.ROUTES: Shape(1, core.routes, rows.route_bits(config)),
    }
    return {region: shape for region, shape in found.items() if shape.width}


def bits(config: FabricConfig) -> dict[Region, int]:
    """Size of every memory of the image and of the state, all cores together."""
    found = {region: shape for region, shape in shapes(config).items() if region is not Region.STATUS}
    return {region: config.nodes * shape.banks * shape.rows * shape.width for region, shape in found.items()}


@cache
def address(config: FabricConfig) -> Layout:
    """The address register of a core."""
    extents = shapes(config).values()
    return Layout(
        "address",
        (
            Field("word", index_bits(max(shape.words for shape in extents)), "word of the row"),
            Field("row", index_bits(max(shape.rows for shape in extents)), "row of the bank"),
            Field("bank", index_bits(max(shape.banks for shape in extents)), "bank, in banked regions"),
            Field("region", REGION_BITS, "memory"),
        ),
    )


def address_bits(config: FabricConfig) -> int:
    return address(config).width
