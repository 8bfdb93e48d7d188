"""What must hold of any image before it is loaded, whoever wrote it."""

import numpy as np

from ...spec.config import FabricConfig
from ...spec.errors import InputError
from ...spec.image import Image
from .stores import stores


def validate(image: Image) -> None:
    """Raise InputError naming the core and row at fault unless

    every value fits its field; group ranges, synapse rows, route slices, rectangles, axons, delays and lines exist; and
    every (core, axon) has at most one source with one delay, so that no slot ever receives two events of an axon.
    """
    config = image.config
    if len(image.cores) != config.nodes:
        raise InputError(f"the image has {len(image.cores)} cores, its fabric {config.nodes}")
    taken: dict[tuple[int, int], str] = {}
    for node, core in enumerate(image.cores):
        where = f"core ({node % config.width}, {node // config.width})"
        try:
            core.region_bits(config)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if wrong := stores()[config.core.store].check(core, config.core):
            raise InputError(f"{where}: {wrong}")
        if np.any(core.groups["depth"] < 0):
            raise InputError(f"{where}: a group has a negative depth")
        _check_routes(core, config, where, taken)
    for name, entries in image.inputs.items():
        _check_input(name, entries, image, taken)


def _check_routes(core, config: FabricConfig, where: str, taken: dict[tuple[int, int], str]) -> None:
    first, count = core.pointers["first"], core.pointers["count"]
    routes = core.routes
    for neuron in np.flatnonzero(count):
        if neuron >= config.core.neurons or first[neuron] + count[neuron] > config.core.routes:
            raise InputError(f"{where}: the route entries of neuron {neuron} do not exist")
        for entry in range(first[neuron], first[neuron] + count[neuron]):
            row = f"{where}: route {entry}"
            if routes["host"][entry]:
                group = neuron // config.core.lanes
                if core.groups["graded"][group] and not core.groups["value"][group]:
                    raise InputError(f"{row} goes to the host, from neuron {neuron}, which passes its sums on")
                if routes["line"][entry] >= config.lines:
                    raise InputError(f"{row} names output line {routes['line'][entry]}; there are {config.lines}")
                continue
            if not 1 <= routes["delay"][entry] < config.core.delay_slots:
                raise InputError(
                    f"{row} has delay {routes['delay'][entry]}; 1..{config.core.delay_slots - 1} are possible"
                )
            rectangle = [int(routes[key][entry]) for key in ("x0", "x1", "y0", "y1")]
            _take(rectangle, int(routes["axon"][entry]), f"neuron {neuron} of {where}", row, config, taken)


def _check_input(name: str, entries: np.ndarray, image: Image, taken: dict[tuple[int, int], str]) -> None:
    for index, x0, x1, y0, y1, axon, delay in entries.tolist():
        where = f"input {name!r} line {index}"
        if not 0 <= index < image.input_sizes[name]:
            raise InputError(f"{where} does not exist; there are {image.input_sizes[name]}")
        if delay < 0:
            raise InputError(f"{where} has delay {delay}; 0 or more ticks are possible")
        _take([x0, x1, y0, y1], axon, where, where, image.config, taken)


def _take(rectangle: list[int], axon: int, source: str, where: str, config: FabricConfig, taken: dict) -> None:
    """Reserve an axon at every core of a rectangle for one source."""
    x0, x1, y0, y1 = rectangle
    if not (0 <= x0 <= x1 < config.width and 0 <= y0 <= y1 < config.height and 0 <= axon < config.core.axons):
        raise InputError(f"{where} names cores {x0}..{x1}, {y0}..{y1} and axon {axon}, which do not all exist")
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            key = (y * config.width + x, axon)
            if key in taken:
                raise InputError(f"axon {axon} of core ({x}, {y}) has two sources: {taken[key]} and {source}")
            taken[key] = source
