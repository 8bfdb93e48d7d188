"""Rows of blocks by themselves on an ECP5: cores, the router, a mesh of both. Placed and routed, no pin in the way."""

import dataclasses
import statistics
from collections.abc import Callable

from boards import board

from ...rtl.core import Core
from ...rtl.router import Router
from ...spec import packet
from ...spec.config import CoreConfig, FabricConfig
from .. import alone, emit, scaling, toolchain
from ..emit import Emitted
from . import clocks
from .row import Measured, Progress, Row, Settings, at_least, at_most

BOARD = "ulx3s_85f"  # LFE5U-85F, speed grade 6
RAM_BITS = 36
"""Bits that an ECP5's block RAM delivers in a clock."""

MESH = {"width": 4, "height": 4, "lines": 1024}
FAST = {"store": "full", "memory_registers": True, "counter_bits": 0}
"""What all these cores have: every axon a weight for every neuron, the block RAMs' own registers, nothing to count."""

DEFAULT = FabricConfig(**MESH, core=CoreConfig(update_lanes=2, **FAST))
SMALLEST = FabricConfig(**MESH, core=CoreConfig(lanes=16, banks=1, update_lanes=1, **FAST))
ROUTER = FabricConfig(width=8, height=16)
"""Coordinates wide enough that a flit has 36 bits."""

INNER = (1, 1)
"""A router with all five ports."""

FABRIC = FabricConfig(width=2, height=2, core=DEFAULT.core)


def block(name: str, emitted: Emitted, aim_mhz: float) -> alone.Block:
    """A block on the device of all these rows."""
    return alone.Block(name, emitted, board(BOARD), aim_mhz * 1e6)


def routed(found: alone.Block, settings: Settings, progress: Progress) -> tuple[dict[str, float], dict]:
    """Figures of a block, at the median of its seeds, and what else a row says of places and routes."""
    tools = [toolchain.find(name).version for name in found.family.TOOLS[:2]]
    if not settings.seeds:
        progress(f"{found.name}: synthesis and packing")
        return dict(alone.packed(found, alone.synthesise(found))), {"tools": tools}
    trials = alone.measure(found, settings.seeds, progress)
    median = statistics.median_low(trial.fmax_hz for trial in trials)
    middle = next(trial for trial in trials if trial.fmax_hz == median)
    speed = statistics.median(trial.fmax_hz for trial in trials)
    return {**middle.used, "fmax_mhz": speed / 1e6}, {
        "seeds": {trial.seed: trial.fmax_hz / 1e6 for trial in trials},
        "critical": dataclasses.asdict(middle.critical),
        "tools": tools,
    }


def described(config: FabricConfig) -> str:
    """A core in words."""
    core = config.core
    return (
        f"{core.axons} axons x {core.neurons} neurons, {core.banks} banks x {core.lanes} lanes, {core.weight_bits}-bit"
        f" weights, {core.neuron.model}, D = {core.delay_slots}, {core.routes} routes, {core.store} store"
        + ("" if core.counter_bits else ", no activity counters")
    )


def core_row(config: FabricConfig, name: str, aim_mhz: float) -> Callable[[Settings, Progress], Measured]:
    """A core: what it takes, its clock, and the clocks of a tick with 64 events."""

    def measure(settings: Settings, progress: Progress) -> Measured:
        figures, rest = routed(block(name, emit.emit(Core(config), "core"), aim_mhz), settings, progress)
        core = config.core
        figures |= {"operations": core.operations} | clocks.dense_tick(config)
        limit = figures["ram"] * RAM_BITS / core.weight_bits
        return Measured(figures, described(config), limit=limit, **rest)

    return measure


def router(settings: Settings, progress: Progress) -> Measured:
    """A router with five ports by itself; in simulation, a packet offered in every clock."""
    emitted = emit.emit(Router(ROUTER, *INNER), "router")
    figures, rest = routed(block("router", emitted, 150), settings, progress)
    full = scaling.measure(1, "uniform", 1.0, seed=1)
    figures |= {"packets_per_port": full.accepted, "hop_cycles": full.latency - scaling.OFFER}
    about = f"five ports, {packet.flit_bits(ROUTER)}-bit flits, queues of {ROUTER.queue_depth}, multicast"
    return Measured(figures, about, **rest)


def fabric(settings: Settings, progress: Progress) -> Measured:
    """A 2x2 fabric with routers, barrier and host port."""
    figures, rest = routed(block("fabric", emit.overlay(FABRIC), 105), settings, progress)
    figures["operations"] = FABRIC.operations
    return Measured(figures, f"2x2 cores of {described(FABRIC)}, barrier, host port", **rest)


ROWS = (
    Row(
        "core",
        "core, ECP5 speed 6",
        core_row(DEFAULT, "core", 140),
        {"operations": at_least(128), "fmax_mhz": at_least(125), "lut": at_most(5500), "ram": at_most(21)},
    ),
    Row(
        "smallest",
        "smallest useful core, ECP5",
        core_row(SMALLEST, "smallest", 125),
        {"operations": at_least(4), "fmax_mhz": at_least(100), "lut": at_most(1500)},
    ),
    Row(
        "router",
        "router alone, ECP5",
        router,
        {"lut": at_most(1000), "fmax_mhz": at_least(130), "hop_cycles": at_most(2), "packets_per_port": at_least(1)},
    ),
    Row("fabric", "routed 2x2 fabric, ECP5", fabric, {"fmax_mhz": at_least(130)}),
)
