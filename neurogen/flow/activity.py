"""What a core costs against what happens in it: clocks of a tick over activity, toggles of a tick over spikes.

A core whose every axon reaches every neuron gets events on a part of its axons in each tick. Clocks follow from the
golden cycle model at every point, and from the Verilog at some: TICK_DONE of a simulation, which must say the same.
Toggles are bits of the Verilog's nets that change, the clock's not among them, from a tick's first event until all is
over.
"""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from golden.fabric import Fabric

from .. import compiler
from ..host import codec
from ..spec.config import CoreConfig, FabricConfig
from ..spec.errors import CheckError
from ..spec.image import Image
from ..spec.words import Response
from . import emit, plain, player
from .bench.clocks import alone, crossbar, drawn_events

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLOCKS, TOGGLES = CoreConfig(), CoreConfig(axons=64, neurons=64, lanes=8, banks=2, update_lanes=2)
"""The core whose clocks, and the smaller one whose toggles are measured."""

ACTIVITIES = (0, 0.01, 0.02, 0.05, *(part / 10 for part in range(1, 11)))
CHECKED = (0, 0.1, 0.5, 1)
TICKS, SETTLE = 16, 4
"""Measured ticks of each activity, and those before."""


@dataclass(frozen=True)
class Point:
    """Means of a tick: ``events`` in, ``spikes`` out, ``clocks`` by the model, ``toggles``; None: not simulated."""

    activity: float
    events: float
    spikes: float
    clocks: float
    simulated_clocks: float | None = None
    toggles: float | None = None


def image_of(core: CoreConfig) -> Image:
    """A core of its own, every axon to every neuron."""
    config = alone(FabricConfig(core=core))
    return compiler.compile(crossbar(core), config)


def inputs(core: CoreConfig, activity: float, seed: int) -> np.ndarray:
    """(ticks, axons): the same number of events in every tick, on axons drawn anew."""
    rng = np.random.default_rng([seed, round(activity * 1e6)])
    return drawn_events(rng, SETTLE + TICKS, core.axons, round(activity * core.axons))


def point(image: Image, activity: float, seed: int, simulate: bool, toggles: bool = False) -> Point:
    """One activity. Raises CheckError where the Verilog takes other clocks than the model says."""
    events = inputs(image.config.core, activity, seed)
    fabric, clocks, spikes = Fabric(image), [], []
    for row in events:
        fabric.lines("axons", row)
        tick = fabric.tick()
        clocks.append(tick.tick_cycles())
        spikes.append(len(tick.emitted))
    chosen = slice(SETTLE, None)
    found = Point(activity, float(events[chosen].sum() / TICKS), float(np.mean(spikes[chosen])),
                  float(np.mean(clocks[chosen])))  # fmt: skip
    if not simulate:
        return found
    played = player.play(emit.fabric(image.config, image), _parts(image, events), toggles)
    measured = played.records(image.config).of(Response.TICK_DONE).extra
    if not np.array_equal(measured, clocks):
        at = int(np.flatnonzero(measured != clocks)[0])
        raise CheckError(
            f"activity {activity:g}, tick {at}: {measured[at]} clocks in Verilog, {clocks[at]} by the model"
        )
    changed = None
    if toggles:
        edges = [*played.waits[1 + SETTLE :].tolist(), len(played.toggles)]
        changed = float(played.toggles[edges[0] : edges[-1]].sum() / TICKS)
    return replace(found, simulated_clocks=float(np.mean(measured[chosen])), toggles=changed)


def _parts(image: Image, events: np.ndarray) -> list[np.ndarray]:
    """Words of a sample, tick by tick: each begins when the one before is over."""
    arrivals = codec.arrivals(image, {"axons": events})[: len(events)]
    return [codec.begin(image, len(events))] + [
        np.concatenate([codec.events(image.config, tick, found), codec.advance(image.config)])
        for tick, found in enumerate(arrivals)
    ]


def measure(seed: int, progress=lambda done, total: None) -> dict[str, Any]:
    """Both curves as JSON."""
    large, small = image_of(CLOCKS), image_of(TOGGLES)
    found: dict[str, list] = {"clocks": [], "toggles": []}
    for number, activity in enumerate(ACTIVITIES, start=1):
        found["clocks"].append(asdict(point(large, activity, seed, activity in CHECKED)))
        found["toggles"].append(asdict(point(small, activity, seed, True, toggles=True)))
        progress(number, len(ACTIVITIES))
    cores = {"clocks": CLOCKS.model_dump(), "toggles": TOGGLES.model_dump()}
    return {"seed": seed, "ticks": TICKS, "cores": cores, "simulator": plain.tool(), **found}


def picture(found: dict[str, Any]) -> "Figure":
    """Clocks over activity, toggles over spikes in and out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    points = found["clocks"]
    left.plot([100 * p["activity"] for p in points], [p["clocks"] for p in points], ".-", label="model")
    checked = [p for p in points if p["simulated_clocks"] is not None]
    left.plot([100 * p["activity"] for p in checked], [p["simulated_clocks"] for p in checked], "o", mfc="none",
              label="Verilog")  # fmt: skip
    left.set(xlabel="axons with an event (%)", ylabel="clocks a tick", ylim=(0, None))
    left.legend(frameon=False)
    points = found["toggles"]
    right.plot([p["events"] + p["spikes"] for p in points], [p["toggles"] for p in points], ".-")
    right.set(xlabel="spikes a tick, in and out", ylabel="toggles a tick", ylim=(0, None))
    return figure
