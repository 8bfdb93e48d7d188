"""The full store: every event makes its bank walk all groups, from the row that its axon's number gives."""

import numpy as np

from neurogen.spec.config import CoreConfig

from . import dense
from .dense import lead_cycles, read_cycles, sum_cycles

__all__ = ["NAME", "Store", "lead_cycles", "lookup_cycles", "read_cycles", "sum_cycles"]

NAME = "full"


def lookup_cycles(config: CoreConfig) -> int:
    return 0


class Store(dense.Store):
    """See the package."""

    def _read(self) -> None:
        core, nodes = self.core, self.tables.nodes
        self.base = np.tile(np.arange(core.axons) // core.banks * core.groups, nodes)
        self.range = np.zeros_like(self.base)
        self.first = np.zeros((nodes, 1), dtype=np.int64)
        self.last = np.full_like(self.first, core.groups - 1)
