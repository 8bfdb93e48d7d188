"""Integer networks in NIR files that ``compiler.writers.nir`` wrote, taken back as they were."""

import json
from collections.abc import Mapping

import numpy as np

from ...spec.errors import InputError
from ...spec.kernels import Kernel
from ...spec.network import Input, Network, Output, Population, Projection
from ..primitives.records import whole

FORMAT = 1


def network(graph: Mapping) -> Network | None:
    """The integer network that a graph's metadata describes, with the integers of its nodes; None if there is none.

    Raises InputError if the record is of another version, or nodes that it names are missing or hold no integers.
    """
    metadata = graph.get("metadata", {})
    if not isinstance(metadata, dict) or "neurogen_network" not in metadata:
        return None
    version = metadata.get("neurogen_format")
    if np.size(version) != 1 or version != FORMAT:
        raise InputError(f"its integers are of format {version}, this version reads {FORMAT}")
    try:
        record = json.loads(metadata["neurogen_network"])
        nodes = graph["nodes"]
        return Network(
            name=record["name"],
            inputs=tuple(Input(item["name"], item["size"], item["payload_bits"]) for item in record["inputs"]),
            populations=tuple(_population(item, nodes) for item in record["populations"]),
            projections=tuple(_projection(item, nodes) for item in record["projections"]),
            outputs=tuple(Output(**item) for item in record["outputs"]),
            metadata=record["metadata"],
        )
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise InputError("its record of integers is damaged; without its metadata it is read as floats") from None


def _population(item: Mapping, nodes: Mapping) -> Population:
    parameters = {
        key: _integers(nodes, item["node"], "metadata", f"neurogen_{key}").ravel() if value is None else value
        for key, value in item["parameters"].items()
    }
    return Population(
        **{key: item[key] for key in ("name", "size", "model", "state_bits", "graded")}, parameters=parameters
    )


def _projection(item: Mapping, nodes: Mapping) -> Projection:
    weights = _integers(nodes, item["node"], "weight")
    weights = weights.T.copy() if item["kernel"] is None else _kernel(weights, nodes[item["node"]], item["kernel"])
    return Projection(item["source"], item["target"], weights, item["delay"])


def _kernel(window: np.ndarray, node: Mapping, geometry: Mapping) -> Kernel:
    """The kernel out of its node's window, which may be larger."""
    shape = {key: tuple(value) if isinstance(value, list) else value for key, value in geometry.items()}
    taps, padding, dilation = shape.pop("taps"), whole(node, "padding", 2, 0, 0), whole(node, "dilation", 2, 1, 1)
    rows, columns = (
        (padding[a] - shape["padding"][a] + np.arange(taps[a]) * shape["dilation"][a]) // dilation[a] for a in (0, 1)
    )
    kernel = Kernel(window[:, :, rows[:, None], columns], **shape)
    if np.count_nonzero(kernel.weights) != np.count_nonzero(window):
        raise InputError("weights were added outside the kernel that the record of integers describes")
    return kernel


def _integers(nodes: Mapping, node: str, *keys: str) -> np.ndarray:
    values = nodes[node]
    for key in keys:
        values = values[key]
    values = np.asarray(values)
    whole_ = values.dtype.kind in "iu" or (
        values.dtype.kind == "f" and np.all(np.abs(values) < 2.0**53) and np.array_equal(values, np.round(values))
    )
    if not whole_:
        raise InputError(f"node {node!r}: {keys[-1]} holds no integers any more; without metadata it is read as floats")
    return values.astype(np.int64)
