"""Rows of whole designs: MNIST on two boards, and a fabric that fills a large device."""

import statistics
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import boards
from golden import network as golden_network

from ...compiler.coding import latency
from ...host import codec, data
from ...spec.config import FabricConfig
from ...spec.errors import InputError
from .. import emit, fit, on_board, player
from ..build import build
from ..target import Target, resolve
from . import blocks, clocks
from .row import Measured, Progress, Row, Settings, Skipped, at_least, at_most

NETWORK, IMAGES = Path("models/mnist_784-128-10_lat_T16_k4_float.nir"), Path("data/mnist_test.npz")
STEPS, WEIGHT_BITS = 16, 4
TIMED, JUDGED = 8, 10_000
"""Images whose clocks are counted in the Verilog, and those that the golden model classifies."""

LIMITS = {"icebreaker": 4 * 16 / WEIGHT_BITS, "ulx3s_85f": 208 * blocks.RAM_BITS / WEIGHT_BITS}
"""Synapses a clock: four SPRAMs of 16 bits, 208 block RAMs of 36."""

FULL = FabricConfig(width=3, height=3, lines=256, core=blocks.DEFAULT.core)


def _material(settings: Settings) -> tuple[Path, Path]:
    """The network and the images. Raises Skipped if they are not there."""
    found = settings.data and (settings.data / NETWORK, settings.data / IMAGES)
    if not found or not all(path.exists() for path in found):
        raise Skipped(f"--material names no folder with {NETWORK} and {IMAGES}")
    return found


def _target(network: Path, board_name: str, size: Mapping[str, Any]) -> Target:
    board = boards.board(board_name)
    options = {"quantise": {"weight_bits": WEIGHT_BITS}, "size": size}
    return resolve(network, options | {"fit": lambda net, wishes: fit.fit(net, wishes, board, board_name)})


def mnist(board_name: str, size: Mapping[str, Any], settings: Settings, progress: Progress) -> Measured:
    """MNIST 784-128-10, latency coded, on a board: bitstream, clocks of an image in the Verilog, accuracy."""
    network, images = _material(settings)
    try:
        target = _target(network, board_name, size)
    except InputError as refusal:
        raise Skipped(str(refusal)) from None
    with np.load(images) as found:
        pixels, labels = found["x"][:JUDGED].reshape(-1, 784), found["y"][:JUDGED]
    finish = on_board.implement(target, on_board.Wanted(board_name, seeds=max(1, settings.seeds)), 0, progress)
    with TemporaryDirectory() as folder:
        summary = build(target, Path(folder) / "build", finish=finish).summary["bitstream"]
    progress(f"{board_name}: clocks of {TIMED} images")
    figures = image_cycles(target, latency(pixels[:TIMED], STEPS))
    clock_mhz, seeds = summary["clock_mhz"], {item["seed"]: item["fmax_mhz"] for item in summary["seeds"]}
    fastest = figures.get("overlapped_cycles", figures["cycles"])
    figures |= {
        **summary["used"],
        "fmax_mhz": statistics.median(seeds.values()),
        "operations": target.config.operations,
        "us": figures["cycles"] / clock_mhz,
        "images_per_second": clock_mhz * 1e6 / fastest,
        "accuracy": accuracy(target, pixels, labels),
    }
    about = f"784-128-10, latency coded, {blocks.described(target.config)}, at {clock_mhz:.1f} MHz"
    return Measured(figures, about, sorted(set(summary["tools"].values())), seeds, LIMITS[board_name])


def image_cycles(target: Target, spikes: np.ndarray) -> dict[str, float]:
    """Clocks from the first input word of an image to the last output, the reset included; and of images that overlap.

    ``spikes`` are (B, T, n); the mean, in the Verilog, at a host that is always ready.
    """
    image, (name,) = target.image, (item.name for item in target.network.inputs)
    load = [] if target.folded else [codec.load(image)]
    start = [*load, codec.begin(image, STEPS)]
    played = player.play(target.emitted, [*start, *(codec.sample(image, {name: sample}) for sample in spikes)])
    edges = [*played.waits[len(start) :].tolist(), np.inf]
    each = [_span(played, low, high) for low, high in pairwise(edges)]
    found = {"cycles": float(np.mean(each))}
    if image.can_overlap(STEPS):
        played = player.play(target.emitted, [*load, codec.samples(image, {name: spikes}, overlapped=True)])
        found["overlapped_cycles"] = _span(played, played.waits[len(load)], np.inf) / len(spikes)
    return found


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
    """A fabric that fills an LFE5U-85F, with routers, barrier and host port."""
    figures, rest = blocks.routed(blocks.block("full device", emit.overlay(FULL), 110), settings, progress)
    figures |= {"operations": FULL.operations, "sustained": clocks.dense_tick(FULL, mesh=True)["sustained"]}
    if "fmax_mhz" in figures:
        figures["gops"] = FULL.operations * figures["fmax_mhz"] / 1e3
    about = f"{FULL.width}x{FULL.height} cores of {blocks.described(FULL)}, routers, barrier, host port"
    return Measured(figures, about, limit=LIMITS[blocks.BOARD], **rest)


_MNIST = {"accuracy": at_least(0.96)}
ROWS = (
    Row(
        "full",
        "full LFE5U-85F",
        full,
        {"gops": at_least(100), "sustained": at_least(0.6)},
        full=True,
    ),
    Row(
        "icebreaker",
        "MNIST on the iCEBreaker",
        partial(mnist, "icebreaker", {}),
        {"operations": at_least(16), "fmax_mhz": at_least(40), "lut": at_most(3500), "cycles": at_most(3200)}
        | {"us": at_most(90)}
        | _MNIST,
    ),
    Row(
        "ulx3s",
        "MNIST on the ULX3S-85F",
        partial(mnist, "ulx3s_85f", {"lanes": 64, "banks": 8, "update_lanes": 32}),
        {"cycles": at_most(900), "us": at_most(8), "images_per_second": at_least(125_000)} | _MNIST,
    ),
)
