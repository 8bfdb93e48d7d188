"""What stores share whose banks walk their events independently of each other."""

from abc import ABC, abstractmethod

import numpy as np

from neurogen.spec.config import CoreConfig

from . import Part, Work


def sum_cycles(config: CoreConfig) -> int:
    """Every bank has accumulators of its own."""
    return 0


def lead_cycles(config: CoreConfig) -> int:
    return 0


def read_cycles(config: CoreConfig) -> int:
    """The banks' sums are added as they are read: a clock per factor 2 of the banks."""
    return config.banks.bit_length() - 1


def lookup_cycles(config: CoreConfig) -> int:
    """The axon table's."""
    return 1 + config.memory_registers


def expand(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of ``counts[k]`` items of every k in turn: k, and the item's number."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]


class SideBySide(ABC):
    """Base of such a store, which says ``counts`` (C * A,), the rows of every axon's walk, and finds its synapses."""

    def __init__(self, tables, counts: np.ndarray):
        self.tables, self.core, self.counts = tables, tables.image.config.core, counts
        self.base = tables.axon_column("base")

    @abstractmethod
    def synapses(self, axons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of all walks: rows of weights (n, P), their groups (n, 1) or (n, P), positions in ``axons`` (n,)."""

    @abstractmethod
    def touching(self, weights: np.ndarray) -> np.ndarray:
        """Which of the groups of :meth:`synapses` count as touched."""

    def sums(self, axons: np.ndarray, factors: np.ndarray | None = None, part: Part | None = None) -> np.ndarray:
        weights, groups, owner = self.synapses(axons)
        products = weights if factors is None else weights * factors[owner, None]
        sums = np.zeros((self.tables.nodes * self.core.groups, self.core.lanes), dtype=np.int64)
        np.add.at(sums, (groups, np.arange(self.core.lanes)), part(products) if part else products)
        return sums

    def work(self, axons: np.ndarray) -> Work:
        core, nodes = self.core, self.tables.nodes
        weights, groups, _ = self.synapses(axons)
        touched = np.zeros(nodes * core.groups, dtype=bool)
        touched[groups[self.touching(weights)]] = True
        at, counts = self.tables.axon_core[axons], self.counts[axons]
        banks = at * core.banks + axons % core.axons % core.banks
        clocks = np.bincount(banks, np.maximum(counts, 1), minlength=nodes * core.banks).astype(np.int64)
        rows = np.bincount(at, counts, minlength=nodes).astype(np.int64)
        return Work(touched=touched, rows=rows, cycles=clocks.reshape(nodes, core.banks).max(axis=1))

    def walks(self, core: int, axons: np.ndarray) -> np.ndarray:
        """Those of the bank that takes longest."""
        clocks = np.maximum(self.counts[axons + core * self.core.axons], 1)
        banks = [clocks[axons % self.core.banks == bank] for bank in range(self.core.banks)]
        return max(banks, key=np.sum)
