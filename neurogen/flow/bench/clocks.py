"""Clocks that do not depend on a device: of ticks, images and idle meshes."""

import numpy as np

from ... import compiler
from ...spec.config import CoreConfig, FabricConfig
from ...spec.network import Input, Network, Output, Population, Projection
from .. import measure

EVENTS, TICKS, SEED = 64, 32, 1
"""Events of each tick of the dense stimulus, measured ticks, and the seed of weights and events."""


def alone(config: FabricConfig) -> FabricConfig:
    """The 1x1 fabric with the core of another."""
    return FabricConfig.parse(config.model_dump() | {"width": 1, "height": 1, "lines": config.core.neurons}, "bench")


def crossbar(core: CoreConfig, threshold: int = 60) -> Network:
    """Every axon of a core to every neuron, with random weights."""
    rng, reach = np.random.default_rng(SEED), 1 << (core.weight_bits - 1)
    weights = rng.integers(1 - reach, reach, (core.axons, core.neurons))
    neurons = Population("neurons", core.neurons, "lif", {"threshold": threshold, "leak_shift": 4, "bias": 0})
    return Network(
        "crossbar",
        (Input("axons", core.axons),),
        (neurons,),
        (Projection("axons", "neurons", weights),),
        (Output("neurons"),),
    )


def dense_events(axons: int, ticks: int = TICKS, events: int = EVENTS) -> np.ndarray:
    """(1, ticks, axons): ``events`` axons, drawn anew, have an event in each tick."""
    order = np.random.default_rng(SEED).permuted(np.tile(np.arange(axons), (ticks, 1)), axis=1)
    return (order < events).astype(np.uint8)[None]


def dense_tick(config: FabricConfig) -> dict[str, float]:
    """Clocks of a tick with 64 events, by the cycle model, exact for one core; and what part of its peak that is."""
    core = config.core
    image = compiler.compile(crossbar(core), alone(config))
    clocks = measure.run(image, {"axons": dense_events(core.axons)}).tick_cycles.mean()
    return {"tick_cycles": clocks, "sustained": EVENTS * core.neurons / (clocks * core.banks * core.lanes)}
