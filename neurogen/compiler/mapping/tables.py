"""The image writer: a mapping as the rows of every core's memories."""

import numpy as np

from ...spec.config import FabricConfig
from ...spec.errors import InputError
from ...spec.image import CoreImage, Image, Placement
from ...spec.network import Network
from ..source import integer_equations
from .axons import Bundle
from .layout import Chunk
from .parameters import columns, idle_value, is_relay
from .schedule import Schedule, overlappable
from .stores import Served, stores

_ENTRY = ("host", "x0", "x1", "y0", "y1", "axon", "delay", "line")


def write(network: Network, config: FabricConfig, mapping) -> Image:
    """The image of a mapping. Raises InputError if a table is too small."""
    cores = tuple(CoreImage.empty(config) for _ in range(config.nodes))
    for node, plan in enumerate(plans(mapping.bundles, config)):
        _check_room(plan, config, node)
        plan.write(cores[node], config.core)
    for chunk in mapping.chunks:
        _write_chunk(cores[chunk.core], network, chunk, mapping.schedule, config)
    outputs = _outputs(network, mapping.schedule, config)
    _write_routes(cores, mapping, outputs, config)
    return Image(
        config=config,
        cores=cores,
        inputs={item.name: _input_entries(item.name, mapping.bundles) for item in network.inputs},
        input_sizes={item.name: item.size for item in network.inputs},
        input_payload_bits={item.name: item.payload_bits for item in network.inputs},
        outputs=outputs,
        placements=tuple(_placement(chunk, config) for chunk in mapping.chunks),
        step_ticks=mapping.schedule.step_ticks,
        depth=mapping.schedule.depth,
        network_digest=network.digest,
        metadata={"network": network.name, "equations": integer_equations(network), **network.metadata},
        overlappable=overlappable(network),
    )


def _placement(chunk: Chunk, config: FabricConfig) -> Placement:
    order = np.argsort(chunk.neurons)
    places = chunk.group * config.core.lanes + chunk.places
    return Placement(chunk.population, chunk.core, chunk.neurons[order], places[order])


def plans(bundles: list[Bundle], config: FabricConfig) -> list:
    """The synapse store's plan of every core's memories, by node."""
    served: list[list[Served]] = [[] for _ in range(config.nodes)]
    for bundle in bundles:
        for node, segment in bundle.segments.items():
            served[node].append(Served(segment, bundle.neurons, bundle.axons))
    return [stores()[config.core.store].Plan(found, config.core) for found in served]


def _check_room(plan, config: FabricConfig, node: int) -> None:
    bank = int(plan.rows.argmax())
    if plan.rows[bank] > config.core.rows:
        raise _too_small(config, node, f"synapse rows in bank {bank}", int(plan.rows[bank]), config.core.rows)
    if plan.walks > config.core.walks:
        raise _too_small(config, node, "geometries", plan.walks, config.core.walks)


def _write_chunk(core: CoreImage, network: Network, chunk: Chunk, schedule: Schedule, config: FabricConfig) -> None:
    """Group rows and per-neuron parameters of one chunk."""
    name = chunk.population
    groups = slice(chunk.group, chunk.last + 1)
    core.groups["size"][groups] = (chunk.slots >= 0).sum(axis=1)
    core.groups["depth"][groups] = schedule.depths[name]
    core.groups["phase"][groups] = schedule.phase(name)
    population = network.population(name)
    delivers = any(output.population == name and output.values for output in network.outputs)
    core.groups["value"][groups] = delivers or (population.graded and not is_relay(population))
    core.groups["graded"][groups] = population.graded
    values = columns(population, config.core.neuron)
    for parameter, value in values["per_population"].items():
        core.groups[parameter][groups] = value
    first = chunk.group * config.core.lanes
    for parameter, value in values["per_neuron"].items():
        column = core.neurons[parameter]
        column[first : first + chunk.slots.size] = idle_value(parameter, config.core.neuron)
        column[first + chunk.places] = value[chunk.neurons] if np.ndim(value) else value


def _outputs(network: Network, schedule: Schedule, config: FabricConfig) -> tuple[dict, ...]:
    """What leaves the fabric, on consecutive lines."""
    found, line = [], 0
    for output in network.outputs:
        size = network.population(output.population).size
        found.append(
            {
                "population": output.population,
                "values": output.values,
                "size": size,
                "first_line": line,
                "depth": schedule.depths[output.population],
            }
        )
        line += size
    if line > config.lines:
        raise InputError(f"network too large for the fabric: needs {line} output lines, has {config.lines}")
    if schedule.depth >= 1 << config.depth_bits:
        raise InputError(f"the network is {schedule.depth} ticks deep; depth_bits {config.depth_bits} is too narrow")
    return tuple(found)


def _input_entries(name: str, bundles: list[Bundle]) -> np.ndarray:
    """The rows of ``Image.inputs``, by input line."""
    parts = [np.zeros((0, 7), dtype=np.int64)]
    for bundle in bundles:
        if bundle.link.source == name:
            rest = np.broadcast_to(bundle.rectangle, (len(bundle.neurons), 4))
            delay = np.full(len(bundle.neurons), bundle.link.delay_ticks)
            parts.append(np.column_stack([bundle.neurons, rest, bundle.axons, delay]))
    entries = np.concatenate(parts).astype(np.int64)
    return entries[np.argsort(entries[:, 0], kind="stable")]


def _write_routes(cores, mapping, outputs: tuple[dict, ...], config: FabricConfig) -> None:
    """Pointer and route tables: every neuron's entries in a row, those to cores first."""
    for node, core in enumerate(cores):
        entries = [np.zeros((0, 1 + len(_ENTRY)), dtype=np.int64)]
        for chunk in mapping.chunks:
            if chunk.core == node:
                entries += _chunk_entries(chunk, mapping.bundles, outputs, config)
        table = np.concatenate(entries)
        table = table[np.argsort(table[:, 0], kind="stable")]
        if len(table) > config.core.routes:
            raise _too_small(config, node, "routes", len(table), config.core.routes)
        for column, values in zip(_ENTRY, table[:, 1:].T, strict=True):
            core.routes[column][: len(table)] = values
        count = np.bincount(table[:, 0], minlength=len(core.pointers["count"]))
        core.pointers["count"][:] = count
        core.pointers["first"][:] = np.where(count, np.cumsum(count) - count, 0)


def _chunk_entries(chunk: Chunk, bundles: list[Bundle], outputs: tuple[dict, ...], config: FabricConfig):
    """Route entries of one chunk's neurons, (n, core neuron + _ENTRY)."""
    start = chunk.group * config.core.lanes
    for bundle in bundles:
        if bundle.link.source == chunk.population:
            places = chunk.place_of(bundle.neurons)
            mine = places >= 0
            rows = np.zeros((int(mine.sum()), 1 + len(_ENTRY)), dtype=np.int64)
            rows[:, 0] = start + places[mine]
            rows[:, 2:6] = bundle.rectangle
            rows[:, 6] = bundle.axons[mine]
            rows[:, 7] = bundle.link.delay_ticks
            yield rows
    for output in outputs:
        if output["population"] == chunk.population:
            rows = np.zeros((chunk.count, 1 + len(_ENTRY)), dtype=np.int64)
            rows[:, 0] = start + chunk.places
            rows[:, 1] = 1
            rows[:, 8] = output["first_line"] + chunk.neurons
            yield rows


def _too_small(config: FabricConfig, node: int, what: str, needed: int, has: int) -> InputError:
    place = (node % config.width, node // config.width)
    return InputError(f"network too large for the fabric: needs {needed} {what} at core {place}, has {has}")
