"""From a network to an image: depths, chunks, places, axon numbers, tables."""

from dataclasses import dataclass, replace

import numpy as np

from ...spec.config import CoreConfig, EncoderConfig, FabricConfig
from ...spec.errors import InputError
from ...spec.image import Image
from ...spec.network import Network, Population
from ..accumulator import payloads, prove
from .axons import Bundle, allocate
from .layout import Chunk
from .links import Link, Segment, links
from .parameters import is_relay
from .partition import partition
from .placement import place
from .relays import insert
from .schedule import Schedule, overlappable, schedule
from .stores import stores
from .tables import write
from .traffic import Activity, collect
from .validate import validate

__all__ = [
    "PLACEMENTS",
    "Mapping",
    "check_encoder",
    "compile",
    "links",
    "map_network",
    "overlappable",
    "problems",
    "schedule",
    "validate",
]

PLACEMENTS = ("balanced", "compact", "random")
_ATTEMPTS = 10


@dataclass(frozen=True)
class Mapping:
    """Everything that was decided, before it becomes tables. ``chunks[i].core`` is a node of the mesh."""

    schedule: Schedule
    links: list[Link]
    chunks: list[Chunk]
    segments: list[list[Segment]]  # by node
    bundles: list[Bundle]
    outputs: list[str]  # populations, once for each output


def map_network(
    network: Network,
    config: FabricConfig,
    cut: str = "balanced",
    rng: np.random.Generator | None = None,
    activity: Activity | None = None,
) -> Mapping:
    """Decide depths, chunks, places and axon numbers. With ``rng``, places and numbers are drawn at random.

    ``cut`` says how populations are cut into chunks (see ``partition``), ``activity`` what traffic the places should
    suit. Raises InputError if the network does not fit.
    """
    plan = schedule(network, 1 << config.phase_bits)
    found = links(network, plan, config.core)
    store, core = stores()[config.core.store], config.core
    chunks = partition(network, config, found, cut, rng)
    on_core = [store.arrange([c for c in chunks if c.core == at], found, core) for at in range(config.nodes)]
    chunks = [chunk for some in on_core for chunk in some]
    outputs = [output.population for output in network.outputs]
    per_core = [store.segments(some, found, core) for some in on_core]
    node_of = place(collect(chunks, outputs, per_core, activity), config, rng)
    chunks = [replace(chunk, core=int(node_of[chunk.core])) for chunk in chunks]
    per_node = [per_core[at] for at in np.argsort(node_of)]
    try:
        bundles = allocate(per_node, config, True, rng)
    except InputError:  # common numbers can leave gaps; without multicast none do
        bundles = allocate(per_node, config, False, rng)
    return Mapping(plan, found, chunks, per_node, bundles, outputs)


def compile(
    network: Network,
    config: FabricConfig,
    seed: int | None = None,
    placement: str | None = None,
    activity: Activity | None = None,
) -> Image:
    """Map ``network`` onto the fabric ``config``.

    ``placement`` is ``balanced`` (default: groups spread evenly over the cores, then few hops), ``compact`` or
    ``random`` (default where a ``seed`` is given). Hops are weighted with ``activity``, events of each neuron per
    step by input and population, as far as it is known. The result of running the image does not depend on either.

    Raises InputError if the network does not fit: too many neurons, axons, routes or lines, a delay or a loop that is
    too long, a weight, parameter or accumulator that is too wide, different neuron models.
    """
    placement = placement or ("balanced" if seed is None else "random")
    if placement not in PLACEMENTS:
        raise InputError(f"placement is one of {', '.join(PLACEMENTS)}, not {placement!r}")
    original, network = network, insert(network, config)
    _check(network, config)
    prove(network, config.core.accumulator_bits)
    if placement == "random":
        image = _at_random(network, config, seed or 0)
    else:
        image = _mapped(network, config, placement, activity=activity)
    validate(image)
    return replace(image, network_digest=original.digest)


def _mapped(network: Network, config: FabricConfig, cut: str, rng=None, activity: Activity | None = None) -> Image:
    return write(network, config, map_network(network, config, cut, rng, activity))


def _at_random(network: Network, config: FabricConfig, seed: int) -> Image:
    """The first random mapping that fits the tables; in a tight fabric, whole groups at random places."""
    rng = np.random.default_rng(seed)
    for _ in range(_ATTEMPTS):
        try:
            return _mapped(network, config, "random", rng)
        except InputError:
            continue
    return _mapped(network, config, "balanced", rng)


def problems(network: Network, config: FabricConfig) -> list[str]:
    """Everything that keeps ``network`` from ``config`` and can be told at once: the first finding of every check."""
    try:
        network = insert(network, config)
    except InputError as error:
        return [str(error)]
    found = []
    checks = (
        lambda: _check(network, config),
        lambda: prove(network, config.core.accumulator_bits),
        lambda: map_network(network, config, "balanced"),
    )
    for check in checks:
        try:
            check()
        except InputError as error:
            found.append(str(error))
    return found


def check_encoder(network: Network, encoder: EncoderConfig) -> None:
    """Raises InputError unless the encoder's events are those that the network's one input takes."""
    if [item.size for item in network.inputs] != [encoder.lines]:
        inputs = ", ".join(f"{item.name!r} of {item.size}" for item in network.inputs)
        raise InputError(f"an encoder of {encoder.lines} lines feeds one input of as many; the network has {inputs}")
    source, least = network.inputs[0], encoder.full if encoder.spec.GRADED else 1
    if least > source.largest or (encoder.spec.GRADED and not source.payload_bits):
        takes = f"payloads of {source.payload_bits} bits" if source.payload_bits else "spikes"
        raise InputError(f"encoder {encoder.name} sends payloads up to {least}; input {source.name!r} takes {takes}")


def _check(network: Network, config: FabricConfig) -> None:
    core = config.core
    for item in network.inputs:
        if item.largest > core.payload_range[1]:
            what = f"{core.payload_bits}, signed" if core.payload_signed else core.payload_bits
            raise InputError(f"input {item.name!r} has payloads of {item.payload_bits} bits, the fabric {what}")
    if config.encoder:
        check_encoder(network, config.encoder)
    for population in network.populations:
        if population.graded:
            _check_graded(population, network, core)
    limit = 1 << (core.weight_bits - 1)
    for p in network.projections:
        low, high = p.extremes
        if low < -limit or high >= limit:
            raise InputError(
                f"projection {p.source} -> {p.target} has weights {low}..{high}; weight_bits {core.weight_bits} holds"
                f" {-limit}..{limit - 1}"
            )
    graded = {population.name for population in network.populations if population.graded}
    sources = {projection.source for projection in network.projections} - graded
    spiking = {output.population for output in network.outputs if not output.values}
    for output in network.outputs:
        if output.values and not core.values:
            raise InputError(f"output {output.population!r} delivers values, the fabric's cores do not (core.values)")
        if output.values and output.population in sources | spiking:
            raise InputError(f"population {output.population!r} delivers values, so it cannot send spikes too")


def _check_graded(population: Population, network: Network, core: CoreConfig) -> None:
    where = f"population {population.name!r} sends graded events"
    if not core.graded:
        raise InputError(f"{where}, the fabric's cores do not (core.graded)")
    if not (is_relay(population) or core.values):
        raise InputError(f"{where} of its v, the fabric's cores keep v to themselves (core.values)")
    low, high = payloads(network, population.name)
    least, most = core.payload_range
    if np.min(low) < least or np.max(high) > most:
        raise InputError(f"{where} of {np.min(low)}..{np.max(high)}; the fabric's payloads are {least}..{most}")
    for output in network.outputs:
        if output.population == population.name and not output.values:
            raise InputError(f"{where}, so as an output it delivers values, not spikes")
        if output.population == population.name and is_relay(population) and core.neuron.model != population.model:
            raise InputError(
                f"{where} of its input sums, which {core.neuron.model} neurons do not deliver as an output"
            )
