"""Choosing a fabric for a network: widths as needed, one core where that is reasonable, and the reasons."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..spec.config import HOST_WORD_BITS, CoreConfig, EncoderConfig, FabricConfig, NeuronConfig
from ..spec.errors import InputError
from ..spec.fixed import index_bits, signed_bits_for
from ..spec.kernels import Kernel
from ..spec.network import Network, Population
from ..spec.verilog import KEYWORDS
from .accumulator import accumulator_bits, payloads
from .mapping import Mapping, check_encoder, map_network, schedule
from .mapping.parameters import columns, common_model, is_relay, value_of
from .mapping.relays import crowded, insert
from .mapping.stores import bits, stores
from .mapping.tables import plans
from .names import legal_name

CORE_AXONS, CORE_NEURONS = 1024, 512
"""The largest core that is chosen unasked; a population with a larger fan-in gets as many axons as it needs,"""

MOST_AXONS, MOST_SLOTS = 4096, 64
"""up to so many; beyond, its fan-in is split by relays. These also bridge delays that no slots hold."""

MAP_AXONS, MAP_NEURONS = 4096, 2048
"""The same where kernels are shared: maps are large and their synapses few."""

WORTH = 2
"""Another store than the dense one, which has one adder tree for all banks, is chosen if it is so much smaller."""

BLOCK_GROUPS = 32
"""Accumulators of every bank are in block RAM above so many groups."""

_WALKS = {"dense": "ranges", "conv": "geometries"}
"""What the configuration calls the table that a store's axons name."""

CHOSEN = ("dense", "conv", "sparse")
"""The stores that are chosen unasked. A full one is the dense one for networks whose cores have one layer each."""

LANES, BANKS, UPDATE_LANES = 32, 4, 8
WIDEST_MESH = 16


@dataclass(frozen=True)
class Wishes:
    """What the user wants of a fabric that is chosen for a network; None: choose.

    ``programmable``: an overlay for other networks too: all parameters in tables, loaded at run time. ``encoder``: what
    makes events of pixels beside the host port, in samples of ``encoder_steps`` steps, with ``encoder_parameters``.
    """

    name: str | None = None
    width: int | None = None
    height: int | None = None
    lanes: int | None = None
    banks: int | None = None
    axons: int | None = None
    update_lanes: int | None = None
    weight_bits: int | None = None
    accumulator_bits: int | None = None
    store: str | None = None
    synapse_memory: str | None = None
    programmable: bool = False
    encoder: str | None = None
    encoder_steps: int = 16
    encoder_parameters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sizing:
    """A configuration and why it is as it is, one sentence each."""

    config: FabricConfig
    reasons: list[str]


ANYTHING = Wishes()


def size(network: Network, wishes: Wishes = ANYTHING) -> Sizing:
    """A sensible fabric for ``network``: the network is mapped onto a roomy one, which is then cut to what was used.

    Raises InputError if no fabric can hold the network: different neuron models or widths of state, a fan-in whose
    parts sum up to more than a payload holds.
    """
    roomy, reasons = _roomy_core(network, wishes)
    for population in network.populations:
        columns(population, roomy.neuron)
    refusal = InputError(f"network {network.name!r} does not fit a {WIDEST_MESH}x{WIDEST_MESH} mesh")
    for width, height in _meshes(network, wishes, roomy):
        config = FabricConfig.parse(_fabric(network, wishes, width, height, roomy), "fabric chosen for the network")
        try:
            relayed = insert(network, config)
            mapping = map_network(relayed, config)
        except InputError as error:
            refusal = error
            continue
        planned = plans(mapping.bundles, config)
        encoder, why = _encoder(relayed, wishes, mapping)
        return Sizing(
            _cut(config, relayed, mapping, planned, encoder),
            [
                _mesh_reason(config, wishes),
                *reasons,
                *why,
                *relayed.metadata.get("relays", []),
                *stores()[config.core.store].notes(planned),
            ],
        )
    raise refusal


def _module_name(network: str) -> str:
    name = legal_name(network, "network").lower()
    return f"network_{name}" if name in KEYWORDS else name


def _fabric(network: Network, wishes: Wishes, width: int, height: int, core: CoreConfig) -> dict:
    if core.graded:  # payloads as wide as an event has room for, until it is known what the relays need
        room = HOST_WORD_BITS - 2 * (index_bits(width) + index_bits(height)) - core.axon_bits
        core = CoreConfig.parse({**dict(core), "payload_bits": min(room, 16)}, "core chosen for the network")
    return {
        "name": wishes.name or _module_name(network.name),
        "width": width,
        "height": height,
        "lines": sum(network.population(output.population).size for output in network.outputs),
        "phase_bits": 6,
        "depth_bits": 12,
        "core": core,
    }


def _roomy_core(network: Network, wishes: Wishes) -> tuple[CoreConfig, list[str]]:
    """The largest core that may be chosen, with the final widths, and the reasons for them."""
    plan = schedule(network)
    largest = max(population.size for population in network.populations)
    lanes = wishes.lanes or min(LANES, _power_of_two(largest))
    fan_in = max(_fan_in(network, population.name) for population in network.populations)
    banks = wishes.banks or min(BANKS, _power_of_two(fan_in))
    weight_bits = wishes.weight_bits or max([2, *(signed_bits_for(*p.extremes) for p in network.projections)])
    row = {"lanes": lanes, "banks": banks, "update_lanes": 1, "weight_bits": weight_bits}
    store, why = _store(network, CoreConfig.parse(row, "core chosen for the network"), wishes)
    axons, neurons = (MAP_AXONS, MAP_NEURONS) if store == "conv" else (max(CORE_AXONS, fan_in), CORE_NEURONS)
    axons = wishes.axons or min(axons, MOST_AXONS)
    ahead = [plan.delay_ticks(p) for p in network.projections if p.source in plan.inputs]
    delays = [plan.delay_ticks(p) for p in network.projections if p.source not in plan.inputs]
    slots = _power_of_two(max([1, *delays, *(delay + 1 for delay in ahead)]) + 1)
    core = CoreConfig.parse(
        {
            "store": store,
            "axons": axons,
            "neurons": neurons,
            "lanes": lanes,
            "banks": banks,
            "update_lanes": wishes.update_lanes or min(UPDATE_LANES, lanes),
            "weight_bits": weight_bits,
            "synapse_memory": wishes.synapse_memory or "block",
            "accumulator_bits": wishes.accumulator_bits or max(4, accumulator_bits(network)),
            **_payload(network),
            "delay_slots": min(slots, MOST_SLOTS),
            "ranges": 16,
            "geometries": 16,
            "routes": 65536,
            "values": any(output.values for output in network.outputs) or any(map(_sends_v, network.populations)),
            "neuron": _neuron(network, wishes.programmable),
        },
        "core chosen for the network",
    )
    if slots > MOST_SLOTS or any(next(crowded(network, p.name, core), None) for p in network.populations):
        core = CoreConfig.parse({**dict(core), **_RELAYING}, "core chosen for the network")
    registers = ", ".join(f"{name} {bits} bits" for name, bits in core.neuron.state_bits.items())
    tables = [
        name for name, value in core.neuron.parameters.items() if isinstance(value, str) and value.startswith("per_")
    ]
    return core, [
        why,
        f"lanes {core.lanes}, banks {core.banks}: the largest population has size {largest}; at most"
        f" {core.operations} synaptic operations per clock",
        f"{core.weight_bits}-bit weights: " + ("as asked" if wishes.weight_bits else "the widest weight needs them"),
        f"{core.accumulator_bits}-bit accumulators: "
        + ("as asked" if wishes.accumulator_bits else "proved from the weights, no neuron can overflow them"),
        f"{core.delay_slots} delay slots: the longest axonal delay is {max([1, *delays])}, inputs are sent"
        f" {max([0, *ahead])} ticks ahead (ticks per step: {plan.step_ticks}, depth: {plan.depth}"
        + (", before relays)" if core.graded else ")"),
        f"{core.neuron.model} neurons, {registers}; tables of "
        + (", ".join(tables) if tables else "nothing")
        + (
            ": the fabric is programmable"
            if wishes.programmable
            else ", the rest is equal everywhere and folded into logic"
        ),
    ]


def _store(network: Network, core: CoreConfig, wishes: Wishes) -> tuple[str, str]:
    """The synapse store and the reason: the smallest, or the dense one if none is much smaller."""
    sizes = [{name: bits(name, p, core) for name in stores()} for p in network.projections]
    total = {name: sum(found[name] for found in sizes) for name in stores()}
    smallest = min(CHOSEN, key=lambda name: total[name])
    store = wishes.store or (smallest if total[smallest] * WORTH < total["dense"] else "dense")
    kinds = ["kernel" if isinstance(p.weights, Kernel) else "rows beside kernels" for p in network.projections]
    parts = [
        f"{p.source} -> {p.target} dense {_kbit(found['dense'])}, lists {_kbit(found['sparse'])}, {kind}"
        f" {_kbit(found['conv'])}"
        for p, found, kind in zip(network.projections, sizes, kinds, strict=True)
    ]
    reason = "as asked" if wishes.store else "the smallest" if store == smallest else f"none is {WORTH} times smaller"
    return store, f"{store} synapses, {_kbit(total[store])}: {reason} ({'; '.join(parts)})"


def _kbit(found: int) -> str:
    return f"{found / 1024:,.1f} kbit"


_RELAYING = {"graded": True, "payload_signed": True, "payload_bits": 16}


def _payload(network: Network) -> dict:
    """Settings of the payloads that a network's events carry."""
    graded = [population.name for population in network.populations if population.graded]
    sources = [*graded, *(item.name for item in network.inputs if item.payload_bits)]
    ends = [
        int(end) for source in sources for reach in payloads(network, source) for end in (np.min(reach), np.max(reach))
    ]
    low, high = min([0, *ends]), max([1, *ends])
    bits = signed_bits_for(low, high) if low else high.bit_length() if high > 1 else 0
    return {"graded": bool(graded), "payload_signed": low < 0, "payload_bits": bits}


def _sends_v(population: Population) -> bool:
    return population.graded and not is_relay(population)


def _power_of_two(least: int) -> int:
    return 1 << index_bits(least)


def _fan_in(network: Network, name: str) -> int:
    return sum(int(np.count_nonzero(projection.fan_out)) for projection in network.incoming(name)) or 1


def _neuron(network: Network, programmable: bool) -> NeuronConfig:
    """The neuron model with what is equal everywhere as constants."""
    model = common_model(network)
    parameters: dict[str, int | str] = {}
    own = [population for population in network.populations if not is_relay(population)] or network.populations
    for parameter in NeuronConfig(model=model, parameters={}).spec.PARAMETERS:
        values = [value_of(population, parameter.name, model) for population in own]
        if any(np.ndim(value) for value in values):
            parameters[parameter.name] = "per_neuron"
        elif programmable or len(set(values)) > 1:
            parameters[parameter.name] = "per_population"
        elif parameter.choices is not None:
            parameters[parameter.name] = parameter.choices(values[0]).name.lower()
        else:
            parameters[parameter.name] = values[0]
    first = own[0]
    bits = {state.name: first.widths[state.name] for state in first.spec.STATE if state.signed and not state.fixed}
    return NeuronConfig.parse({"model": model, "state_bits": bits, "parameters": parameters}, "neuron")


def _meshes(network: Network, wishes: Wishes, core: CoreConfig) -> Iterator[tuple[int, int]]:
    """Meshes to try, small ones first, from the number of cores that the neurons alone need."""
    if wishes.width or wishes.height:
        yield wishes.width or 1, wishes.height or 1
        return
    groups = sum(-(-population.size // core.lanes) for population in network.populations)
    least = -(-groups // core.groups)
    for side in range(1, WIDEST_MESH + 1):
        for width, height in ((side, side - 1), (side, side)):
            if width * height >= least:
                yield width, height


def _mesh_reason(config: FabricConfig, wishes: Wishes) -> str:
    if wishes.width or wishes.height:
        return f"{config.width}x{config.height} cores: as asked"
    if config.nodes == 1:
        if config.core.store == "conv":
            return f"one core: at most {MAP_NEURONS} neurons and {MAP_AXONS} axons are needed"
        return (
            f"one core: at most {CORE_NEURONS} neurons and {CORE_AXONS} axons (or one population's fan-in) are needed"
        )
    return f"{config.width}x{config.height} cores: the smallest mesh that holds the network"


def _encoder(network: Network, wishes: Wishes, mapping: Mapping) -> tuple[EncoderConfig | None, list[str]]:
    """The encoder that is wished, as large as the network's input."""
    if wishes.encoder is None:
        return None, []
    source = network.inputs[0]
    places = [bundle.neurons for bundle in mapping.bundles if bundle.link.source == source.name]
    settings = {
        "name": wishes.encoder,
        "lines": source.size,
        "steps": wishes.encoder_steps,
        "ways": max(1, int(np.bincount(np.concatenate(places)).max())) if places else 1,
        "parameters": wishes.encoder_parameters,
    }
    encoder = EncoderConfig.parse(settings, "encoder")
    check_encoder(network, encoder)
    values = ", ".join(f"{name} {value}" for name, value in encoder.constants.items())
    return encoder, [f"encoder {encoder.name} of {encoder.lines} pixels, {encoder.steps} steps a sample, {values}"]


def _cut(
    config: FabricConfig, network: Network, mapping: Mapping, planned: list, encoder: EncoderConfig | None
) -> FabricConfig:
    """``config`` with memories only as large as the mapping uses them."""
    core = config.core
    axons = max((int(bundle.axons.max()) + 1 for bundle in mapping.bundles), default=1)
    used = _payload(network) | {
        "axons": max(axons, core.banks),
        "neurons": max(chunk.group * core.lanes + int(chunk.places.max()) + 1 for chunk in mapping.chunks),
        "routes": max(1, *_routes_used(config, mapping)),
    }
    if core.store != "full":
        used["synapse_rows"] = max(1, *(int(plan.rows.max()) for plan in planned))
    if walks := _WALKS.get(core.store):
        used[walks] = max(1, *(plan.walks for plan in planned))
    if core.store != "dense" and used["neurons"] > BLOCK_GROUPS * core.lanes:
        used["accumulators"] = "block"
    cut = CoreConfig.parse({**dict(core), **used}, "core chosen for the network")
    plan = mapping.schedule
    return FabricConfig.parse(
        {
            **dict(config),
            "core": cut,
            "encoder": encoder,
            "depth_bits": max(1, plan.depth.bit_length()),
            "phase_bits": index_bits(plan.step_ticks),
        },
        "fabric chosen for the network",
    )


def _routes_used(config: FabricConfig, mapping: Mapping) -> list[int]:
    """Route entries by node."""
    routes = [0] * config.nodes
    for chunk in mapping.chunks:
        for bundle in mapping.bundles:
            if bundle.link.source == chunk.population:
                routes[chunk.core] += int((chunk.place_of(bundle.neurons) >= 0).sum())
        routes[chunk.core] += chunk.count * mapping.outputs.count(chunk.population)
    return routes
