"""The sparse store: lists of rows whose lanes name their groups."""

import numpy as np

from neurogen.spec.errors import InputError

from .side_by_side import SideBySide, expand, lead_cycles, lookup_cycles, read_cycles, sum_cycles

__all__ = ["NAME", "Store", "lead_cycles", "lookup_cycles", "read_cycles", "sum_cycles"]

NAME = "sparse"


class Store(SideBySide):
    """See the package."""

    def __init__(self, tables):
        super().__init__(tables, tables.axon_column("count"))
        tables.check_axons((self.counts > 0) & (self.base + self.counts > self.core.rows))
        for index, core in enumerate(tables.image.cores):
            if (core.targets["group"][core.synapses != 0] >= self.core.groups).any():
                raise InputError(f"core {index}: a synapse is for a group beyond {self.core.groups - 1}")

    def synapses(self, axons):
        owner, step = expand(self.counts[axons])
        axon, row = axons[owner], self.base[axons[owner]] + step
        weights = self.tables.synapse_rows(axon, row)
        group = np.where(weights != 0, self.tables.synapse_rows(axon, row, "group"), 0)
        return weights, group + self.tables.axon_core[axon, None] * self.core.groups, owner

    def touching(self, weights):
        return weights != 0
