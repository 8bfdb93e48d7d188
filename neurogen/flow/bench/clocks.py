"""Clocks that do not depend on a device: of ticks, images and idle meshes."""

import numpy as np

from golden import cycles
from golden.fabric import Fabric, Tick

from ... import compiler
from ...spec.config import CoreConfig, FabricConfig
from ...spec.network import Input, Network, Output, Population, Projection
from .row import Measured, Progress, Row, Settings, at_most

EVENTS, TICKS, SEED = 64, 32, 1
"""Events of each tick of the dense stimulus, measured ticks, and the seed of weights and events."""

QUIET_TICKS = 200
"""After so many, membranes that only leak are at rest."""


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


def drawn_events(rng: np.random.Generator, ticks: int, axons: int, events: int) -> np.ndarray:
    """(ticks, axons): ``events`` axons, drawn anew, have an event in each tick."""
    order = rng.permuted(np.tile(np.arange(axons), (ticks, 1)), axis=1)
    return (order < events).astype(np.uint8)


def dense_tick(config: FabricConfig, events: int = EVENTS, mesh: bool = False) -> dict[str, float]:
    """Clocks of a tick with ``events`` events, and what part of the peak that is, by the cycle model, exact for one
    core.

    ``mesh``: in every core of the fabric at once, each with events and spikes of its own; exact but for packets that
    wait for each other.
    """
    core = config.core
    fabric = Fabric(compiler.compile(crossbar(core), alone(config)))
    found = []
    for row in drawn_events(np.random.default_rng(SEED), TICKS, core.axons, events):
        fabric.lines("axons", row)
        tick = fabric.tick()
        found.append(on_mesh(config, tick) if mesh else tick.tick_cycles())
    clocks = float(np.mean(found))
    return {"tick_cycles": clocks, "sustained": events * core.neurons / (clocks * core.operations)}


def idle(_settings: Settings, _progress: Progress) -> Measured:
    """A tick of a 4x4 mesh in which nothing fires: the cycle model is exact where no packet is on its way."""
    mesh = FabricConfig(width=4, height=4, lines=1024)
    core = mesh.core
    image = compiler.compile(crossbar(core, threshold=(1 << 15) - 1), alone(mesh))
    fabric = Fabric(image)
    fabric.lines("axons", np.ones(core.axons, dtype=np.uint8))
    ticks = fabric.advance(QUIET_TICKS)
    leaking = next(tick for tick in ticks[1:] if not len(tick.axons))
    figures = {"cycles": on_mesh(mesh, ticks[-1]), "leaking_cycles": on_mesh(mesh, leaking)}
    about = f"4x4 cores of {core.axons} axons x {core.neurons} neurons, {core.update_lanes} updated a clock"
    return Measured(figures, about, tools=["the cycle model"])


def on_mesh(mesh: FabricConfig, tick: Tick) -> int:
    """Clocks of a mesh in whose every core happens what did in one."""
    return cycles.tick_cycles(mesh, [tick.activity(0)] * mesh.nodes)


_DEFAULT = CoreConfig()
ROWS = (
    Row(
        "idle",
        "idle tick of a 4x4 mesh",
        idle,
        {"cycles": at_most(24), "leaking_cycles": at_most(24 + -(-_DEFAULT.neurons // _DEFAULT.update_lanes))},
    ),
)
