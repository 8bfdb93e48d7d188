"""What a build is, as data (``summary.json``), as pictures and as a page (``index.html``)."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from golden import network as golden_network

from .. import neurobench
from ..compiler.mapping import quality
from ..compiler.source import integer_equations
from ..host import data
from ..spec import memory_map
from ..spec.config import FabricConfig
from ..spec.memory_map import Status
from . import measure, view
from .emit import versions
from .target import Target
from .verify import verify

TEMPLATE = Path(__file__).with_name("report.html.j2")
SUMMARY, PAGE = "summary.json", "index.html"


@dataclass(frozen=True)
class Report:
    """``summary`` is JSON; ``pictures`` are SVG files by their stems."""

    summary: dict[str, Any]
    pictures: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write the summary, the pictures and the page."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {SUMMARY: json.dumps(self.summary, indent=2) + "\n", PAGE: page(self)}
        files |= {f"{name}.svg": picture for name, picture in self.pictures.items()}
        for name, text in files.items():
            data.replace(folder / name, text.encode())

    @classmethod
    def read(cls, folder: Path) -> "Report":
        """What :meth:`write` wrote."""
        pictures = {path.stem: path.read_text() for path in sorted(folder.glob("*.svg"))}
        return cls(json.loads((folder / SUMMARY).read_text()), pictures)


def make(target: Target, samples: data.Samples | None) -> Report:
    """The report of ``target``, with what ``samples`` show where there are any."""
    run = None if samples is None else measure.run(target.image, samples.inputs)
    pictures = {"mapping": view.mapping(target.image, run)}
    if samples is not None:
        pictures["spikes"] = view.sample(target.network, samples)
    found = _plan(target) | {"measured": None if run is None else _measured(target, samples, run)}
    return Report(found, {name: view.rendered(figure, "svg").decode() for name, figure in pictures.items()})


def renew(folder: Path, found: Report) -> None:
    """Write a report over an earlier one, keeping what that says of a bitstream."""
    if (folder / SUMMARY).exists() and "bitstream" in (old := Report.read(folder).summary):
        found.summary["bitstream"] = old["bitstream"]
    found.write(folder)


def simulated(target: Target, path: Path | None, engine: str, binning: data.Binning) -> dict[str, Any]:
    """Clocks of a tick in the Verilog, over one sample without stalls at the ports, beside what the model says."""
    (found,) = verify(target, path, [engine], samples=1, allow_silent=True, binning=binning)
    counts = found.statistics
    return {
        "simulator": engine,
        "ticks": counts.ticks,
        "per_tick": counts.tick_cycles / counts.ticks,
        "bound_per_tick": counts.bound_cycles / counts.ticks,
    }


def text(found: Report) -> str:
    """What matters most, on a few lines."""
    measured = found.summary["measured"]
    lines = [
        f"Footprint {found.summary['Footprint']:,} bytes, ConnectionSparsity {found.summary['ConnectionSparsity']}"
    ]
    if measured:
        clocks, placed, operations = measured["clocks"], measured["placement"], measured["SynapticOperations"]
        if measured["ClassificationAccuracy"] is not None:
            lines.append(f"ClassificationAccuracy {measured['ClassificationAccuracy']:.2%}")
        lines.append(f"ActivationSparsity {measured['ActivationSparsity']:.4f}")
        lines.append(
            f"SynapticOperations {operations['Effective_ACs']:,.0f} ACs a sample of {operations['Dense']:,} dense"
        )
        kind = "" if clocks["exact"] else "at least "
        lines.append(f"clocks {kind}{clocks['per_tick']:.1f} a tick, {kind}{clocks['per_sample']:,.0f} a sample")
        if clocks["simulated"]:
            lines.append(
                "clocks {per_tick:.1f} a tick in {simulator} ({bound_per_tick:.1f} by the model)".format(
                    **clocks["simulated"]
                )
            )
        lines.append(
            "hops {hops_per_sample:,.1f} a sample; bound {lower_bound:,.1f}, random {random:,.1f}".format(**placed)
        )
    return "\n".join(lines)


def page(found: Report) -> str:
    """The report as one self-contained HTML page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["n"] = lambda value, digits=0: f"{value:,.{digits}f}"
    pictures = {name: base64.b64encode(text.encode()).decode() for name, text in found.pictures.items()}
    return environment.from_string(TEMPLATE.read_text()).render(found.summary, pictures=pictures)


def _plan(target: Target) -> dict[str, Any]:
    """What is known without a run. Names of NeuroBench where it defines the quantity."""
    network, image = target.network, target.image
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
        "synaptic_operations_per_clock": target.config.operations,
        **neurobench.static(network),
    }


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


def _measured(target: Target, samples: data.Samples, run: measure.Run) -> dict[str, Any]:
    """Accuracy and activity on all samples; clocks, traffic and energy terms on those that the fabric's model ran."""
    found = golden_network.run(target.network, samples.inputs)
    classes = data.decide(found.spikes, found.values)
    accuracy = None if samples.labels is None else float((classes == samples.labels).mean())
    sites = {item.name: item.size for item in (*target.network.inputs, *target.network.populations)}
    return {
        "samples": len(samples),
        "steps": samples.steps,
        "notes": list(samples.notes),
        "ClassificationAccuracy": accuracy,
        **neurobench.workload(target.network, found, len(samples), samples.steps),
        "activity": [
            {"name": name, "events_per_sample": count / len(samples),
             "events_per_neuron_and_step": count / len(samples) / samples.steps / sites[name]}
            for name, count in found.counts.items()
        ],
        "fabric_samples": run.samples,
        "clocks": _clocks(target.config, run),
        "placement": _placement(target.config, run),
        "energy_terms_per_sample": _energy_terms(target.config, run),
    }  # fmt: skip


def _clocks(config: FabricConfig, run: measure.Run) -> dict[str, Any]:
    """Clocks of a tick without stalls, by the cycle model; ``exact`` or, on a mesh, a proved lower bound."""
    operations = run.counters[Status.ROWS].sum() * config.core.lanes
    return {
        "exact": config.nodes == 1,
        "per_tick": float(run.tick_cycles.mean()),
        "longest_tick": int(run.tick_cycles.max()),
        "per_sample": float(run.tick_cycles.sum() / run.samples),
        "integrate_per_sample": float(run.counters[Status.INTEGRATE_CYCLES].max() / run.samples),
        "update_per_sample": float(run.counters[Status.UPDATE_CYCLES].max() / run.samples),
        "synaptic_operations_per_clock": float(operations / run.tick_cycles.sum()),
        "simulated": None,
    }


def _placement(config: FabricConfig, run: measure.Run) -> dict[str, Any]:
    """How good the mapping is.

    ``core_balance``: mean by largest of the cores' busy clocks, over the cores that do anything. ``bank_use``: synapse
    rows read, by what the banks could have read in the clocks in which they read any.
    """
    hops = quality.hops(run.events, config)
    integrate, busy = run.counters[Status.INTEGRATE_CYCLES], run.busy_cycles
    most = integrate.sum() * config.core.banks
    return {
        "hops_per_sample": hops.placed / run.samples,
        "lower_bound": hops.bound / run.samples,
        "best": None if hops.best is None else hops.best / run.samples,
        "random": hops.random / run.samples,
        "core_balance": float(busy[busy > 0].mean() / busy.max()) if busy.any() else None,
        "bank_use": float(run.counters[Status.ROWS].sum() / most) if most else None,
    }


def _energy_terms(config: FabricConfig, run: measure.Run) -> dict[str, float]:
    """The factors of P = P_idle + P_core active + P_N neuron updates + P_S synaptic operations + P_H hops."""
    lanes = config.core.lanes
    terms = {
        "active_cycles": run.busy_cycles.sum(),
        "neuron_updates": run.counters[Status.UPDATES].sum() * lanes,
        "synaptic_operations": run.counters[Status.ROWS].sum() * lanes,
        "hops": run.counters[Status.HOPS].sum(),
    }
    return {name: float(count / run.samples) for name, count in terms.items()}
