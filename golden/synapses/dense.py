"""The dense store: banks join in passes, each over one range of groups.

Where the accumulators are in block RAM, a pass that begins with the group that the one before ended with waits for a
clock.
"""

from functools import cached_property

import numpy as np

from neurogen.spec.config import CoreConfig
from neurogen.spec.errors import InputError

from . import Part, Work

NAME = "dense"


def sum_cycles(config: CoreConfig) -> int:
    """One level of adders per factor 2 of the banks."""
    return config.banks.bit_length() - 1


def lead_cycles(config: CoreConfig) -> int:
    """Its first sums are read as the last ones are written; from block RAM a clock later."""
    return 3 if config.accumulators == "distributed" else 2


def read_cycles(config: CoreConfig) -> int:
    return 0


def lookup_cycles(config: CoreConfig) -> int:
    """The axon table's."""
    return 1 + config.memory_registers


def passes(axons: np.ndarray, ranges: np.ndarray, banks: int) -> list[int]:
    """The range of every pass that one core makes over its pending axons, in order.

    ``axons`` are axon numbers, ascending, and ``ranges`` the range of each. Bank ``axon % banks`` offers its axons in
    ascending order; a pass takes the smallest range among the banks' heads, once from every bank whose head has it.
    """
    queues = [list(ranges[axons % banks == bank])[::-1] for bank in range(banks)]
    order = []
    while heads := [queue[-1] for queue in queues if queue]:
        order.append(int(min(heads)))
        for queue in queues:
            if queue and queue[-1] == order[-1]:
                queue.pop()
    return order


class Store:
    """See the package."""

    def __init__(self, tables):
        self.tables, self.core = tables, tables.image.config.core
        self._read()
        self.groups = self.last - self.first + 1  # (C, R)
        group = np.arange(self.core.groups)
        self._reaches = (self.first[..., None] <= group) & (group <= self.last[..., None])  # (C, R, G)
        self._check()

    def _read(self) -> None:
        """Where each axon's rows begin, its range, and the first and last group of the ranges."""
        tables = self.tables
        self.base, self.range = tables.axon_column("base"), tables.axon_column("range")
        self.first, self.last = tables.column("walks", "first"), tables.column("walks", "last")

    def _check(self) -> None:
        core, tables = self.core, self.tables
        for index, (first, last) in enumerate(zip(self.first, self.last, strict=True)):
            if (first > last).any() or (last >= core.groups).any():
                raise InputError(f"core {index}: a group range is not within 0..{core.groups - 1}")
        tables.check_axons(self.base + self.groups[tables.axon_core, self.range] > core.rows)

    @cached_property
    def weights(self) -> np.ndarray:
        """(C * A, G * P) signed weights, int16; 0 where an axon does not reach."""
        core, tables = self.core, self.tables
        dense = np.zeros((len(self.base), core.groups, core.lanes), dtype=np.int16)
        first = self.first[tables.axon_core, self.range]
        axon, group = np.nonzero(self._reaches[tables.axon_core, self.range])
        dense[axon, group] = tables.synapse_rows(axon, self.base[axon] + group - first[axon])
        return dense.reshape(len(dense), -1)

    @cached_property
    def _sorted(self) -> np.ndarray:
        """(C,) bool: in every bank the axons stand in the order of their ranges."""
        ranges, banks = self.range.reshape(-1, self.core.axons), self.core.banks
        return (ranges[:, banks:] >= ranges[:, :-banks]).all(axis=1)

    def sums(self, axons: np.ndarray, factors: np.ndarray | None = None, part: Part | None = None) -> np.ndarray:
        core, at = self.core, self.tables.axon_core[axons]
        sums = np.zeros((len(self.first), core.groups * core.lanes), dtype=np.int64)
        if len(axons):
            products = self.weights[axons] if factors is None else self.weights[axons] * factors[:, None]
            starts = np.flatnonzero(np.diff(at, prepend=-1))
            products = part(products) if part else products
            sums[at[starts]] = np.add.reduceat(products, starts, axis=0, dtype=np.int64)
        return sums.reshape(-1, core.lanes)

    def work(self, axons: np.ndarray) -> Work:
        core, at, ranges = self.core, self.tables.axon_core[axons], self.range[axons]
        local = axons % core.axons
        keys = (at * core.walks + ranges) * core.banks + local % core.banks
        shape = (*self.groups.shape, core.banks)
        events = np.bincount(keys, minlength=np.prod(shape)).reshape(shape)
        touched = (events.any(axis=2)[..., None] & self._reaches).any(axis=1)
        count = events.max(axis=2)
        waits = self._waits_in_order(count)
        for node in np.flatnonzero(~self._sorted):
            order = passes(local[at == node], ranges[at == node], core.banks)
            count[node] = np.bincount(order, minlength=core.walks)
            waits[node] = self._waits(node, order).sum()
        return Work(
            touched=touched.ravel(),
            rows=(events.sum(axis=2) * self.groups).sum(axis=1),
            cycles=(count * self.groups).sum(axis=1) + waits,
        )

    def walks(self, core: int, axons: np.ndarray) -> np.ndarray:
        ranges = self.range[axons + core * self.core.axons]
        order = passes(axons, ranges, self.core.banks)
        return self.groups[core, order] + self._waits(core, order)

    def _waits(self, core: int, order: list[int]) -> np.ndarray:
        """For each pass of a core, 1 if it waits for a clock."""
        begins, ends = self.first[core, order], self.last[core, order]
        repeats = np.concatenate([[False], begins[1:] == ends[:-1]])[: len(order)]
        return (repeats & (self.core.accumulators == "block")).astype(int)

    def _waits_in_order(self, count: np.ndarray) -> np.ndarray:
        """(C,) clocks that passes wait where they come in the order of their ranges, ``count`` (C, R) of each."""
        waits, group = np.zeros(len(count), dtype=int), np.full(len(count), -1)  # group: the last pass ended with it
        if self.core.accumulators != "block":
            return waits
        for passes_, first, last in zip(count.T, self.first.T, self.last.T, strict=True):
            some = passes_ > 0
            waits += some & (group == first)
            waits += np.where(some & (first == last), passes_ - 1, 0)
            group = np.where(some, last, group)
        return waits
