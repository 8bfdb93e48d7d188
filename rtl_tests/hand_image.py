"""A mapper for tests of the golden fabric: as plain as possible, so that it needs no tests of its own.

Population i sits whole on core ``order[i % cores]``; every projection has its own axons and its own group range.
"""

from dataclasses import dataclass, field

import numpy as np

from neurogen.spec.config import FabricConfig
from neurogen.spec.image import CoreImage, Image, Placement
from neurogen.spec.network import Network


def roomy(config: FabricConfig) -> FabricConfig:
    """The same fabric with cores in which any small random network fits."""
    more = {"axons": 512, "neurons": 128, "routes": 2048, "ranges": 16, "synapse_rows": 0, "delay_slots": 32}
    return config.model_copy(update={"core": config.core.model_copy(update=more), "lines": 512})


def timing(network: Network) -> tuple[int, dict[str, int]]:
    """Ticks per step and depth of every population, the smallest such that every packet has a delay of 1 or more."""
    names = set(network.order)
    for ticks in range(1, 8):
        depth = dict.fromkeys(names, 0)
        for _ in range(len(names) + 1):
            changed = False
            for p in network.projections:
                least = depth.get(p.source, -1) + 1 - p.delay * ticks
                if depth[p.target] < least:
                    depth[p.target], changed = least, True
            if not changed:
                return ticks, depth
    raise ValueError(f"network {network.name!r} needs more than 7 ticks per step")


@dataclass
class Free:
    """What is left of one core."""

    group: int = 0
    axon: int = 0
    route: int = 0
    range: int = 0
    row: dict[int, int] = field(default_factory=dict)


def hand_image(network: Network, config: FabricConfig, order: list[int]) -> Image:
    """The image of ``network``, with populations on the cores ``order`` in turn."""
    core = config.core
    ticks, depth = timing(network)
    cores = [CoreImage.empty(config) for _ in range(config.nodes)]
    free = [Free() for _ in cores]
    placed, lines = {}, {}
    routes: dict[str, list[list[dict]]] = {name: [[] for _ in range(network.population(name).size)] for name in depth}
    inputs: dict[str, list[list[int]]] = {item.name: [] for item in network.inputs}
    outputs = []
    for i, population in enumerate(network.populations):
        at = order[i % len(order)]
        placed[population.name] = (at, free[at].group)
        free[at].group += -(-population.size // core.lanes)
    for output in network.outputs:
        first, name = sum(item["size"] for item in outputs), output.population
        size = network.population(name).size
        outputs.append({"population": name, "values": output.values, "size": size, "first_line": first,
                        "depth": depth[name]})  # fmt: skip
        lines[name] = output.values
        for neuron in range(size):
            routes[name][neuron].append({"host": 1, "line": first + neuron})
    for projection in network.projections:
        at, first = placed[projection.target]
        size = network.population(projection.target).size
        last = first + -(-size // core.lanes) - 1
        room, memory = free[at], cores[at]
        memory.walks["first"][room.range], memory.walks["last"][room.range] = first, last
        x, y = at % config.width, at // config.width
        wait = depth[projection.target] - depth.get(projection.source, 0) + projection.delay * ticks
        for source, row in enumerate(projection.weights):
            bank, local = room.axon % core.banks, room.axon // core.banks
            base = room.row.get(bank, 0)
            room.row[bank] = base + last - first + 1
            memory.axons["base"][bank, local], memory.axons["range"][bank, local] = base, room.range
            padded = np.zeros((last - first + 1) * core.lanes, dtype=np.int64)
            padded[:size] = row
            memory.synapses[bank, base : room.row[bank]] = padded.reshape(-1, core.lanes)
            if projection.source in inputs:
                inputs[projection.source].append([source, x, x, y, y, room.axon, wait])
            else:
                routes[projection.source][source].append(
                    {"x0": x, "x1": x, "y0": y, "y1": y, "axon": room.axon, "delay": wait}
                )
            room.axon += 1
        room.range += 1
    for name, (at, group) in placed.items():
        _fill(cores[at], free[at], network.population(name), group, core, routes[name])
        groups = slice(group, group + -(-network.population(name).size // core.lanes))
        cores[at].groups["depth"][groups], cores[at].groups["phase"][groups] = depth[name], depth[name] % ticks
        graded = network.population(name).graded
        cores[at].groups["value"][groups] = lines.get(name, False) or graded
        cores[at].groups["graded"][groups] = graded
    return Image(
        config=config,
        cores=tuple(cores),
        inputs={name: np.array(rows, dtype=np.int64).reshape(-1, 7) for name, rows in inputs.items()},
        input_sizes={item.name: item.size for item in network.inputs},
        input_payload_bits={item.name: item.payload_bits for item in network.inputs},
        outputs=tuple(outputs),
        placements=tuple(
            Placement.block(name, 0, network.population(name).size, at, group * core.lanes)
            for name, (at, group) in placed.items()
        ),
        step_ticks=ticks,
        depth=max(depth.values()),
        overlappable=ticks == 1 and not any(p.delay for p in network.projections),
    )


def _fill(memory: CoreImage, room: Free, population, group: int, core, routes) -> None:
    """A population's group rows, neuron rows and routes."""
    neurons = slice(group * core.lanes, group * core.lanes + population.size)
    groups = slice(group, group + -(-population.size // core.lanes))
    sizes = population.size - core.lanes * np.arange(groups.stop - groups.start)
    memory.groups["size"][groups] = np.minimum(sizes, core.lanes)
    for parameter in core.neuron.tabled("per_population"):
        memory.groups[parameter.name][groups] = population.parameter(parameter.name)
    for parameter in core.neuron.tabled("per_neuron"):
        memory.neurons[parameter.name][neurons] = population.parameter(parameter.name)
    for neuron, entries in enumerate(routes, start=neurons.start):
        memory.pointers["first"][neuron], memory.pointers["count"][neuron] = room.route, len(entries)
        for entry in entries:
            for name, value in entry.items():
                memory.routes[name][room.route] = value
            room.route += 1
