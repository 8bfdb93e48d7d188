"""A sweep as a table, as JSON and as a picture."""

import json
from pathlib import Path
from typing import Any

from ..catalog import text_table
from ..compiler import read
from ..compiler.writers import nir
from ..host import data
from ..spec.errors import CheckError
from .sweep import Layer, Point, Sweep

PICTURE, RECORD = "sweep.svg", "sweep.json"
LEGEND = "neurons and steps with equal spikes, and how many times the reference's spikes; of values the relative error"


def table(sweep: Sweep) -> str:
    """One row per width, and how the choice was made."""
    rows = [_row(point, sweep) for point in sweep.points]
    lines = [text_table(rows), "", f"{sweep.samples} samples; by population: {LEGEND}"]
    if sweep.accuracy is not None:
        lines.append(f"accuracy of the float reference: {sweep.accuracy:.2%}")
    return "\n".join([*lines, f"chosen: {sweep.chosen} bits, {sweep.rule}"])


def _row(point: Point, sweep: Sweep) -> dict[str, Any]:
    row: dict[str, Any] = {"bits": point.weight_bits, "weights": f"{point.weight_kbits:.1f} kbit"}
    if point.accuracy is not None:
        row |= {"accuracy": f"{point.accuracy:.2%}", "loss": f"{100 * (sweep.accuracy - point.accuracy):+.2f}"}
    row |= {name: _text(layer) for name, layer in point.layers.items()}
    return row | {"": "<- chosen" if point.weight_bits == sweep.chosen else ""}


def _text(layer: Layer) -> str:
    if layer.error is not None:
        return f"error {layer.error:.2%}"
    return f"{layer.agreement:.2%}" + ("" if layer.ratio is None else f" x{layer.ratio:.3f}")


def write(sweep: Sweep, folder: Path) -> list[Path]:
    """Write into ``folder`` the chosen network as NIR, the record, and the picture; their paths.

    Raises CheckError if the network is not read back as it was.
    """
    network = folder / f"{sweep.network.name}_{sweep.chosen}bit.nir"
    nir.write(sweep.network, network)
    if read(network).network.digest != sweep.network.digest:
        raise CheckError(f"{network}: reads back as another network than the one that was written")
    data.replace(folder / RECORD, (json.dumps(sweep.record, indent=2) + "\n").encode())
    draw(sweep, folder / PICTURE)
    return [network, folder / RECORD, folder / PICTURE]


def draw(sweep: Sweep, path: Path) -> None:
    """Accuracy and agreement over bits. The same sweep gives the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    bits = [point.weight_bits for point in sweep.points]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    plots = figure.subplots(1, 2 if sweep.accuracy is not None else 1, squeeze=False)[0]
    if sweep.accuracy is not None:
        plots[0].plot(bits, [100 * point.accuracy for point in sweep.points], "o-", label="integers")
        plots[0].axhline(100 * sweep.accuracy, color="0.4", linestyle="--", label="float reference")
        plots[0].set_ylabel("accuracy (%)")
    for name, layer in sweep.points[0].layers.items():
        found = [point.layers[name] for point in sweep.points]
        values = [100 * (item.agreement if layer.error is None else 1 - item.error) for item in found]
        plots[-1].plot(bits, values, "o-", label=name if layer.error is None else f"{name} (1 - error of values)")
    plots[-1].set_ylabel("spikes equal to the reference's (%)")
    for plot in plots:
        plot.axvline(sweep.chosen, color="tab:green", linewidth=6, alpha=0.2, zorder=0, label="chosen")
        plot.set_xlabel("bits of a weight")
        plot.set_xticks(bits)
        plot.grid(alpha=0.3)
        plot.legend(loc="lower right")
    figure.suptitle(f"{sweep.network.name}: {sweep.samples} samples")
    with matplotlib.rc_context({"svg.hashsalt": sweep.network.name}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
