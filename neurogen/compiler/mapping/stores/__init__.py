"""How each synapse store keeps what arrives at a core: one module for each store of ``spec.synapses``.

Every module defines ``NAME`` and

    layouts(network, population, core)  how the population may lie on lanes, the best first
    arrange(chunks, links, core)        the chunks of one core, their neurons where the store wants them
    segments(chunks, links, core)       what reaches one core
    Plan(served, core)                  the memories of one core: synapse ``rows`` used by bank, ``walks`` used, and
                                        ``write(image, core)``
    check(image, core)                  what is wrong with a core's memories, or None
    notes(plans)                        what is worth knowing of all cores' plans
    rows(projection, core)              synapse rows that a projection takes at least, were it on one core
"""

import sys
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from ....spec import synapses
from ....spec.config import CoreConfig
from ....spec.fixed import index_bits
from ....spec.network import Projection
from ....spec.registry import scan
from ..links import Segment


@cache
def stores() -> dict[str, ModuleType]:
    """The modules, by the name of their store."""
    return scan(sys.modules[__name__])


def bits(name: str, projection: Projection, core: CoreConfig) -> int:
    """Synapse and axon memory that a projection takes in a store, were it alone on one core large enough."""
    axons, rows = int(np.count_nonzero(projection.fan_out)), stores()[name].rows(projection, core)
    groups = -(-projection.shape[1] // core.lanes)
    alone = _Alone(rows, groups, index_bits(groups), core.weight_bits)
    store = synapses.store(name)
    return rows * core.lanes * store.synapse(alone).width + axons * store.axon(alone).width


@dataclass(frozen=True)
class _Alone:
    """As much of a core's configuration as the layouts of rows ask for."""

    rows: int
    groups: int
    group_bits: int
    weight_bits: int
    ranges: int = 1
    geometries: int = 2


@dataclass(frozen=True, eq=False)
class Served:
    """One axon at a core for each of the source ``neurons`` that a segment serves."""

    segment: Segment
    neurons: np.ndarray
    axons: np.ndarray


def own_rows(used: np.ndarray, axons: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The first of ``counts`` consecutive rows for each axon, in its bank, behind those in use; adds to ``used``."""
    bases = np.zeros(len(axons), dtype=np.int64)
    for bank in range(len(used)):
        mine = np.flatnonzero(axons % len(used) == bank)
        ends = used[bank] + np.cumsum(counts[mine])
        bases[mine] = ends - counts[mine]
        used[bank] += counts[mine].sum()
    return bases


def set_axons(columns: dict[str, np.ndarray], axons: np.ndarray, **values: np.ndarray | int) -> None:
    """Fill columns (banks, axons per bank) of the axon table."""
    banks = len(next(iter(columns.values())))
    for name, value in values.items():
        columns[name][axons % banks, axons // banks] = value
