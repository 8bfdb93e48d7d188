"""What would be built, as data and on one screen: what ``check`` prints."""

from collections.abc import Iterator
from typing import Any

from .catalog import text_table
from .compiler import Options, Quantisation, mapping, quantise, read
from .compiler.source import integer_equations
from .flow.target import SHIPPED, Target
from .project import Project


def problems(project: Project) -> list[str]:
    """Everything that can be found wrong at once with a network on the project's own fabric.

    Raises InputError if the network itself cannot be read.
    """
    source = read(project.network or SHIPPED, Options(**project.importing.model_dump()))
    network = quantise(source, Quantisation(**project.quantise.model_dump()))
    return mapping.problems(network, project.fabric)


def record(found: Target) -> dict[str, Any]:
    """The plan as JSON."""
    network, image = found.network, found.image
    return {
        "network": network.name,
        "inputs": [vars(item) for item in network.inputs],
        "populations": list(_populations(found)),
        "synapses": sum(projection.synapses for projection in network.projections),
        "equations": _equations(found),
        "notes": list(found.notes),
        "fabric": found.config.model_dump(),
        "reasons": list(found.reasons) or ["as the project says", *image.metadata.get("relays", ())],
        "step_ticks": image.step_ticks,
        "depth_ticks": image.depth,
        "digest": network.digest,
    }


def text(found: Target) -> str:
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


def _populations(found: Target) -> Iterator[dict[str, Any]]:
    width = found.config.width
    for population in found.network.populations:
        places = [
            f"core {p.core % width},{p.core // width}: {p}"
            for p in found.image.placements
            if p.population == population.name
        ]
        yield {
            "population": population.name,
            "neurons": population.size,
            "model": population.model,
            "mapping": "; ".join(places),
        }


def _equations(found: Target) -> dict[str, dict[str, str]]:
    """By population: the equation in integers, and as it was read where the file has floating point."""
    integer = integer_equations(found.network)
    read = {name: {"float": text} for name, text in found.equations.items() if text != integer.get(name)}
    return {name: read.get(name, {}) | {"integer": text} for name, text in integer.items()}


def _equation(name: str, equation: dict[str, str]) -> Iterator[str]:
    yield f"  {name}"
    yield from (f"    {kind}: {text}" for kind, text in equation.items())


def _indented(block: str) -> list[str]:
    return [f"  {line}" for line in block.splitlines()]
