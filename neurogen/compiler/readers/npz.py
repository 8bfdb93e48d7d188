"""Integer networks from NumPy: files that ``spec.Network.save`` wrote, or plain chains of weights.

Keys of a plain chain, for layer i = 0, 1, ...:

=====================  ==================================================================================
``weight.i``           integers (n_in, n_out), from the previous layer (from the input for i = 0)
``recurrent.i``        optional integers (n_out, n_out), from the layer to itself, one step later
``model.i``            optional neuron model, default ``lif``
``<parameter>.i``      any parameter of the model (``threshold.i``, ``leak_shift.i``, ``reset.i``, ...): an integer, one
                       per neuron (n_out,), or the name of a choice; what is missing is the model's default
``state_bits.<r>.i``   optional width of register r
=====================  ==================================================================================
"""

import re
from pathlib import Path

import numpy as np

from ...spec import neurons
from ...spec.errors import InputError
from ...spec.network import Input, Network, Output, Population, Projection
from ..conventions import Options
from ..names import legal_name
from ..source import Source

NAME = "npz"
SUFFIXES = (".npz",)


def read(path: Path, options: Options) -> Source:
    """Read an integer network. Raises InputError that names the key at fault."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        saved = Network.load(path) if "neurogen_network" in arrays else None
    except InputError:
        raise
    except Exception as error:  # whatever zipfile and numpy make of damage
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable .npz file ({reason})") from None
    try:
        network = saved or _chain(arrays, options.name or legal_name(path.stem, "network"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Source(name=network.name, network=network)


def _chain(arrays: dict[str, np.ndarray], name: str) -> Network:
    layers = _layers(arrays)
    populations, projections = [], []
    source = None
    for index, keys in enumerate(layers):
        weights = _integers(f"weight.{index}", keys.pop("weight"))
        if weights.ndim != 2:
            raise InputError(f"weight.{index} has shape {weights.shape}; (n_in, n_out) is needed")
        source = source or Input("input", weights.shape[0])
        recurrent = keys.pop("recurrent", None)
        population = _population(f"layer{index}", weights.shape[1], index, keys)
        projections.append(Projection(populations[-1].name if populations else "input", population.name, weights))
        if recurrent is not None:
            weights = _integers(f"recurrent.{index}", recurrent)
            projections.append(Projection(population.name, population.name, weights, delay=1))
        populations.append(population)
    return Network(name, (source,), tuple(populations), tuple(projections), (Output(populations[-1].name),))


def _layers(arrays: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """The arrays of every layer, without their number."""
    layers: dict[int, dict[str, np.ndarray]] = {}
    for key, value in arrays.items():
        match = re.fullmatch(r"(.+)\.(\d+)", key)
        if not match:
            raise InputError(f"unknown key {key!r}; keys are weight.0, threshold.0, ... (layer number last)")
        layers.setdefault(int(match[2]), {})[match[1]] = value
    for index in range(len(layers)):
        if "weight" not in layers.get(index, {}):
            raise InputError(f"weight.{index} is missing")
    if not layers:
        raise InputError("weight.0 is missing")
    return [layers[index] for index in range(len(layers))]


def _population(name: str, size: int, index: int, keys: dict[str, np.ndarray]) -> Population:
    model = str(keys.pop("model", "lif"))
    known = {parameter.name: parameter for parameter in neurons.model(model).PARAMETERS}
    parameters, state_bits = {}, {}
    for key, value in keys.items():
        if key.startswith("state_bits."):
            widths = _integers(f"{key}.{index}", value)
            if widths.size != 1:
                raise InputError(f"{key}.{index} is one number, not {widths.size}")
            state_bits[key.removeprefix("state_bits.")] = int(widths.flat[0])
        elif key not in known:
            raise InputError(f"unknown key {key + '.' + str(index)!r}; {model} has {', '.join(known)}")
        elif value.dtype.kind == "U" and known[key].choices is not None:
            parameters[key] = known[key].parse(str(value), {}, name)
        else:
            integers = _integers(f"{key}.{index}", value)
            parameters[key] = integers if integers.ndim else int(integers)
    return Population(name, size, model, parameters, state_bits)


def _integers(key: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    if values.dtype.kind != "f":
        raise InputError(f"{key} must hold integers, not {values.dtype}")
    wrong = values[~(np.abs(values) < 2.0**63) | (values != np.round(values))]
    if len(wrong):
        raise InputError(f"{key} must hold integers, not values such as {wrong[0]}")
    return values.astype(np.int64)
