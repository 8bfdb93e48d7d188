"""Synapse stores: what turns the sequencer's steps into sums. One module each, found by a scan."""

import sys
from functools import cache
from types import ModuleType

from amaranth.hdl import Shape, signed
from amaranth.lib import data

from ...spec.config import CoreConfig
from ...spec.fixed import index_bits
from ...spec.registry import scan


@cache
def stores() -> dict[str, ModuleType]:
    """Every synapse store's module, by name."""
    return scan(sys.modules[__name__])


def step_layout(core: CoreConfig) -> data.StructLayout:
    """What the sequencer asks of a store in one clock: a row of every enabled bank, all for one group."""
    payload = Shape(core.payload_bits, signed=core.payload_signed)
    bank = data.StructLayout({"enable": 1, "row": index_bits(core.rows), "payload": payload})
    return data.StructLayout({"valid": 1, "group": core.group_bits, "banks": data.ArrayLayout(bank, core.banks)})


def sums_layout(core: CoreConfig) -> data.StructLayout:
    """What a store delivers in one clock: one addend for every neuron of a group."""
    lanes = data.ArrayLayout(signed(core.accumulator_bits), core.lanes)
    return data.StructLayout({"valid": 1, "group": core.group_bits, "lanes": lanes})
