"""Rows of whole designs: MNIST on two boards, copies of it side by side, and a fabric that fills a large device."""

import statistics
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import boards
from golden import network as golden_network

from ... import compiler
from ...compiler.coding import latency
from ...host import codec, data
from ...spec.config import FabricConfig
from ...spec.errors import InputError
from ...spec.network import Network
from .. import emit, fit, on_board, player
from ..build import build
from ..target import Target
from . import blocks, clocks
from .row import Measured, Progress, Row, Settings, Skipped, at_least, at_most

NETWORK, IMAGES = Path("models/mnist_784-128-10_lat_T16_k4_float.nir"), Path("data/mnist_test.npz")
STEPS, LEAK_SHIFT, WEIGHT_BITS = 11, 3, 4
"""The network was trained for 16 steps and a leak of 1/16; with a leak of 1/8 its weights need 11 steps."""

TIMED, JUDGED = 8, 10_000
"""Images whose clocks are counted in the Verilog, and those that the golden model classifies."""

LIMITS = {"icebreaker": 4 * 16 / WEIGHT_BITS, "ulx3s_85f": 208 * blocks.RAM_BITS / WEIGHT_BITS}
"""Synapses a clock: four SPRAMs of 16 bits, 208 block RAMs of 36."""

FULL = FabricConfig(width=3, height=3, lines=256, core=blocks.DEFAULT.core)
COPIES = (3, 2)
"""Columns and rows of cores, a copy of the network in each: so many keep the host port busy."""


def _material(settings: Settings) -> tuple[Path, Path]:
    """The network and the images. Raises Skipped if they are not there."""
    found = settings.data and (settings.data / NETWORK, settings.data / IMAGES)
    if not found or not all(path.exists() for path in found):
        raise Skipped(f"--material names no folder with {NETWORK} and {IMAGES}")
    return found


def shortened(path: Path) -> Network:
    """The network of a file, quantised, for ``STEPS`` steps."""
    network = compiler.quantise(
        compiler.read(path, compiler.Options()), compiler.Quantisation(weight_bits=WEIGHT_BITS, leak="shift")
    )
    faster = [replace(p, parameters={**p.parameters, "leak_shift": LEAK_SHIFT}) for p in network.populations]
    return replace(network, populations=tuple(faster))


def copies(network: Network, count: int) -> Network:
    """So many of one network side by side, nothing between them; the names of copy i end in ``_i``."""

    def each(items, *names):
        return tuple(
            replace(item, **{name: f"{getattr(item, name)}_{i}" for name in names})
            for i in range(count)
            for item in items
        )

    return Network(
        network.name,
        each(network.inputs, "name"),
        each(network.populations, "name"),
        each(network.projections, "source", "target"),
        each(network.outputs, "population"),
    )


def _target(path: Path, board_name: str, size: Mapping[str, Any]) -> Target:
    network = shortened(path)
    config = fit.fit(network, compiler.Wishes(**size), boards.board(board_name), board_name).config
    return _on(network, config, path)


def _on(network: Network, config: FabricConfig, path: Path) -> Target:
    return Target(
        network.name, str(path), network, compiler.compile(network, config), folded=not config.core.starts_empty
    )


def mnist(board_name: str, size: Mapping[str, Any], settings: Settings, progress: Progress) -> Measured:
    """MNIST 784-128-10, latency coded, on a board: bitstream, clocks of an image in the Verilog, accuracy."""
    network, images = _material(settings)
    try:
        target = _target(network, board_name, size)
    except InputError as refusal:
        raise Skipped(str(refusal)) from None
    pixels, labels = _images(images)
    summary, spikes = _bitstream(target, board_name, settings, progress), latency(pixels[:TIMED], STEPS)
    progress(f"{board_name}: clocks of {TIMED} images")
    figures = {"cycles": image_cycles(target, spikes), "accuracy": accuracy(target, pixels, labels)}
    figures["us"] = figures["cycles"] / summary["clock_mhz"]
    if target.image.can_overlap(STEPS):
        figures["overlapped_cycles"] = overlapped_cycles(target, spikes)
    return _measured(target, summary, figures, board_name)


def replicas(board_name: str, size: Mapping[str, Any], settings: Settings, progress: Progress) -> Measured:
    """Copies of that network, one in each core of a mesh, each with images of its own."""
    path, images = _material(settings)
    single, (width, height) = _target(path, board_name, size), COPIES
    count = width * height
    mesh = {"width": width, "height": height, "lines": count * single.config.lines}
    config = FabricConfig.parse(single.config.model_dump() | mesh, "bench")
    target = _on(copies(single.network, count), config, path)
    summary, (pixels, labels) = _bitstream(target, board_name, settings, progress), _images(images)
    progress(f"{board_name}: clocks of {TIMED * count} images")
    overlapped = overlapped_cycles(target, latency(pixels[: TIMED * count], STEPS))
    figures = {"overlapped_cycles": overlapped, "accuracy": accuracy(single, pixels, labels)}
    return _measured(target, summary, figures, board_name, f"{count} copies of ")


def _measured(target: Target, summary: Mapping[str, Any], figures: dict, board_name: str, what: str = "") -> Measured:
    """Figures of clocks, with what the bitstream says."""
    clock_mhz, seeds = summary["clock_mhz"], {item["seed"]: item["fmax_mhz"] for item in summary["seeds"]}
    figures |= {
        **summary["used"],
        "fmax_mhz": statistics.median(seeds.values()),
        "operations": target.config.operations,
        "images_per_second": clock_mhz * 1e6 / figures.get("overlapped_cycles", figures.get("cycles")),
    }
    about = f"{what}784-128-10, latency coded, {STEPS} steps, {blocks.described(target.config)}, at {clock_mhz:.1f} MHz"
    tools = sorted(set(summary["tools"].values()))
    return Measured(figures, about, tools, seeds, LIMITS[board_name], summary["critical"])


def _images(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path) as found:
        return found["x"][:JUDGED].reshape(-1, 784), found["y"][:JUDGED]


def _bitstream(target: Target, board_name: str, settings: Settings, progress: Progress) -> dict[str, Any]:
    """What a build says of its bitstream."""
    finish = on_board.implement(target, on_board.Wanted(board_name, seeds=max(1, settings.seeds)), 0, progress)
    with TemporaryDirectory() as folder:
        return build(target, Path(folder) / "build", finish=finish).summary["bitstream"]


def image_cycles(target: Target, spikes: np.ndarray) -> float:
    """Clocks from the first input word of an image to the last output, the reset included.

    ``spikes`` are (B, T, n); the mean, in the Verilog, at a host that is always ready.
    """
    image, (name,) = target.image, (item.name for item in target.network.inputs)
    start = [*_load(target), codec.begin(image, STEPS)]
    played = player.play(target.emitted, [*start, *(codec.sample(image, {name: sample}) for sample in spikes)])
    edges = [*played.waits[len(start) :].tolist(), np.inf]
    return float(np.mean([_span(played, low, high) for low, high in pairwise(edges)]))


def overlapped_cycles(target: Target, spikes: np.ndarray) -> float:
    """Clocks an image where each begins as the one before ends, ``spikes`` dealt out to the copies of the network."""
    inputs, load = target.network.inputs, _load(target)
    dealt = {item.name: spikes[i :: len(inputs)] for i, item in enumerate(inputs)}
    played = player.play(target.emitted, [*load, codec.samples(target.image, dealt, overlapped=True)])
    return _span(played, played.waits[len(load)], np.inf) / len(spikes)


def _load(target: Target) -> list[np.ndarray]:
    return [] if target.folded else [codec.load(target.image)]


def _span(played: player.Played, low: float, high: float) -> float:
    """Clocks from the first word in to the last one out between two clocks."""
    into, out = (part[(part >= low) & (part < high)] for part in (played.clocks_in, played.clocks_out))
    return float(out[-1] - into[0] + 1)


def accuracy(target: Target, pixels: np.ndarray, labels: np.ndarray) -> float:
    """What part of the images the golden model classifies right."""
    (source,), (output,) = target.network.inputs, target.network.outputs
    found = golden_network.run(
        target.network, {source.name: lambda start, stop: latency(pixels[start:stop], STEPS)}, samples=len(pixels)
    )
    classes = data.decide({output.population: found.spikes[output.population]}, {})
    return float((classes == labels).mean())


def full(settings: Settings, progress: Progress) -> Measured:
    """A fabric that fills an LFE5U-85F, with routers, barrier and host port; sustained at 64 and at all axons."""
    figures, rest = blocks.routed(blocks.block("full device", emit.overlay(FULL), 95), settings, progress)
    figures |= {"operations": FULL.operations, **_sustained()}
    if "fmax_mhz" in figures:
        figures["gops"] = FULL.operations * figures["fmax_mhz"] / 1e3
    about = f"{FULL.width}x{FULL.height} cores of {blocks.described(FULL)}, routers, barrier, host port"
    return Measured(figures, about, limit=LIMITS[blocks.BOARD], **rest)


def _sustained() -> dict[str, float]:
    """What part of the peak the full device sustains where 64, and where all axons of every core have an event."""
    few, every = (clocks.dense_tick(FULL, events, mesh=True) for events in (clocks.EVENTS, FULL.core.axons))
    return {"sustained": few["sustained"], "sustained_all": every["sustained"]}


_MNIST = {"accuracy": at_least(0.96)}
ROWS = (
    Row(
        "full",
        "full LFE5U-85F",
        full,
        {"gops": at_least(100), "sustained_all": at_least(0.6)},
        full=True,
    ),
    Row(
        "icebreaker",
        "MNIST on the iCEBreaker",
        partial(mnist, "icebreaker", {"lanes": 16, "banks": 1, "update_lanes": 1}),
        {"operations": at_least(16), "fmax_mhz": at_least(40), "lut": at_most(3500), "cycles": at_most(3200)}
        | {"us": at_most(90)}
        | _MNIST,
    ),
    Row(
        "ulx3s",
        "MNIST on the ULX3S-85F",
        partial(mnist, "ulx3s_85f", {"lanes": 64, "banks": 8, "update_lanes": 16}),
        {"cycles": at_most(900), "us": at_most(8), "images_per_second": at_least(125_000)} | _MNIST,
    ),
    Row(
        "replicas",
        "MNIST on the ULX3S-85F, copies side by side",
        partial(replicas, "ulx3s_85f", {"lanes": 32, "banks": 4, "update_lanes": 8}),
        {"images_per_second": at_least(125_000)} | _MNIST,
        full=True,
    ),
)
