"""Choosing a fabric for a network: widths as needed, one core where that is reasonable, and the reasons."""

import math
from dataclasses import dataclass

import numpy as np

from ..spec.config import CoreConfig, FabricConfig, NeuronConfig
from ..spec.errors import InputError
from ..spec.fixed import index_bits, signed_bits_for
from ..spec.network import Network
from .accumulator import accumulator_bits
from .mapping import Mapping, map_network, schedule
from .mapping.parameters import common_model, value_of

CORE_AXONS, CORE_NEURONS = 1024, 512
"""The largest core that is chosen unasked; a population with a larger fan-in gets as many axons as it needs."""

LANES, BANKS, UPDATE_LANES = 32, 4, 8
LARGEST_DELAY_SLOTS = 64
LARGEST_SIDE = 16


@dataclass(frozen=True)
class Wishes:
    """What the user wants of a fabric that is chosen for a network; None: choose.

    ``programmable``: an overlay for other networks too: all parameters in tables, loaded at run time.
    """

    name: str | None = None
    width: int | None = None
    height: int | None = None
    lanes: int | None = None
    banks: int | None = None
    update_lanes: int | None = None
    weight_bits: int | None = None
    accumulator_bits: int | None = None
    programmable: bool = False


@dataclass(frozen=True)
class Sizing:
    """A configuration and why it is as it is, one sentence each."""

    config: FabricConfig
    reasons: list[str]


def size(network: Network, wishes: Wishes = Wishes()) -> Sizing:  # noqa: B008  frozen
    """The smallest sensible fabric for ``network``: it is mapped onto a generous one, which is then cut to what was used.

    Raises InputError if no fabric can hold the network: different neuron models, a delay over 63 ticks, a fan-in over 4096.
    """
    reasons: list[str] = []
    roomy = _roomy_core(network, wishes, reasons)
    shapes = _shapes(network, wishes)
    for width, height in shapes:
        config = FabricConfig.parse(
            {
                "name": wishes.name or network.name.lower(),
                "width": width,
                "height": height,
                "lines": sum(network.population(output.population).size for output in network.outputs),
                "phase_bits": 6,
                "depth_bits": 12,
                "core": roomy,
            },
            "fabric chosen for the network",
        )
        try:
            mapping = map_network(network, config, placement="compact" if (width, height) == (1, 1) else "balanced")
        except InputError:
            if (width, height) == shapes[-1]:
                raise
            continue
        reasons.insert(0, _mesh_reason(network, config))
        return Sizing(_cut(config, mapping, reasons), reasons)
    raise InputError("no mesh to try")
