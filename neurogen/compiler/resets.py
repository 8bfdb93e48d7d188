"""Delayed resets of current-based neurons as resets in the same step, which is what their hardware does."""

from dataclasses import replace

import numpy as np

from ..spec.errors import InputError
from .source import SourcePopulation


def in_same_step(population: SourcePopulation) -> SourcePopulation:
    """A cuba_lif population that spikes as ``population`` does and resets in the same step.

    Zero: what is zero after the step or before the next one decays to the same. Subtract, one step late, from a v that
    decays by k in between: subtract ``threshold/k`` at once. The neuron subtracts what it compares with, so v is
    counted from ``c = threshold*(1 - 1/k)``: threshold, bias and start of ``v - c`` are ``threshold/k``,
    ``bias - (1 - k)*c`` and ``v_init - c``.

    Raises InputError for snnTorch's immediate subtraction, which may subtract twice.
    """
    if population.model != "cuba_lif" or population.reset_timing == "same_step":
        return population
    if population.reset != "subtract":
        immediate = population.reset == "zero" and population.reset_timing != "delayed"
        parameters = population.parameters | ({"reset_value": 0.0} if immediate else {})
        return replace(population, parameters=parameters, reset_timing="same_step")
    keep, threshold = population.parameter("keep"), population.parameter("threshold")
    if population.reset_timing != "delayed" or np.any(keep == 0):
        raise InputError(
            f"population {population.name!r}: a cuba_lif neuron cannot subtract with reset timing"
            f" {population.reset_timing.replace('_', '-')}{' and keep nothing' if np.any(keep == 0) else ''}"
        )
    offset = threshold * (1 - 1 / keep)
    shifted = {
        "threshold": threshold / keep,
        "bias": population.parameter("bias") - (1 - keep) * offset,
        "v_init": population.parameter("v_init") - offset,
    }
    return replace(population, parameters=population.parameters | shifted, reset_timing="same_step")
