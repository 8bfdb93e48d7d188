"""The cycle model: how long each core's integrate, update and emit phases last without stalls.

A tick's whole length also depends on the latencies of the blocks in between; :class:`CoreActivity` holds everything
that a recurrence over the tick needs.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CoreActivity:
    """What one core did in one tick, in the order in which the hardware does it.

    passes   groups that each pass of the sequencer walks, one a clock
    visited  groups that the update unit visits, ``subgroups`` clocks each
    vectors  update clocks (from 0, the first clock of the phase) whose vector enters the encoder's queue
    spikes   neurons that each of these vectors emits, one a clock
    packets  route entries of each emitted neuron, one a clock and at least one clock
    """

    passes: np.ndarray
    visited: np.ndarray
    subgroups: int
    vectors: np.ndarray
    spikes: np.ndarray
    packets: np.ndarray

    @property
    def integrate_cycles(self) -> int:
        return int(self.passes.sum())

    @property
    def update_cycles(self) -> int:
        return len(self.visited) * self.subgroups

    @property
    def emit_cycles(self) -> int:
        return int(np.maximum(self.packets, 1).sum())


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


def vectors(visited: np.ndarray, emitted: np.ndarray, lanes: int, update_lanes: int) -> tuple[np.ndarray, np.ndarray]:
    """Update clock and number of neurons of every vector that emits: ``emitted`` are neuron numbers, ascending."""
    position = np.searchsorted(visited, emitted // lanes)
    clocks = position * (lanes // update_lanes) + emitted % lanes // update_lanes
    return np.unique(clocks, return_counts=True)
