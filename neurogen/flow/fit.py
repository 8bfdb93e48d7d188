"""How large a fabric is on a device, before synthesis, and the fabric that suits a network and a device best.

Block RAMs follow from the memories' shapes. LUTs are a sum of measured shares: ``calibration.json`` has the
coefficients of :func:`features` for each family, fitted by ``scripts/calibrate.py`` to packed designs.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path

from boards import Board, boards

from ..compiler.sizing import Sizing, Wishes, size
from ..spec import memory_map, rows
from ..spec.config import FabricConfig
from ..spec.errors import InputError
from ..spec.memory_map import Region
from ..spec.network import Network
from .bitstream import too_large
from .families import Device, families, family

CALIBRATION = Path(__file__).with_name("calibration.json")
LANES, BANKS, UPDATE_LANES = (4, 8, 16, 32, 64), (1, 2, 4, 8, 16), (1, 2, 4, 8)
EXTRAS = ((32, "full"), (16, "full"), (0, "full"), (0, "small"))
"""Width of the activity counters and the host port: what gives way where there is no room, step by step."""

ASKED = 1.15
"""Share of the LUTs up to which a fabric is tried whose lanes, banks and update lanes are all asked for: the estimate
may be so much too high, and place and route has the last word."""

MENTIONED = 3
"""How many other boards a refusal names."""

ACTIVITY = 0.2
"""Share of its axons that is taken to have an event in a tick, where lanes and banks are weighed up."""

MANY_AXONS, WIDE_WORD = 512, 32

SPRAM = (16, 16384)
"""Width and rows of an SPRAM."""

LINK_ROWS = ((32, 256), (32, 256))
"""The link's buffers."""

NO_LUT_RAM = ("ice40",)
"""Families without LUT RAM."""

LUT_RAM = (4, 16)
"""Width and rows of a LUT RAM."""

FEATURES: dict[str, Callable[[FabricConfig], int]] = {
    "design": lambda config: 1,
    "full host port": lambda config: config.host_port == "full",
    "encoder": lambda config: config.encoder is not None,
    "boot loader": lambda config: config.core.starts_empty,
    "hops": lambda config: 2 * config.nodes - config.width - config.height,
    "cores": lambda config: config.nodes,
    "banks": lambda config: config.nodes * config.core.banks,
    "weights": lambda config: config.nodes * config.core.banks * config.core.lanes * config.core.weight_bits,
    "sums": lambda config: config.nodes * config.core.lanes * config.core.accumulator_bits,
    "neurons": lambda config: config.nodes * config.core.update_lanes * sum(config.core.neuron.widths.values()),
    "groups": lambda config: config.nodes * config.core.groups,
    "words": lambda config: config.nodes * config.core.banks * config.core.bank_words,
    "counters": lambda config: config.nodes * config.core.counter_bits,
}
"""What LUTs are counted by, besides LUT RAMs: each has a share that is measured."""

Choice = tuple[int, int, int]
"""Lanes, banks, update lanes."""


def features(config: FabricConfig, name: str) -> list[int]:
    """What LUTs are counted by in the family ``name``: ``FEATURES``, and LUT RAMs."""
    wide, deep = LUT_RAM
    lut_rams = sum(-(-width // wide) * -(-rows // deep) for width, rows in _small_memories(config))
    return [*(int(feature(config)) for feature in FEATURES.values()), lut_rams * (name not in NO_LUT_RAM)]


def estimate(config: FabricConfig, name: str) -> dict[str, int]:
    """LUTs, block RAMs and SPRAMs of a fabric and its link in the family ``name``."""
    lut = sum(share * count for share, count in zip(calibration(name)["lut"], features(config, name), strict=True))
    return {"lut": round(lut), "ram": block_rams(config, name), "spram": sprams(config)}


def block_rams(config: FabricConfig, name: str) -> int:
    """Block RAMs: every memory in the shape that takes the fewest."""
    shapes = families()[name].RAMS
    return sum(
        min(-(-width // wide) * -(-rows // deep) for wide, deep in shapes) for width, rows in _memories(config, name)
    )


def sprams(config: FabricConfig) -> int:
    """SPRAMs that the synapses take."""
    shape, (wide, deep) = memory_map.shapes(config)[Region.SYNAPSES], SPRAM
    each = -(-shape.width // wide) * -(-shape.rows // deep)
    return config.nodes * shape.banks * each if config.core.starts_empty else 0


@cache
def calibration(name: str) -> dict:
    """What ``scripts/calibrate.py`` recorded of a family."""
    return json.loads(CALIBRATION.read_text())[name]


def _memories(config: FabricConfig, name: str) -> Iterator[tuple[int, int]]:
    """(width, rows) of every memory in block RAM; a state that is narrow may be in LUT RAM after all."""
    core = config.core
    of_core = [
        (shape.width, shape.rows if region is Region.STATE else core.table_rows(shape.rows))
        for region, shape in memory_map.shapes(config).items()
        if region not in (Region.STATUS, Region.WALKS)
        if region is not Region.SYNAPSES or not core.starts_empty
        for _ in range(shape.banks)
    ]
    yield from of_core * config.nodes
    yield from LINK_ROWS
    if encoder := config.encoder:
        yield rows.entry(config).width, core.table_rows(encoder.ways * encoder.lines)
        yield from encoder.spec.memories(encoder)
    if name in NO_LUT_RAM:
        yield from _small_memories(config)


def _small_memories(config: FabricConfig) -> Iterator[tuple[int, int]]:
    """(width, rows) of every memory that is in LUT RAM where there is some."""
    core = config.core
    of_core = [(core.lanes * core.accumulator_bits, core.groups + 1)]
    of_core += [(core.slot_word_bits, core.delay_slots * core.bank_words)] * core.banks
    if core.payload_bits:
        of_core += [(core.payload_bits, core.delay_slots * core.bank_axons)] * core.banks
    yield from of_core * config.nodes


def fit(network: Network, wishes: Wishes, board: Board, board_name: str, optimize: str = "throughput") -> Sizing:
    """The fabric for a network on a board: of those that fit, the fastest, or the smallest if ``optimize`` is "area".

    Where even the smallest is too large, ``EXTRAS`` give way; then, on a device that has SPRAM and unless the user
    wishes otherwise, all that again with synapses there.

    Raises InputError if none fits: by how much the smallest does not.
    """
    device = family(board.platform()).DEVICES[board.device]
    try:
        return _fit(network, wishes, board, board_name, optimize)
    except InputError:
        if not device.spram or wishes.synapse_memory:
            raise
    sizing = _fit(network, dataclasses.replace(wishes, synapse_memory="spram"), board, board_name, optimize)
    source = "the board's flash at start, or by the host" if board.flash else "the host"
    reason = f"synapses in SPRAM, for the {device.ram} block RAMs cannot hold them; loaded from {source}"
    return Sizing(sizing.config, [*sizing.reasons, reason])


def _fit(network: Network, wishes: Wishes, board: Board, board_name: str, optimize: str) -> Sizing:
    """The same with synapses where ``wishes`` say."""
    module = family(board.platform())
    device, choices = module.DEVICES[board.device], list(_choices(network, wishes))
    smallest = adapted(
        size(network, _asked(wishes, min(choices))).config, module.NAME, programmable=wishes.programmable
    )
    ranked = sorted(choices, key=lambda choice: _rank(network, _like(smallest, choice), module.NAME, optimize))
    unasked = _room(device, device.lut_share)
    attempts = [(extras, unasked) for extras in EXTRAS]
    if len(choices) == 1:
        attempts.append((EXTRAS[-1], _room(device, ASKED)))
    for extras, room in attempts:
        for choice in ranked:
            if not _fits(estimate(_like(smallest, choice, *extras), module.NAME), room):
                continue
            sizing = size(network, _asked(wishes, choice))
            config = adapted(sizing.config, module.NAME, *extras, wishes.programmable)
            need = estimate(config, module.NAME)
            if _fits(need, room):
                return Sizing(config, [*sizing.reasons, *_reasons(board_name, device, need, optimize, *extras)])
    least = estimate(_like(smallest, min(choices), *EXTRAS[-1]), module.NAME)
    worst = max(unasked, key=lambda kind: least[kind] / max(1, unasked[kind]))
    others = _others(_like(smallest, min(choices), *EXTRAS[-1]))[:MENTIONED]
    message = too_large(network.name, board_name, worst, least[worst], unasked[worst], others)
    raise InputError(f"the smallest fabric for {message}")


def _others(config: FabricConfig) -> list[str]:
    """Boards that a fabric fits with its synapses in block RAM, small ones first."""
    config = _changed(config, config.host_port, synapse_memory="block")
    found = {name: family(item.platform()) for name, item in boards().items()}
    devices = {name: module.DEVICES[boards()[name].device] for name, module in found.items()}
    fitting = [
        name
        for name, module in found.items()
        if _fits(estimate(config, module.NAME), _room(devices[name], devices[name].lut_share))
    ]
    return sorted(fitting, key=lambda name: (devices[name].lut, name))


def adapted(
    config: FabricConfig, name: str, counter_bits: int = 32, host_port: str = "full", programmable: bool = False
) -> FabricConfig:
    """The fabric as the family holds it best: iCE40 has no LUT RAM, so what says which words of a slot's bitmap count
    is in flip-flops, and words are wide where they are many; an image inside is where it can be exchanged."""
    is_wide = name == "ice40" and config.core.bank_axons > MANY_AXONS
    return _changed(
        config,
        host_port,
        accumulators="block" if name == "ice40" else "distributed",
        slot_word_bits=WIDE_WORD if is_wide else config.core.slot_word_bits,
        image_memories="any" if programmable or config.core.starts_empty else "block",
        memory_registers=families()[name].MEMORY_REGISTERS,
        counter_bits=counter_bits,
    )


def cycles(network: Network, config: FabricConfig) -> float:
    """Clocks of a tick, roughly: passes of the events that are assumed, and updates."""
    core = config.core
    passes = sum(
        -(-p.shape[1] // core.lanes) * max(1.0, ACTIVITY * p.shape[0] / core.banks) for p in network.projections
    )
    return (passes + sum(-(-p.size // core.update_lanes) for p in network.populations)) / config.nodes


def _choices(network: Network, wishes: Wishes) -> Iterator[Choice]:
    largest = max(population.size for population in network.populations)
    lanes = [wishes.lanes] if wishes.lanes else [n for n in LANES if n < 2 * largest] or LANES[:1]
    updates = [wishes.update_lanes] if wishes.update_lanes else UPDATE_LANES
    for choice in product(lanes, [wishes.banks] if wishes.banks else BANKS, updates):
        if choice[2] <= choice[0]:
            yield choice


def _asked(wishes: Wishes, choice: Choice) -> Wishes:
    return dataclasses.replace(wishes, **dict(zip(("lanes", "banks", "update_lanes"), choice, strict=True)))


def _like(config: FabricConfig, choice: Choice, counter_bits: int = 32, host_port: str = "full") -> FabricConfig:
    """``config`` with other lanes and banks, without mapping the network: as many synapses in all."""
    core, (lanes, banks, update_lanes) = config.core, choice
    rows = -(-core.rows * core.lanes * core.banks // (lanes * banks))
    return _changed(
        config, host_port, lanes=lanes, banks=banks, update_lanes=update_lanes, synapse_rows=rows,
        counter_bits=counter_bits, axons=max(core.axons, banks),
    )  # fmt: skip


def _changed(config: FabricConfig, host_port: str, **core) -> FabricConfig:
    changed = {"host_port": host_port, "core": config.core.model_dump() | core}
    return FabricConfig.parse(config.model_dump() | changed, "fabric of the board")


def _rank(network: Network, config: FabricConfig, name: str, optimize: str) -> tuple[float, float]:
    cost, lut = cycles(network, config), estimate(config, name)["lut"]
    return (lut, cost) if optimize == "area" else (cost, lut)


def _fits(need: dict[str, int], room: dict[str, int]) -> bool:
    return all(need[kind] <= most for kind, most in room.items())


def _room(device: Device, lut_share: float) -> dict[str, int]:
    """What of a device may be used."""
    return {"lut": int(device.lut * lut_share), "ram": device.ram, "spram": device.spram}


def _reasons(
    board_name: str, device: Device, need: dict[str, int], optimize: str, counter_bits: int, host_port: str
) -> list[str]:
    found = [
        f"for {board_name}, {optimize} first: about {need['lut']:,} of {device.lut:,} LUTs,"
        f" {need['ram']} of {device.ram} block RAMs"
    ]
    if host_port != "full":
        found.append("a small host port, without real time: the device has no room for a full one")
    if counter_bits != EXTRAS[0][0]:
        counters = f"{counter_bits}-bit" if counter_bits else "no"
        found.append(f"{counters} activity counters: the device has no room for wider ones")
    return found
