"""The conv store: rows of shared kernels, and lines of groups that they reach."""

import numpy as np

from .side_by_side import SideBySide, expand, lead_cycles, lookup_cycles, read_cycles, sum_cycles

__all__ = ["NAME", "Store", "lead_cycles", "lookup_cycles", "read_cycles", "sum_cycles"]

NAME = "conv"


class Store(SideBySide):
    """See the package."""

    def __init__(self, tables):
        self.first, self.length, self.lines = map(tables.axon_column, ("first", "length", "lines"))
        super().__init__(tables, self.length * self.lines)
        walk = (tables.axon_core, tables.axon_column("geometry"))
        self.row_stride = tables.column("walks", "row_stride")[walk]
        self.group_stride = tables.column("walks", "group_stride")[walk]
        reaches = self.counts > 0
        row, group = (
            start + (self.lines - 1) * stride + self.length - 1
            for start, stride in ((self.base, self.row_stride), (self.first, self.group_stride))
        )
        tables.check_axons((self.length > 0) & (self.lines == 0), "it has no lines")
        tables.check_axons(reaches & (row >= self.core.rows))
        tables.check_axons(reaches & (group >= self.core.groups), f"it reaches beyond group {self.core.groups - 1}")

    def synapses(self, axons):
        owner, step = expand(self.counts[axons])
        axon = axons[owner]
        line, place = np.divmod(step, self.length[axon])
        row = self.base[axon] + line * self.row_stride[axon] + place
        group = self.first[axon] + line * self.group_stride[axon] + place
        group += self.tables.axon_core[axon] * self.core.groups
        return self.tables.synapse_rows(axon, row), group[:, None], owner

    def touching(self, weights):
        return np.ones((len(weights), 1), dtype=bool)
