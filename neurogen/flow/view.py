"""Pictures: where a network stands on the mesh and what runs through its links, and the spikes of a run.

Drawn with matplotlib, without a display; the same data gives the same file.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from golden import network as golden_network

from ..compiler.mapping import quality
from ..host.data import Samples
from ..spec.errors import InputError
from ..spec.image import Image
from ..spec.network import Network
from ..spec.topologies.mesh import Direction
from .measure import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "neurogen", "font.family": "sans-serif", "font.size": 9}
PALETTE = "Set3"
DPI = 150
CORE, GAP = 1.0, 0.7  # side of a core's box, and what is between two
SHIFT = 0.1  # of the two directions of a link from the middle between them
WIDEST = 12.0  # points
NAMED = 8  # populations that a core's box can name
ARROWS = {Direction.N: (0, -1), Direction.E: (1, 0), Direction.S: (0, 1), Direction.W: (-1, 0)}


def mapping(image: Image, run: Run | None = None) -> "Figure":
    """The mesh: every core with its populations by their share of groups; with ``run``, every link by its flits."""
    from matplotlib.figure import Figure

    config, pitch = image.config, CORE + GAP
    names = list(dict.fromkeys(placement.population for placement in image.placements))
    colours = dict(zip(names, _colours(len(names)), strict=True))
    size = (1.6 * config.width * pitch + 1.2, 1.6 * (config.height * pitch + 0.4) + 0.7)
    figure = Figure(figsize=(max(size[0], 4.5), max(size[1], 3.2)), layout="constrained")
    axes = figure.add_subplot()
    for node in range(config.nodes):
        y, x = divmod(node, config.width)
        _draw_core(axes, image, node, x * pitch, y * pitch, colours)
    axes.text(CORE / 2, -GAP - 0.13, "host", ha="center", va="center", bbox={"boxstyle": "round", "fc": "#eeeeee"})
    if run is not None:
        _draw_links(figure, axes, image, run)
    axes.set_xlim(-0.2, (config.width - 1) * pitch + CORE + 0.2)
    axes.set_ylim((config.height - 1) * pitch + CORE + 0.1, -GAP - 0.3)
    axes.set_aspect("equal")
    axes.axis("off")
    handles = [_patch(colours[name]) for name in names]
    figure.legend(handles, names, loc="outside lower center", ncols=min(max(len(names), 1), 4), frameon=False)
    return figure


def _colours(count: int) -> list:
    from matplotlib import colormaps

    return [colormaps[PALETTE](index % colormaps[PALETTE].N) for index in range(count)]


def _patch(colour):
    from matplotlib.patches import Patch

    return Patch(facecolor=colour)


def _draw_core(axes: "Axes", image: Image, node: int, x: float, y: float, colours: Mapping[str, tuple]) -> None:
    """A box, filled from below with the groups of each population."""
    from matplotlib.patches import Rectangle

    core = image.config.core
    bottom, here = y + CORE, [placement for placement in image.placements if placement.core == node]
    for placement in here:
        groups = len(np.unique(placement.places // core.lanes))
        height = CORE * groups / core.groups
        bottom -= height
        axes.add_patch(Rectangle((x, bottom), CORE, height, facecolor=colours[placement.population], linewidth=0))
        if height > 0.14 and len(here) <= NAMED:
            text = f"{placement.population} ({placement.count})"
            axes.text(x + CORE / 2, bottom + height / 2, text, ha="center", va="center", fontsize=7, clip_on=True)
    axes.add_patch(Rectangle((x, y), CORE, CORE, fill=False, edgecolor="#333333", linewidth=1.2))
    if not here:
        axes.text(x + CORE / 2, y + CORE / 2, "empty", ha="center", va="center", fontsize=7, color="#888888")
    column = node % image.config.width
    axes.text(x + 0.04, y + 0.04, f"{column},{node // image.config.width}", ha="left", va="top", fontsize=6)


def _draw_links(figure: "Figure", axes: "Axes", image: Image, run: Run) -> None:
    """An arrow for each direction of each link that carried anything, and a scale of colours."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    links = quality.links(run.events, image.config) / run.samples
    from_host = sum(count * len(event.to) for event, count in run.events.items() if event.source == quality.HOST)
    arrows = [(0, -1, 0, 1, from_host / run.samples)]
    for node in range(image.config.nodes):
        y, x = divmod(node, image.config.width)
        arrows += [(x, y, dx, dy, links[node, port]) for port, (dx, dy) in ARROWS.items()]
    arrows = [arrow for arrow in arrows if arrow[-1]]
    scale = ScalarMappable(Normalize(0, max((flits for *_, flits in arrows), default=1)), "viridis_r")
    for x, y, dx, dy, flits in arrows:
        _draw_link(axes, x, y, dx, dy, flits, scale)
    figure.colorbar(scale, ax=axes, shrink=0.7, pad=0.02).set_label("flits per sample")
    into = links[:, Direction.L].sum()
    axes.set_title(f"{links.sum():,.0f} hops per sample, {into:,.0f} of them into cores", loc="left", fontsize=9)


def _draw_link(axes: "Axes", x: int, y: int, dx: int, dy: int, flits: float, scale) -> None:
    """Traffic keeps to the right of the line between two cores, so that both directions can be seen."""
    from matplotlib.patches import FancyArrowPatch

    pitch, side = CORE + GAP, (-dy * SHIFT, dx * SHIFT)
    start = (x * pitch + CORE / 2 + dx * CORE / 2 + side[0], y * pitch + CORE / 2 + dy * CORE / 2 + side[1])
    width = 1 + WIDEST * flits / scale.norm.vmax
    style = f"simple,tail_width={width / 2},head_width={width / 2 + 4},head_length={width / 3 + 4}"
    stop = (start[0] + dx * GAP, start[1] + dy * GAP)
    axes.add_patch(
        FancyArrowPatch(start, stop, arrowstyle=style, color=scale.to_rgba(flits), linewidth=0, shrinkA=1, shrinkB=1)
    )
    middle = (start[0] + dx * GAP / 2 + 1.4 * side[0], start[1] + dy * GAP / 2 + 1.4 * side[1])
    axes.text(*middle, f"{flits:,.0f}", fontsize=6, ha="center", va="center", color="#333333")


def sample(network: Network, samples: Samples | None, number: int = 0) -> "Figure":
    """What goes into a network, and what its populations do, in one sample.

    Raises InputError if there is no such sample.
    """
    if samples is None:
        raise InputError("--data is missing: the samples whose spikes are to be drawn")
    if number >= len(samples):
        raise InputError(f"there is no sample {number}; there are {len(samples)}, from 0 on")
    inputs = {name: events[number : number + 1] for name, events in samples.inputs.items()}
    quiet = {output.population for output in network.outputs if output.values}
    quiet |= {population.name for population in network.populations if population.graded}
    found = golden_network.run(network, inputs, record=[name for name in network.order if name not in quiet])
    spikes = {name: found.spikes[name][0] for name in network.order if name in found.spikes}
    values = {name: potential[0] for name, potential in found.values.items()}
    return raster({name: events[0] for name, events in inputs.items()} | spikes, values, f"sample {number}")


def raster(
    spikes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray] | None = None, title: str = ""
) -> "Figure":
    """Spikes of one sample, (T, n) each by name, as dots; ``values`` as lines, one for each neuron."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    values = values or {}
    panels = len(spikes) + len(values)
    heights = [min(3.0, 0.5 + array.shape[1] / 60) for array in (*spikes.values(), *values.values())]
    figure = Figure(figsize=(7.5, sum(heights) + 0.7), layout="constrained")
    all_axes = figure.subplots(panels, 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    steps = next(iter([*spikes.values(), *values.values()])).shape[0]
    for axes, (name, array) in zip(all_axes, [*spikes.items(), *values.items()], strict=True):
        if name in spikes:
            step, line = np.nonzero(array)
            axes.scatter(
                step, line, s=min(9, 4000 / (steps + array.shape[1])), marker="s", linewidths=0, rasterized=True
            )
            axes.set_ylim(array.shape[1], -1)
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True, min_n_ticks=1))
        else:
            axes.plot(array, linewidth=1)
        axes.set_ylabel(f"{name}\n({array.shape[1]})", rotation=0, ha="right", va="center")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(-0.5, steps - 0.5)
    all_axes[-1].set_xlabel("step")
    all_axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    if title:
        all_axes[0].set_title(title, loc="left", fontsize=10)
    return figure


def rendered(figure: "Figure", kind: str) -> bytes:
    """A figure as the bytes of a file of one of ``FORMATS``."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}
    with rc_context(STYLE):
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata[kind])
    return buffer.getvalue()


def format_of(path: Path) -> str:
    """The format that a path asks for. Raises InputError for another one than ``FORMATS``."""
    kind = path.suffix.removeprefix(".")
    if kind not in FORMATS:
        raise InputError(f"{path}: a picture is one of {', '.join(f'.{known}' for known in FORMATS)}")
    return kind
