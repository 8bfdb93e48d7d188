"""What a build is, as data (``summary.json``) and as a page (``index.html``)."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2

from golden import network as golden_network
from golden import samples as golden_samples
from golden.fabric import Fabric

from ..compiler.source import integer_equations
from ..host import data
from ..spec import memory_map
from ..spec.config import FabricConfig
from ..spec.memory_map import COUNTERS, Status
from ..spec.network import Network
from .emit import versions
from .target import Target

TEMPLATE = Path(__file__).with_name("report.html.j2")
CYCLE_SAMPLES = 8


def summary(target: Target) -> dict[str, Any]:
    """Everything that the report says. Names of NeuroBench where it defines the quantity."""
    network, image, core = target.network, target.image, target.config.core
    return {
        "name": target.name,
        "versions": versions(),
        "fabric": target.config.model_dump(),
        "reasons": list(target.reasons),
        "notes": list(target.notes),
        "step_ticks": image.step_ticks,
        "depth_ticks": image.depth,
        "overlappable": image.overlappable,
        "image": "in the Verilog" if target.folded else "loaded by the host",
        "equations": dict(target.equations),
        "integer_equations": integer_equations(network),
        "populations": [
            {"name": p.name, "neurons": p.size, "model": p.model, "widths": p.widths} for p in network.populations
        ],
        "projections": [
            {"source": p.source, "target": p.target, "synapses": p.synapses, "delay": p.delay}
            for p in network.projections
        ],
        "mapping": list(_mapping(target)),
        "memory": list(_memory(target.config)),
        "synaptic_operations_per_clock": core.banks * core.lanes * target.config.nodes,
        "ConnectionSparsity": _connection_sparsity(network),
        "measured": _measured(target),
    }


def page(found: dict[str, Any]) -> str:
    """The summary as one self-contained HTML page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text()).render(found)


def _mapping(target: Target) -> Iterator[dict[str, Any]]:
    width = target.config.width
    for p in target.image.placements:
        y, x = divmod(p.core, width)
        yield {"population": p.population, "count": p.count, "core": [x, y], "neurons": str(p)}


def _memory(config: FabricConfig) -> Iterator[dict[str, Any]]:
    """Extent of every memory of one core, in bits."""
    for region, shape in memory_map.shapes(config).items():
        if region is not memory_map.Region.STATUS:
            bits = shape.banks * shape.rows * shape.width
            yield {"memory": region.name.lower(), "banks": shape.banks, "rows": shape.rows, "width_bits": shape.width,
                   "bits": bits}  # fmt: skip


def _connection_sparsity(network: Network) -> float:
    """Share of the synapses that could exist and are 0."""
    present = sum(p.synapses for p in network.projections)
    return 1 - present / sum(math.prod(p.shape) for p in network.projections)


def _measured(target: Target) -> dict[str, Any] | None:
    """Accuracy, activity and cycles on the samples that are shipped with the network; None without."""
    if target.samples is None:
        return None
    samples = data.read(target.samples, target.network.inputs)
    result = golden_network.run(target.network, samples.inputs, record=target.network.order)
    outputs = {o.population for o in target.network.outputs if not o.values}
    classes = data.decide({name: s for name, s in result.spikes.items() if name in outputs}, result.values)
    sites = sum(p.size for p in target.network.populations) * samples.steps * len(samples)
    fired = sum(result.counts[p.name] for p in target.network.populations)
    return {
        "samples": len(samples),
        "steps": samples.steps,
        "ClassificationAccuracy": None if samples.labels is None else float((classes == samples.labels).mean()),
        "ActivationSparsity": 1 - fired / sites,
        "SynapticOperations": {"Effective_ACs": sum(result.operations) / len(samples)},
        "spikes_per_sample": {name: count / len(samples) for name, count in result.counts.items()},
        **_cycles(target, samples[:CYCLE_SAMPLES]),
    }


def _cycles(target: Target, samples: data.Samples) -> dict[str, Any]:
    """Clocks in which synapse rows are read and neurons updated, for a sample, in the busiest core."""
    fabric = Fabric(target.image)
    golden_samples.run(fabric, samples.inputs)
    counters = [fabric.counters(core) for core in range(target.config.nodes)]
    total = {c: [found[c] / len(samples) for found in counters] for c in COUNTERS}
    return {
        "integrate_cycles_per_sample": max(total[Status.INTEGRATE_CYCLES]),
        "update_cycles_per_sample": max(total[Status.UPDATE_CYCLES]),
        "packets_per_sample": sum(total[Status.PACKETS]),
    }
