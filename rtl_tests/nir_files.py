"""NIR files for tests, written without the nir package, and what their nodes mean, in plain loops."""

from collections.abc import Mapping
from itertools import product

import h5py
import numpy as np


def fill(group, record: Mapping) -> None:
    """Write nested mappings as groups and everything else as datasets."""
    for key, value in record.items():
        if isinstance(value, dict):
            fill(group.create_group(key), value)
        else:
            group.create_dataset(key, data=value)


def write(path, nodes: dict, edges: list, **graph):
    """A NIR file as h5py writes it, without anything that the nir package would insist on."""
    with h5py.File(path, "w") as file:
        fill(file, {"version": "1.0.8", "node": {"type": "NIRGraph", "nodes": nodes, **graph}})
        file["node"].create_dataset("edges", data=np.array(edges, dtype="S"))
    return path


def entry(shape) -> dict:
    return {"type": "Input", "shape": np.array(shape)}


def output(shape) -> dict:
    return {"type": "Output", "shape": np.array(shape)}


def adder(size: int | tuple = ()) -> dict:
    """An IF whose membrane is the sum of its input, with dt 1."""
    return {"type": "IF", "r": np.ones(size), "v_threshold": np.ones(size), "v_reset": np.zeros(size)}


def pair(value) -> tuple[int, int]:
    values = np.ravel(value)
    return int(values[0]), int(values[-1])


def convolved(record, x: np.ndarray) -> np.ndarray:
    """Conv2d as its equation, one product after the other."""
    weight, groups = record["weight"], int(record["groups"])
    (sy, sx), (dy, dx) = pair(record["stride"]), pair(record["dilation"])
    out, reads, height, width = weight.shape
    spans = (dy * (height - 1), dx * (width - 1))
    padding = record["padding"]
    if isinstance(padding, str) and padding == "same":
        before = (spans[0] // 2, spans[1] // 2)
        rows, columns = x.shape[1:]
    else:
        before = (0, 0) if isinstance(padding, str) else pair(padding)
        rows = (x.shape[1] + 2 * before[0] - spans[0] - 1) // sy + 1
        columns = (x.shape[2] + 2 * before[1] - spans[1] - 1) // sx + 1
    found = np.zeros((out, rows, columns))
    for o, y, z, c, i, j in product(*map(range, (out, rows, columns, reads, height, width))):
        at = (y * sy - before[0] + i * dy, z * sx - before[1] + j * dx)
        if 0 <= at[0] < x.shape[1] and 0 <= at[1] < x.shape[2]:
            found[o, y, z] += weight[o, c, i, j] * x[(o * groups // out) * reads + c, at[0], at[1]]
    return found + record["bias"][:, None, None]


def pooled(record, x: np.ndarray) -> np.ndarray:
    (height, width), (sy, sx), (py, px) = (pair(record[key]) for key in ("kernel_size", "stride", "padding"))
    rows, columns = (x.shape[1] + 2 * py - height) // sy + 1, (x.shape[2] + 2 * px - width) // sx + 1
    found = np.zeros((len(x), rows, columns))
    for c, y, z, i, j in product(*map(range, (len(x), rows, columns, height, width))):
        at = (y * sy - py + i, z * sx - px + j)
        if 0 <= at[0] < x.shape[1] and 0 <= at[1] < x.shape[2]:
            found[c, y, z] += x[c, at[0], at[1]]
    return found


MEANING = {
    "Linear": lambda record, x: record["weight"] @ x,
    "Affine": lambda record, x: record["weight"] @ x + record["bias"],
    "Scale": lambda record, x: record["scale"] * x,
    "Flatten": lambda record, x: x.reshape(-1),
    "Conv2d": convolved,
    "Conv1d": lambda record, x: convolved(_rows(record), x[:, None, :])[:, 0, :],
    "SumPool2d": pooled,
    "AvgPool2d": lambda record, x: pooled(record, x) / np.prod(pair(record["kernel_size"])),
}


def _rows(record) -> dict:
    """A Conv1d as a Conv2d with one row."""
    found = {key: np.array([0 if key == "padding" else 1, record[key]]) for key in ("stride", "dilation")}
    padding = record["padding"] if isinstance(record["padding"], str) else np.array([0, record["padding"]])
    return {**record, **found, "padding": padding, "weight": record["weight"][:, :, None, :]}


def currents(nodes: Mapping, edges: list, inputs: Mapping[str, np.ndarray], spikes: Mapping[str, np.ndarray]) -> dict:
    """What reaches every neuron in every step, (T, ...), node by node and step by step, with dt 1.

    ``inputs`` and ``spikes`` (of neurons) are (T, ...) in the shape of their node.
    """
    steps = len(next(iter(inputs.values())))
    before = {node: [a for a, b in edges if b == node] for node in nodes}
    outs: dict[str, list] = {node: [] for node in nodes}
    found = {node: [] for node in nodes if nodes[node]["type"] == "IF"}

    def out(node: str, step: int):
        """What a node puts out, computed once."""
        if node in inputs or node in spikes:
            return {**inputs, **spikes}[node][step]
        while len(outs[node]) <= step:
            at, record = len(outs[node]), nodes[node]
            x = sum(out(source, at) for source in before[node])
            if record["type"] == "Delay":
                delay = np.broadcast_to(record["delay"], x.shape).astype(int)
                history = [sum(out(source, past) for source in before[node]) for past in range(at + 1)]
                y = np.zeros(x.shape)
                for index in np.ndindex(x.shape):
                    if at >= delay[index]:
                        y[index] = history[at - delay[index]][index]
                outs[node].append(y)
            else:
                outs[node].append(MEANING[record["type"]](record, x))
        return outs[node][step]

    for step in range(steps):
        for node in found:
            found[node].append(sum(out(source, step) for source in before[node]))
    return {node: np.array(values) for node, values in found.items()}
