"""Synapse stores on a whole fabric: one module each, beside ``neurogen.spec.synapses`` and of the same stem.

A module offers ``NAME`` and ``Store(tables)``, which raises InputError where rows or groups lie outside the memories.
Axons and groups are numbered through the fabric. A store has

    sums(axons, factors, part)  (C * G, P) the sums of ``part`` of the axons' weights times ``factors`` (n,)
    work(axons)                 what their events touch, read and take (:class:`Work`)
    walks(core, axons)          clocks of the walks that one core takes one after the other (axons as it counts)
    lookup_cycles(config)       clocks in which an event's row is looked up
    sum_cycles(config)          clocks from a row of synapses to the accumulators, products aside
    lead_cycles(config)         clocks by which the update unit starts earlier, for the groups of rows are known before
    read_cycles(config)         clocks that a visit of the update unit waits for the sums, beside those of one memory
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from neurogen.spec.registry import scan

Part = Callable[[np.ndarray], np.ndarray]


@cache
def stores() -> dict[str, ModuleType]:
    """Every golden synapse store, by name."""
    return scan(sys.modules[__name__])


@dataclass(frozen=True)
class Work:
    """``touched`` (C * G,) bool; per core (C,): synapse ``rows`` read, ``cycles`` in which events are walked."""

    touched: np.ndarray
    rows: np.ndarray
    cycles: np.ndarray
