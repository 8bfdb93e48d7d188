"""Synapse stores: how a core keeps its synapses and finds those of an event, as tables.

A store is one module here, one in ``golden.synapses`` and one in ``rtl.synapses``. All cores of a fabric have the same.

Every module defines ``NAME``, ``SUMMARY``, ``WALK`` (text: the synapses that an event reaches, in order) and of a core

    axon(core)      layout of an axon row
    walk(core)      layout of a row of the table in registers that axon rows may name; None where there is none
    walks(core)     rows of that table
    synapse(core)   layout of one lane of a synapse row; ``weight`` comes first
"""

import sys
from functools import cache
from types import ModuleType

from ..registry import pick, scan


@cache
def stores() -> dict[str, ModuleType]:
    """Every synapse store's specification module, by name."""
    return scan(sys.modules[__name__])


def store(name: str) -> ModuleType:
    """The specification of one store. Raises InputError, naming the stores that exist."""
    return pick(stores(), name, "synapse store")
