"""What a fabric does with samples: activity, clocks and traffic, by the golden models."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from golden import network as golden_network
from golden import samples as golden_samples
from golden.fabric import Fabric, Tick

from ..compiler.mapping import quality
from ..compiler.mapping.traffic import Activity
from ..spec.image import Image
from ..spec.memory_map import COUNTERS, Status
from ..spec.network import Network

CHUNK = 64
FABRIC_SAMPLES = 8
"""Samples that the fabric's model runs: enough for averages, and quick."""


def activity(network: Network, inputs: Mapping[str, np.ndarray]) -> Activity:
    """Events of every input line and neuron per step: what placement weighs hops with."""
    samples, steps = next(iter(inputs.values())).shape[:2]
    counts = {name: np.count_nonzero(events, axis=(0, 1)) for name, events in inputs.items()}
    counts |= {population.name: np.zeros(population.size, dtype=np.int64) for population in network.populations}
    for start in range(0, samples, CHUNK):
        part = {name: events[start : start + CHUNK] for name, events in inputs.items()}
        found = golden_network.run(network, part, record=[p.name for p in network.populations if not p.graded])
        for name, spikes in found.spikes.items():
            counts[name] += np.count_nonzero(spikes, axis=(0, 1))
    delivering = {output.population for output in network.outputs if output.values}
    for population in network.populations:
        if population.graded or population.name in delivering:  # sends something in every step, or nearly
            counts[population.name][:] = samples * steps
    return {name: count / (samples * steps) for name, count in counts.items()}


@dataclass(frozen=True)
class Run:
    """What a fabric did with ``samples`` samples of ``steps`` steps.

    ``counters`` (nodes,) each; ``tick_cycles`` the clocks of every tick without stalls, exact on one core and a lower
    bound on a mesh; ``events`` what was sent where (``compiler.mapping.quality``).
    """

    samples: int
    steps: int
    counters: dict[Status, np.ndarray]
    tick_cycles: np.ndarray
    events: Counter = field(repr=False)

    @property
    def busy_cycles(self) -> np.ndarray:
        """Clocks in which each core read synapse rows or updated neurons, (nodes,)."""
        return self.counters[Status.INTEGRATE_CYCLES] + self.counters[Status.UPDATE_CYCLES]


class _Observed(Fabric):
    """A fabric that keeps what its ticks did."""

    def __init__(self, image: Image):
        super().__init__(image)
        core = image.config.core
        self.emitted = np.zeros(image.config.nodes * core.groups * core.lanes, dtype=np.int64)
        self.tick_cycles: list[int] = []

    def tick(self) -> Tick:
        tick = super().tick()
        self.emitted[tick.emitted] += 1
        self.tick_cycles.append(tick.tick_cycles())
        return tick


def run(image: Image, inputs: Mapping[str, np.ndarray]) -> Run:
    """Run the first samples of (B, T, n) on the fabric, each from the initial state."""
    inputs = {name: events[:FABRIC_SAMPLES] for name, events in inputs.items()}
    fabric = _Observed(image)
    golden_samples.run(fabric, inputs)
    counters = [fabric.counters(core) for core in range(image.config.nodes)]
    lines = {name: np.count_nonzero(events, axis=(0, 1)) for name, events in inputs.items()}
    samples, steps = next(iter(inputs.values())).shape[:2]
    return Run(
        samples,
        steps,
        {status: np.array([found[status] for found in counters]) for status in COUNTERS},
        np.array(fabric.tick_cycles),
        quality.sent(image, fabric.emitted.reshape(image.config.nodes, -1), lines),
    )
