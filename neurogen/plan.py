"""From a project to everything that would be built, and that as text: what ``check`` prints."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .catalog import text_table
from .compiler import Options, Quantisation, Source, Wishes, compile, quantise, read, size
from .compiler.source import integer_equations
from .project import Project
from .spec.config import FabricConfig
from .spec.image import Image
from .spec.network import Network

DIGITS = Path(__file__).parent / "data" / "digits.nir"
"""The shipped network: what is built where none is named."""


@dataclass(frozen=True)
class Plan:
    """A network on its way to a fabric: as it was read, in integers, and mapped. ``reasons`` explain ``config``."""

    source: Source
    network: Network
    config: FabricConfig
    reasons: list[str]
    image: Image


def plan(project: Project) -> Plan:
    """Read, quantise, choose a fabric unless the project has one, and map. Writes nothing.

    Raises InputError for whatever is wrong with the network, or if it does not fit the fabric.
    """
    source = read(project.network or DIGITS, Options(**project.importing.model_dump()))
    network = quantise(source, Quantisation(**project.quantise.model_dump()))
    if project.fabric is not None:
        config, reasons = project.fabric, ["as the project says"]
    else:
        sizing = size(network, Wishes(**project.size.model_dump()))
        config, reasons = sizing.config, sizing.reasons
    return Plan(source, network, config, reasons, compile(network, config))


def record(found: Plan) -> dict[str, Any]:
    """The plan as JSON."""
    network, image = found.network, found.image
    return {
        "network": network.name,
        "inputs": [vars(item) for item in network.inputs],
        "populations": list(_populations(found)),
        "synapses": sum(int(np.count_nonzero(projection.weights)) for projection in network.projections),
        "equations": {name: {"float": _float(found, name), "integer": text} for name, text in _integer(found).items()},
        "notes": list(found.source.notes),
        "fabric": found.config.model_dump(),
        "reasons": found.reasons,
        "step_ticks": image.step_ticks,
        "depth_ticks": image.depth,
        "digest": network.digest,
    }


def text(found: Plan) -> str:
    """The plan on one screen: network, equations, fabric and why, notes."""
    data, core = record(found), found.config.core
    sizes = ", ".join(f"{item['size']} inputs {item['name']!r}" for item in data["inputs"])
    neurons = sum(population["neurons"] for population in data["populations"])
    lines = [
        f"network {data['network']}: {sizes}; {neurons} neurons, {data['synapses']} synapses other than 0",
        "",
        *_indented(text_table(data["populations"])),
        "",
        "equations",
        *(line for name, equation in data["equations"].items() for line in _equation(name, equation)),
        "",
        f"fabric {found.config.name}: {found.config.width}x{found.config.height} cores of {core.axons} axons x"
        f" {core.neurons} neurons; {data['step_ticks']} ticks per step, {data['depth_ticks']} deep",
        *_indented("\n".join(data["reasons"])),
    ]
    if data["notes"]:
        lines += ["", "notes", *_indented("\n".join(data["notes"]))]
    return "\n".join(lines)


def _populations(found: Plan) -> Iterator[dict[str, Any]]:
    width = found.config.width
    for population in found.network.populations:
        places = [
            f"{p.first}..{p.first + p.count - 1} at core {p.core % width},{p.core // width} from neuron {p.neuron}"
            for p in found.image.placements
            if p.population == population.name
        ]
        yield {
            "population": population.name,
            "neurons": population.size,
            "model": population.model,
            "mapping": "; ".join(places),
        }


def _integer(found: Plan) -> dict[str, str]:
    return integer_equations(found.network)


def _float(found: Plan, population: str) -> str | None:
    """The equation as it was read; None where the file has integers, or for a population that quantisation added."""
    return None if found.source.network is not None else found.source.equations.get(population)


def _equation(name: str, equation: dict[str, str | None]) -> Iterator[str]:
    yield f"  {name}"
    yield from (f"    {kind}: {value}" for kind, value in equation.items() if value)


def _indented(block: str) -> list[str]:
    return [f"  {line}" for line in block.splitlines()]
