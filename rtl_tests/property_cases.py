"""Cases of the product's promise: any network, mesh, placement, lanes, banks and stalls give the same spikes.

A case is a pure function of (fabric, seed, index): these three numbers repeat it. ``Coverage`` says what a set of cases
has reached, and tests assert it: a property that never saw a multicast proves nothing about it.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from golden import network as golden_network
from neurogen.compiler import compile
from neurogen.spec.config import FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.image import Image
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Network

from .random_networks import FABRICS, STORES, Sizes, random_events, random_network

ALL_FABRICS = FABRICS | STORES
DENSITIES = (0.1, 0.4, 0.9)
MODES = ("stepped", "drained", "overlapped")
STALLS = ((0, 0), (60, 0), (0, 120), (100, 100), (200, 30))
"""(idle, stall) at the fabric's ports, in 1/256."""
STATES = (1, 4, 1 << 16)
"""Reading every state after every tick takes most of a case's clocks, so only a third of the cases does."""

READ_BACK = 16
"""In one of so many cases, all memories are read back."""


@dataclass(frozen=True)
class Case:
    """One network on one fabric: ``inputs`` name -> (B, T, n); (idle, stall) at the ports; the expected outputs.

    All states and counters are read after every ``states`` ticks, and in the end.
    """

    fabric: str
    seed: int
    index: int
    network: Network
    image: Image
    inputs: dict[str, np.ndarray]
    mode: str
    idle: int
    stall: int
    states: int
    expected: golden_network.Result

    @property
    def reads_back(self) -> bool:
        """Everything that was loaded is read before the case runs."""
        return self.index % READ_BACK == READ_BACK - 1

    @property
    def sends_early(self) -> bool:
        """Events are sent some ticks before their own."""
        return self.index % 2 == 1

    def __str__(self) -> str:
        return f"fabric {self.fabric}, seed {self.seed}, case {self.index}"


def case(name: str, seed: int, index: int) -> Case:
    """The case ``index`` of a fabric. Networks that do not fit are drawn again, smaller."""
    config = ALL_FABRICS[name]
    rng = np.random.default_rng([seed, index, *name.encode()])
    network, image = _network_that_fits(config, rng)
    samples, steps = int(rng.integers(1, 4)), int(rng.integers(2, 9))
    mode = str(rng.choice(MODES if image.can_overlap(steps) else MODES[:2]))
    inputs = {
        item.name: random_events(item, rng, samples, steps, density=rng.choice(DENSITIES)) for item in network.inputs
    }
    idle, stall = STALLS[rng.integers(len(STALLS))]
    states = int(rng.choice(STATES))
    expected = golden_network.run(network, inputs, record=[population.name for population in network.populations])
    return Case(name, seed, index, network, image, inputs, mode, idle, stall, states, expected)


def _network_that_fits(config: FabricConfig, rng: np.random.Generator) -> tuple[Network, Image]:
    core, capacity = config.core, config.nodes * config.core.neurons
    for attempt in range(50):
        scale = 0.9**attempt
        # With relays a fan-in may exceed a core's axons; the relays themselves take neurons.
        neurons, axons = (capacity / 8, core.axons * 2.5) if core.graded else (capacity / 3, core.axons * 0.7)
        sizes = Sizes(neurons=max(2, int(neurons * scale)), inputs=max(2, int(axons * scale)))
        network = random_network(config, rng, sizes)
        try:
            return network, compile(network, config, seed=int(rng.integers(1 << 31)))
        except InputError:
            continue
    raise RuntimeError(f"no random network fits {config.name}")


@dataclass
class Coverage:
    """What cases have reached; add with :meth:`see`, then :meth:`require`."""

    counts: Counter = field(default_factory=Counter)

    def see(self, case: Case) -> None:
        image, routes = case.image, [core.routes for core in case.image.cores]
        counts = self.counts
        counts["cases"] += 1
        counts[f"mode {case.mode}"] += 1
        counts["idle"] += case.idle > 0
        counts["backpressure"] += case.stall > 0
        counts["memories read back"] += case.reads_back
        counts["states after every tick"] += case.states == 1
        counts["events sent early"] += case.sends_early
        counts["spikes"] += sum(int(s.sum()) for s in case.expected.spikes.values())
        counts["values"] += sum(v.size for v in case.expected.values.values())
        counts["cases with spikes"] += any(s.any() for s in case.expected.spikes.values())
        counts["multicast"] += any(((r["x1"] > r["x0"]) | (r["y1"] > r["y0"])).any() for r in routes)
        counts["several routes per neuron"] += any((core.pointers["count"] > 1).any() for core in image.cores)
        counts["recurrence"] += any(p.source == p.target for p in case.network.projections)
        counts["loop over several ticks"] += image.step_ticks > 1
        counts["delay above 1"] += any((r["delay"] > 1).any() for r in routes)
        counts["several ranges"] += any((core.axons.get("range", 0) > np.zeros(1)).any() for core in image.cores)
        self._see_synapses(case)
        places = {(p.population, p.core) for p in image.placements}
        counts["population split over cores"] += max(Counter(p for p, _ in places).values()) > 1
        counts["core shared by populations"] += max(Counter(core for _, core in places).values()) > 1
        counts["graded input"] += any(values.max(initial=0) > 1 for values in case.inputs.values())
        counts["graded populations"] += any(p.graded for p in case.network.populations)
        relays = " ".join(image.metadata.get("relays", ()))
        counts["fan-in split over cores"] += "split into" in relays
        counts["delay over relays"] += "too long for the slots" in relays
        counts["several samples"] += len(next(iter(case.inputs.values()))) > 1

    def _see_synapses(self, case: Case) -> None:
        """What kinds of projections there are, and how synapse stores serve them."""
        counts, kernels = self.counts, [p for p in case.network.projections if isinstance(p.weights, Kernel)]
        counts["kernels"] += len(kernels)
        counts["matrices"] += len(case.network.projections) - len(kernels)
        counts["kernel with a stride"] += any(max(p.weights.stride) > 1 for p in kernels)
        counts["kernel with dilation"] += any(max(p.weights.dilation) > 1 for p in kernels)
        counts["kernel with padding"] += any(max(p.weights.padding) > 0 for p in kernels)
        counts["kernel that cuts the border"] += any(min(p.weights.padding) < 0 for p in kernels)
        counts["kernel with groups"] += any(p.weights.groups > 1 for p in kernels)
        counts["recurrent kernel"] += any(p.source == p.target for p in kernels)
        targets = [p.target for p in case.network.projections]
        counts["kernel beside another projection"] += any(targets.count(p.target) > 1 for p in kernels)
        counts["more channels than lanes"] += any(p.weights.target[0] > case.image.config.core.lanes for p in kernels)
        for core in case.image.cores:
            counts["walk of several lines"] += int((core.axons.get("lines", np.zeros(1)) > 1).sum())
            counts["list of several rows"] += int((core.axons.get("count", np.zeros(1)) > 1).sum())
        places = Counter(p.population for p in case.image.placements)
        counts["kernel split into bands"] += any(places[p.target] > 1 for p in kernels)

    def require(self, *names: str, least: int = 1) -> None:
        """Raise AssertionError for a count below ``least``."""
        missing = [name for name in names if self.counts[name] < least]
        assert not missing, f"never reached: {', '.join(missing)}; reached {dict(self.counts)}"


EVERYWHERE = (
    "cases with spikes", "mode stepped", "mode drained", "mode overlapped", "idle", "backpressure", "values",
    "multicast", "several routes per neuron", "recurrence", "loop over several ticks", "delay above 1",
    "several ranges", "states after every tick", "events sent early", "memories read back", "several samples",
    "population split over cores", "core shared by populations", "graded input", "graded populations",
    "fan-in split over cores", "delay over relays",
)  # fmt: skip
"""What the cases of all fabrics together must reach."""

IN_STORES = (
    "kernels", "matrices", "kernel with a stride", "kernel with dilation", "kernel with padding",
    "kernel that cuts the border", "kernel with groups", "recurrent kernel", "kernel beside another projection",
    "more channels than lanes", "kernel split into bands", "walk of several lines", "list of several rows",
)  # fmt: skip
"""What those of the fabrics with other stores than the dense one must reach."""
