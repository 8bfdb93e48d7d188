"""NIRData, the file of the ``nir`` package for spikes and values: read as X, written as Y.

A file holds observables of nodes. Gridded ones have a step ``dt``; events have times, which are taken to be seconds.
"""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..spec.errors import InputError
from ..spec.network import Input
from .events import Binning, Recording, grid

if TYPE_CHECKING:
    import nir

SUFFIXES = (".nir", ".h5", ".hdf5")
SPIKES, VALUES = "spikes", "v"
"""Names of the observables that are written, and read first."""

_EDGE = 1e-6  # of a step: an event this close below a step's start belongs to that step, as floats are not exact


def read(path: Path, inputs: tuple[Input, ...], binning: Binning) -> tuple[dict[str, np.ndarray], float, list[str]]:
    """The inputs' events (B, T, n) by name, the length of a step in the file's unit, and what was left out.

    A node has the name of its input; where both are alone they may differ. Of several observables ``spikes`` counts.

    Raises InputError for a file that cannot be read or lacks an input, and for events that cannot be placed.
    """
    nodes = _nodes(path)
    found, steps, notes = {}, set(), []
    for item in inputs:
        observable = _observable(path, nodes, item, alone=len(inputs) == len(nodes) == 1)
        found[item.name], step, said = _gridded(f"{path}: {item.name}", item, observable, binning)
        steps.add(step)
        notes += said
    if len(steps) > 1:
        raise InputError(f"{path}: the inputs have steps of different length: {', '.join(map(str, sorted(steps)))}")
    return found, steps.pop(), notes


def _nodes(path: Path) -> "dict[str, nir.NIRGraphData | nir.NIRNodeData]":
    import nir

    if not path.is_file():
        raise InputError(f"{path}: No such file or directory")
    try:
        return nir.read_data(str(path)).nodes
    except OSError:
        raise InputError(f"{path}: not a readable NIRData file") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path}: there is no NIRData in this file") from None


def _observable(path: Path, nodes: Mapping, item: Input, alone: bool) -> "nir.TimeGriddedData | nir.EventData":
    import nir

    node = next(iter(nodes.values())) if alone else nodes.get(item.name)
    if not isinstance(node, nir.NIRNodeData):
        raise InputError(f"{path}: there is no node {item.name!r}; there are {', '.join(nodes) or 'none'}")
    if SPIKES in node.observables or len(node.observables) == 1:
        return node.observables.get(SPIKES) or next(iter(node.observables.values()))
    names = ", ".join(node.observables) or "none"
    raise InputError(f"{path}: node {item.name!r} has no observable {SPIKES!r}; it has {names}")


def _gridded(where: str, item: Input, observable, binning: Binning) -> tuple[np.ndarray, float, list[str]]:
    """(B, T, n), the length of a step, and sentences about what was left out."""
    import nir

    if isinstance(observable, nir.TimeGriddedData):
        return observable.data, observable.dt, []
    if binning.step_us is None:
        raise InputError(f"{where}: events need --step-us, the length of a step in microseconds")
    step = binning.step_us / 1e6
    sample, event = np.nonzero(observable.idx != -1)
    valued = isinstance(observable, nir.ValuedEventData)
    value = observable.value[sample, event] if valued else np.ones(len(event))
    if (value != np.floor(value)).any():
        raise InputError(f"{where}: an event has the value {value[value != np.floor(value)][0]}, not an integer")
    recording = Recording(
        t=np.floor(observable.time[sample, event] / step + _EDGE).astype(np.int64) * binning.step_us,
        x=observable.idx[sample, event].astype(np.int64),
        y=np.zeros(len(event), dtype=np.int64),
        p=None,
        sample=sample,
        value=value.astype(np.int64),
        samples=observable.n_samples,
    )
    steps = binning.steps or max(1, int(np.floor(observable.t_max / step + _EDGE)))
    binning = replace(binning, sensor=f"{observable.n_neurons}x1", steps=steps)
    values, notes = grid(recording, item, binning, where)
    return values, step, notes


def write(spikes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], step: float) -> bytes:
    """A NIRData file: by population the observable ``spikes`` (bool) or ``v`` (int32), gridded with ``step``."""
    import nir

    nodes: dict[str, dict[str, np.ndarray]] = {}
    for name, array in spikes.items():
        nodes.setdefault(name, {})[SPIKES] = array.astype(bool)
    for name, array in values.items():
        nodes.setdefault(name, {})[VALUES] = array.astype(np.int32)
    graph = nir.NIRGraphData(
        {
            node: nir.NIRNodeData({name: nir.TimeGriddedData(array, step) for name, array in found.items()})
            for node, found in nodes.items()
        }
    )
    buffer = io.BytesIO()
    nir.write_data(buffer, graph)
    return buffer.getvalue()
