"""lava-dl netx ``.net`` files: dense CUBA layers with integer weights, taken over unchanged.

Loihi's equation: ``u = dec(u, iDecay) + 64*sum(w*s)``, ``v = dec(v, vDecay) + u``, spike at ``v > 64*vThMant``,
``v = 0``. Each layer reads the previous layer's spikes of the same step. The coder of pixels that precedes the first
layer is not part of the network: its input takes spikes (see ``compiler.coding.accumulate``).
"""

from pathlib import Path

import numpy as np

from ...spec.errors import InputError
from ...spec.fixed import Compare, Overflow, Reset, Rounding
from ...spec.network import Input, Network, Output, Population, Projection
from ..conventions import Options
from ..names import legal_name
from ..source import Source
from . import hdf5

NAME = "lava"
SUFFIXES = (".net",)

EXPONENT = 6  # Loihi shifts weights and the threshold's mantissa left by 6
STATE_BITS = {"u": 24, "v": 24}


def read(path: Path, options: Options) -> Source:
    """Read a netx file. Raises InputError for layers other than dense ones with CUBA neurons."""
    layers = hdf5.tree(path).get("layer")
    if not isinstance(layers, dict) or not layers:
        raise InputError(f"{path}: no lava-dl network in it (there is no group 'layer')")
    try:
        network = _network(layers, options, options.name or legal_name(path.stem, "network"))
    except InputError as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    compare = "gt" if options.compare is None else options.compare
    notes = () if options.compare else (f"assumed compare {compare}, lava-dl's; older networks want --compare ge",)
    return Source(name=network.name, notes=notes, network=network)


def _network(layers: dict, options: Options, name: str) -> Network:
    populations, projections = [], []
    source = Input("input", 0)
    if not all(index.isdecimal() and isinstance(layer, dict) for index, layer in layers.items()):
        raise InputError(f"its layers are called {', '.join(map(repr, layers))}, not 0, 1, 2, ...")
    for index in sorted(layers, key=int):
        weights = _weights(index, layers[index])
        if not projections:
            source = Input("input", weights.shape[0])
        population = _population(f"layer{index}", weights.shape[1], layers[index].get("neuron"), options)
        projections.append(Projection(populations[-1].name if populations else "input", population.name, weights))
        populations.append(population)
    return Network(name, (source,), tuple(populations), tuple(projections), (Output(populations[-1].name),))


def _weights(index: str, layer: dict) -> np.ndarray:
    """Integer weights of one dense layer, (n_in, n_out)."""
    kind = _text(layer.get("type"))
    if kind != "dense":
        raise InputError(f"layer {index} is of type {kind}; dense layers are supported")
    if "delay" in layer and _integers(f"layer {index}", layer, "delay").any():
        raise InputError(f"layer {index} has synaptic delays, which are not supported")
    if "bias" in layer:
        raise InputError(f"layer {index} has a bias, which is not supported")
    weights = _integers(f"layer {index}", layer, "weight")
    if weights.ndim != 2 or not weights.size:
        raise InputError(f"layer {index}: weight has shape {weights.shape}, not (n_out, n_in)")
    return np.ascontiguousarray(weights.T)


def _population(name: str, size: int, neuron: dict | None, options: Options) -> Population:
    if not isinstance(neuron, dict):
        raise InputError(f"{name} has no neurons")
    if _text(neuron.get("type")) != "CUBA":
        raise InputError(f"{name} has neurons of type {_text(neuron.get('type'))}; CUBA is supported")
    if _number(name, neuron, "gradedSpike", 0):
        raise InputError(f"{name} sends graded spikes, which are not supported")
    compare = Compare.GE if options.compare == "ge" else Compare.GT
    parameters = {
        "decay_u": _number(name, neuron, "iDecay"),
        "decay_v": _number(name, neuron, "vDecay"),
        "threshold": _number(name, neuron, "vThMant") << EXPONENT,
        "exponent": EXPONENT,
        "rounding": int(Rounding.TOWARD_ZERO),
        "reset": int(Reset.ZERO),
        "compare": int(compare),
        "u_overflow": int(Overflow.WRAP),
        "v_overflow": int(Overflow.SATURATE),
    }
    refractory = _number(name, neuron, "refDelay", 1)
    if refractory > 1:  # 1: the next step may spike again, which is no refractory period
        parameters["refractory_ticks"] = refractory
    return Population(name, size, "cuba_lif", parameters, dict(STATE_BITS))


def _text(value) -> str:
    return str(np.ravel(value)[0]) if np.size(value) == 1 else "?"


def _number(where: str, record: dict, key: str, default: int | None = None) -> int:
    """One integer of a record."""
    if key not in record and default is not None:
        return default
    values = _integers(where, record, key).ravel()
    if not len(values) or np.any(values != values[0]):
        raise InputError(f"{where}: {key} is one integer for all neurons, not {len(values)}")
    return int(values[0])


def _integers(where: str, record: dict, key: str) -> np.ndarray:
    """An array of integers, whatever it is stored as."""
    if key not in record:
        raise InputError(f"{where} has no {key}")
    values = np.asarray(record[key])
    exact = values.dtype.kind in "biuf" and np.all(np.abs(values.astype(float)) < 1 << 31)
    if not exact or np.any(values != np.round(values)):
        raise InputError(f"{where}: {key} holds no integers")
    return values.astype(np.int64)
