"""A population's parameters as a fabric's neuron holds them: constants of the logic, or rows of a table."""

import numpy as np

from ...spec.config import NeuronConfig
from ...spec.errors import InputError
from ...spec.fixed import Leak
from ...spec.network import Network, Population
from ...spec.neurons import sum as sum_model


def common_model(network: Network) -> str:
    """The neuron model that can be every population's. Raises InputError naming the models.

    IF is LIF without leak; relays need no model at all.
    """
    models = sorted({population.model for population in network.populations if not is_relay(population)})
    if not models:
        return sum_model.NAME
    if len(models) == 1:
        return models[0]
    if models == ["if", "lif"]:
        return "lif"
    raise InputError(f"one fabric has one neuron model, the network has {' and '.join(models)}")


def is_relay(population: Population) -> bool:
    """Whether the population only passes its sums on, which the cores of any neuron model can do."""
    return population.graded and population.model == sum_model.NAME


def value_of(population: Population, name: str, model: str) -> int | np.ndarray:
    """A parameter's value when the population runs on ``model``: an int where all neurons have the same."""
    if name == "leak" and population.model == "if" and model == "lif":
        return int(Leak.NONE)
    if name in {parameter.name for parameter in population.spec.PARAMETERS}:
        value = np.asarray(population.parameter(name))
        return int(value.flat[0]) if np.all(value == value.flat[0]) else value.astype(np.int64)
    return NeuronConfig(model=model, parameters={}).parameter(name).default


def columns(population: Population, neuron: NeuronConfig) -> dict[str, dict[str, int | np.ndarray]]:
    """Values of the tabled parameters by scope. Raises InputError where the fabric's neuron differs."""
    where = f"population {population.name!r}"
    if is_relay(population):
        return {"per_population": {}, "per_neuron": {}}
    if population.model != neuron.model and (population.model, neuron.model) != ("if", "lif"):
        raise InputError(f"{where} is {population.model}, the fabric's neurons are {neuron.model}")
    for state in population.spec.STATE:
        has, wants = neuron.widths[state.name], population.widths[state.name]
        if not state.fixed and state.signed and has != wants:
            raise InputError(f"{where} keeps {state.name} in {wants} bits, the fabric in {has}; they must agree")
    found: dict[str, dict] = {"per_population": {}, "per_neuron": {}}
    for parameter in neuron.spec.PARAMETERS:
        value = value_of(population, parameter.name, neuron.model)
        scope = neuron.parameters.get(parameter.name)
        if parameter.name in neuron.constants:
            constant = neuron.constants[parameter.name]
            if np.any(value != constant):
                raise InputError(f"{where}: {parameter.name} is {_shown(value)}, the fabric's constant is {constant}")
        elif scope == "per_population" and np.ndim(value):
            raise InputError(f"{where}: {parameter.name} differs between neurons, the fabric has it per population")
        else:
            found[scope][parameter.name] = value
    return found


def _shown(value: int | np.ndarray) -> str:
    return str(value) if np.ndim(value) == 0 else f"{np.min(value)}..{np.max(value)}"


def idle_value(name: str, neuron: NeuronConfig) -> int:
    """What a lane without a neuron holds in a per-neuron table: a threshold that nothing reaches, else 0."""
    return neuron.parameter(name).field(neuron.widths).range[1] if name == "threshold" else 0
