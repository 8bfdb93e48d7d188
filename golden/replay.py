"""Replaying the trace of one neuron that another emulator recorded."""

from collections.abc import Mapping

import numpy as np

from neurogen.spec import neurons as spec_neurons
from neurogen.spec.errors import InputError

from . import neurons

_NAMES = {"decay_rounding": "rounding"}
_CHOICES = {">": "gt", ">=": "ge"}


def replay(record: Mapping) -> dict[str, list]:
    """What the golden neuron does with a record's ``synaptic_input``, tick by tick.

    ``record`` has ``model``, ``parameters`` (names and choices as in ``neurogen.spec.neurons``, or as
    published: ``compare`` ">", ``decay_rounding``; ``<register>_bits`` are widths) and ``synaptic_input`` (int64).
    Returns one list for each register after the tick, and ``spike`` (0 or 1).

    Raises InputError for an unknown model, naming those that exist, and for an unknown or impossible parameter.
    """
    model = neurons.model(record["model"])
    widths, parameters = _translate(record["model"], record["parameters"])
    state = model.initial(parameters, (1,))
    traces: dict[str, list] = {name: [] for name in (*state, "spike")}
    for current in record["synaptic_input"]:
        state, spike = model.step(state, parameters, np.array([current], dtype=np.int64), widths)
        for name, values in (state | {"spike": spike}).items():
            traces[name].append(int(values[0]))
    return traces


def _translate(name: str, given: Mapping) -> tuple[dict[str, int], dict[str, int]]:
    spec = spec_neurons.model(name)
    widths = {state.name: given.get(f"{state.name}_bits", state.bits) for state in spec.STATE}
    known = {parameter.name: parameter for parameter in spec.PARAMETERS}
    parameters = {parameter.name: parameter.default for parameter in spec.PARAMETERS}
    for key, value in given.items():
        if key.removesuffix("_bits") in widths and key.endswith("_bits"):
            continue
        key = _NAMES.get(key, key)
        if key not in known:
            raise InputError(f"record: {name} has no parameter {key!r}; it has {', '.join(known)}")
        if isinstance(value, str):
            value = _CHOICES.get(value, value.replace(" ", "_"))
        parameters[key] = known[key].parse(value, widths, "record")
    return widths, parameters
