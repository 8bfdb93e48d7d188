"""Synapse stores: what turns axon events into addends for the accumulators. One module each, found by a scan.

A module defines ``NAME`` and ``Store(config, axons_init, walks_init, synapses_init, stalls)``, a component with

    heads : In(stream of axon, payload), K     events of each bank, local axon indices
    addends : Out(addend_layout), any number   copies x columns; the columns of a copy have all lanes together
    busy : Out(1)                              an event or a walk is inside
    walking : Out(1)                           a walk takes this clock; its addends come ``latency_cycles`` later
    event_count, row_count : Out               events taken and rows read in a clock, somewhat later
    axons_port, walks_port, synapses_port      In(MemoryPort), those of the regions that exist

and the attributes ``copies``, ``latency_cycles`` and ``repeats``: whether a column may have addends for one group in
consecutive clocks. Nothing can hold up the addends. A store that knows an addend's group as its walk begins has also

    reaches : Out(groups)                      the group of the walk in this clock

and ``knows_groups`` is true.
"""

import sys
from functools import cache
from types import ModuleType

from amaranth.hdl import Shape, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ...spec import memory_map
from ...spec.config import CoreConfig, FabricConfig
from ...spec.fixed import index_bits
from ...spec.memory_map import Region
from ...spec.registry import scan
from ..memory_port import MemoryPort, owner_port

REGIONS = (Region.AXONS, Region.WALKS, Region.SYNAPSES)


@cache
def stores() -> dict[str, ModuleType]:
    """Every synapse store's module, by name."""
    return scan(sys.modules[__name__])


def payload_shape(core: CoreConfig) -> Shape:
    return Shape(core.payload_bits, signed=core.payload_signed)


def addend_layout(core: CoreConfig, lanes: int) -> data.StructLayout:
    """What is added to the sums of one group, on all lanes or on some of them."""
    values = data.ArrayLayout(signed(core.accumulator_bits), lanes)
    return data.StructLayout({"valid": 1, "group": core.group_bits, "lanes": values})


def head_layout(core: CoreConfig) -> data.StructLayout:
    """An event of one bank."""
    return data.StructLayout({"axon": index_bits(core.bank_axons), "payload": payload_shape(core)})


def signature(config: FabricConfig, columns: int, lanes: int) -> dict:
    """The members of a store whose addends are ``columns`` of ``lanes`` lanes."""
    core, shapes = config.core, memory_map.shapes(config)
    return {
        "heads": In(stream.Signature(head_layout(core))).array(core.banks),
        "addends": Out(addend_layout(core, lanes)).array(columns),
        "busy": Out(1),
        "walking": Out(1),
        "event_count": Out(range(core.banks + 1)),
        "row_count": Out(range(core.banks + 1)),
    } | {owner_port(region): In(MemoryPort(shapes[region])) for region in REGIONS if region in shapes}
