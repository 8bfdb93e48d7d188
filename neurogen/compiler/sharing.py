"""One value per population for thresholds and decays, which then need no table in hardware. Biases stay as they are."""

from dataclasses import replace

import numpy as np

from ..spec.errors import InputError
from ..spec.kernels import Kernel
from .source import Source, SourcePopulation

SCALED = ("threshold", "reset_value", "v_init", "bias", "bias_u")
AVERAGED = ("keep", "keep_u", "reset_value", "v_init", "refractory")


def shared(source: Source) -> Source:
    """``source`` with equal thresholds, decays, reset and initial values within each population.

    Thresholds cost nothing: a neuron whose input, threshold, biases and other values are all multiplied by one factor
    spikes the same. What then still differs is averaged, which is an approximation, and a note says so.

    Raises InputError where thresholds differ within a channel, whose neurons share their kernel.
    """
    factors = {population.name: _factor(population) for population in source.populations}
    populations, notes = [], []
    for population in source.populations:
        factor = factors[population.name]
        scaled = {key: population.parameter(key) * factor for key in SCALED if key in population.parameters}
        parameters = population.parameters | scaled
        for key in AVERAGED:
            values = np.asarray(parameters.get(key, 0.0), dtype=float)
            if not np.allclose(values, values.flat[0], rtol=1e-6):
                parameters[key] = float(np.rint(values.mean()) if key == "refractory" else values.mean())
                spread = f"{values.min():.4g} .. {values.max():.4g}"
                notes.append(f"{population.name}: one {key} of {parameters[key]:.4g} for {spread}")
        populations.append(replace(population, parameters=parameters))
    projections = [replace(p, weights=_scaled(p.weights, factors[p.target], p.target)) for p in source.projections]
    notes = (*source.notes, *notes)
    return replace(source, populations=tuple(populations), projections=tuple(projections), notes=notes)


def _factor(population: SourcePopulation) -> np.ndarray:
    """What brings every neuron's threshold to the middle one, (size,)."""
    threshold = population.parameter("threshold")
    return np.median(threshold) / threshold if np.all(np.isfinite(threshold)) else np.ones(population.size)


def _scaled(weights: np.ndarray | Kernel, factor: np.ndarray, target: str) -> np.ndarray | Kernel:
    if np.all(factor == 1):
        return weights
    if not isinstance(weights, Kernel):
        return weights * factor
    channels = factor.reshape(weights.target[0], -1)
    if not np.allclose(channels, channels[:, :1]):
        raise InputError(
            f"population {target!r}: thresholds differ within a channel, and its kernel cannot; keep parameters"
            " per_neuron"
        )
    return replace(weights, weights=weights.weights * channels[:, 0, None, None, None])
