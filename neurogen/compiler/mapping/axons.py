"""Axon numbers: one number for each source neuron and rectangle of cores, the same at every core of the rectangle."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...spec.config import FabricConfig
from ...spec.errors import InputError
from .links import Link, Segment, axons_needed

Rectangle = tuple[int, int, int, int]  # x0, x1, y0, y1, inclusive


@dataclass(frozen=True, eq=False)
class Bundle:
    """Source neurons of one link that reach the same cores: ``axons[i]`` belongs to ``neurons[i]`` at every core."""

    link: Link
    neurons: np.ndarray
    rectangle: Rectangle
    segments: dict[int, Segment]  # by node
    axons: np.ndarray


def cover(nodes: set[int], width: int) -> list[Rectangle]:
    """Disjoint rectangles that together are exactly ``nodes`` (y * width + x), large ones first."""
    left = {(node % width, node // width) for node in nodes}
    found = []
    while left:
        best: list[tuple[int, int]] = []
        for x0, y0 in sorted(left):
            x1_limit = width
            y1 = y0
            while (x0, y1) in left:
                x1 = x0
                while x1 + 1 < x1_limit and (x1 + 1, y1) in left:
                    x1 += 1
                x1_limit = x1 + 1
                if (x1 - x0 + 1) * (y1 - y0 + 1) > len(best):
                    best = [(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]
                y1 += 1
        left -= set(best)
        found.append((best[0][0], best[-1][0], best[0][1], best[-1][1]))
    return found


def allocate(
    per_node: list[list[Segment]], config: FabricConfig, multicast: bool, rng: np.random.Generator | None
) -> list[Bundle]:
    """Axon numbers for everything that reaches any core, ``per_node`` in row-major order.

    Each axon goes to the bank with the fewest synapse rows to walk over, so numbers are mostly consecutive; they ascend
    with the group range, so that a bank's events come range by range. Neurons that share rows share banks, if there are
    enough kinds of them. With ``rng`` the numbers within a bank are drawn at random. Raises InputError if a core runs
    out.
    """
    free = np.ones((config.nodes, config.core.axons), dtype=bool)
    rows = np.zeros((config.nodes, config.core.banks), dtype=np.int64)
    bundles = []
    for link, neurons, rectangle, found in sorted(_requests(per_node, config, multicast), key=_order):
        nodes = list(found)
        available = np.flatnonzero(free[nodes].all(axis=0))
        if len(available) < len(neurons):
            raise _too_few_axons(per_node, config, nodes[0], free, len(neurons))
        numbers = available if rng is None else rng.permutation(available)
        kinds = next(iter(found.values())).kinds(neurons)
        steps = np.stack([segment.steps(neurons) for segment in found.values()])
        axons = _balanced(numbers, rows, nodes, steps, kinds)
        free[np.ix_(nodes, axons)] = False
        bundles.append(Bundle(link, neurons, rectangle, found, axons))
    return bundles


def _balanced(
    available: np.ndarray, rows: np.ndarray, nodes: list[int], steps: np.ndarray, kinds: np.ndarray | None
) -> np.ndarray:
    """An available number for each column of ``steps`` (nodes, neurons); adds these to ``rows`` (nodes, banks).

    It is from the bank whose fullest core has the fewest rows. Neurons of ``kinds``, if these are at least as many as
    the banks, have a bank by their kind.
    """
    banks = rows.shape[1]
    left = [iter(available[available % banks == bank].tolist()) for bank in range(banks)]
    filled = rows[nodes]
    cost = filled.max(axis=0).astype(float)
    wanted = None if kinds is None or kinds.max() + 1 < banks else kinds % banks
    axons: list[int] = []
    while len(axons) < steps.shape[1]:
        bank = int(cost.argmin()) if wanted is None else int(wanted[len(axons)])
        axon = next(left[bank], None)
        if axon is None:
            cost[bank] = np.inf
            wanted = None
            continue
        filled[:, bank] += steps[:, len(axons)]
        cost[bank] = filled[:, bank].max()
        axons.append(axon)
    rows[nodes] = filled
    return np.array(axons)


def _order(request) -> tuple:
    _, _, (x0, x1, y0, y1), found = request
    segment = next(iter(found.values()))
    return -(x1 - x0 + 1) * (y1 - y0 + 1), segment.first, segment.last, x0, y0


def _requests(per_node: list[list[Segment]], config: FabricConfig, multicast: bool):
    """(link, source neurons, rectangle, segments by node) of every bundle, without axon numbers."""
    for link, neurons, by_node in patterns(per_node):
        targets = set(by_node)
        rectangles = cover(targets, config.width) if multicast else [_one(node, config) for node in sorted(targets)]
        for x0, x1, y0, y1 in rectangles:
            inside = [y * config.width + x for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]
            yield link, neurons, (x0, x1, y0, y1), {node: by_node[node] for node in inside}


def patterns(per_core: list[list[Segment]]) -> Iterator[tuple[Link, np.ndarray, dict[int, Segment]]]:
    """(link, source neurons, segments by core): the neurons of one link that reach the same cores, one axon each."""
    layers: dict[tuple[Link, int], dict[int, Segment]] = {}
    for core, found in enumerate(per_core):
        counts: dict[Link, int] = {}
        for segment in found:
            layer = counts[segment.link] = counts.get(segment.link, -1) + 1
            layers.setdefault((segment.link, layer), {})[core] = segment
    for (link, _), by_core in layers.items():
        cores = np.array(list(by_core))
        reached = np.stack([segment.reached for segment in by_core.values()])
        rows, member = np.unique(reached, axis=1, return_inverse=True)
        for index, row in enumerate(rows.T):
            if row.any():
                yield link, np.flatnonzero(member == index), {core: by_core[core] for core in cores[row].tolist()}


def _one(node: int, config: FabricConfig) -> Rectangle:
    x, y = node % config.width, node // config.width
    return x, x, y, y


def _too_few_axons(per_node, config: FabricConfig, node: int, free: np.ndarray, wanted: int) -> InputError:
    needed = max(axons_needed(per_node[node]), int((~free[node]).sum()) + wanted)
    place = (node % config.width, node // config.width)
    return InputError(
        f"network too large for the fabric: needs {needed} axons at core {place}, has {config.core.axons}"
    )
