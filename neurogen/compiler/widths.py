"""How wide a population's registers have to be: by proof for any input, or from values that were observed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..spec.errors import InputError
from ..spec.fixed import DECAY_BITS, Leak, signed_bits_for
from ..spec.network import Population, Projection

STATE_BITS_MAX = 32
HEADROOM_BITS = 2  # v holds at least four thresholds: ceil(log2(threshold)) + 2 bits
COMFORTABLE_BITS = 16  # of a spiking population: wide enough never to saturate up to here, wider only if needed
READOUT_BITS = 24  # the same of a readout, whose value is the result
LONG_STEPS = 1 << DECAY_BITS  # what never decays is proved for samples of at most so many steps


@dataclass(frozen=True)
class Width:
    """``bits`` of u and v that one population asks for, ``safe`` ones that no input can saturate, and why, in words."""

    bits: int
    safe: int
    why: str


def needed(population: Population, spiking: bool) -> int:
    """The narrowest register: four thresholds, the bias and the reset value fit. Raises InputError beyond 32 bits."""
    least = 2
    if spiking:
        threshold = int(np.max(population.parameter("threshold")))
        least = (math.ceil(math.log2(threshold)) if threshold > 1 else 1) + HEADROOM_BITS
    for name in ("bias", "reset_value", "v_init", *(["u_init"] if population.model == "cuba_lif" else [])):
        values = np.asarray(population.parameter(name))
        least = max(least, signed_bits_for(int(values.min()), int(values.max())) + 1)
    if least > STATE_BITS_MAX:
        raise InputError(
            f"population {population.name!r}: the membrane needs {least} bits; {STATE_BITS_MAX} are possible"
        )
    return least


def proved(
    population: Population, projections: list[Projection], payloads: Mapping[str, int], least: int, spiking: bool
) -> Width:
    """As wide as any input of ``projections`` can fill it, but no wider than is reasonable unless it must be.

    With D the decay of one step, at most one unit of it lost to rounding, and the largest sum S of one step,
    ``|u|, |v| <= (S + 1) / D`` and what they start with; without decay, S times 4096 steps. A reset moves v by at most
    a threshold.
    """
    sums = np.abs(population.parameter("bias"))
    drive = np.zeros(population.size)
    for projection in projections:
        positive, negative = projection.one_sided
        drive = drive + np.maximum(positive, -negative) * float(payloads.get(projection.source, 1))
    drive = drive * 2.0 ** np.asarray(population.parameter("exponent"))
    lost = _lost(population)
    if population.model == "cuba_lif":
        lost_u = np.maximum(np.asarray(population.parameter("decay_u")) / (1 << DECAY_BITS), 1 / LONG_STEPS)
        drive = (drive + 1) / lost_u + np.abs(population.parameter("u_init"))
    bound = float(np.max((drive + sums + 1) / np.maximum(lost, 1 / LONG_STEPS)))
    bound += float(np.max(np.abs(population.parameter("v_init"))))
    bound += float(np.max(population.parameter("threshold"))) if spiking else 0.0
    safe = math.ceil(math.log2(bound + 1)) + 1
    fraction = int(np.max(population.parameter("exponent")))
    roof = READOUT_BITS if not spiking else COMFORTABLE_BITS + (fraction if population.model == "cuba_lif" else 0)
    bits = min(max(least, min(safe, roof)), STATE_BITS_MAX)
    forever = f" in samples of up to {LONG_STEPS} steps" if np.min(lost) == 0 else ""
    why = f"no input can saturate it{forever}" if bits >= safe else f"it may saturate, {safe} bits never would"
    return Width(bits, safe, why)


def observed(
    population: Population, ranges: Mapping[str, tuple[float, float]], unit: float, least: int, margin_bits: int
) -> Width:
    """As wide as what a run reached (``ranges`` in the network's units), times 2^margin_bits."""
    reached = max(abs(value) for pair in ranges.values() for value in pair) / unit
    if population.model == "cuba_lif":  # whose u is the network's less the current that it starts with
        reached += float(np.max(np.abs(population.parameter("u_init"))))
    bits = max(least, math.ceil(math.log2(reached + 1)) + 1 + margin_bits)
    if bits > STATE_BITS_MAX:
        raise InputError(f"observed values need {bits} bits of state; {STATE_BITS_MAX} are possible")
    low, high = ranges["v"]
    times = f"{2**margin_bits} times " if margin_bits else ""
    return Width(bits, bits, f"it holds {times}the observed {low:.4g} .. {high:.4g}")


def _lost(population: Population) -> np.ndarray:
    """The part of v that decays in one step."""
    if population.model == "cuba_lif":
        return np.asarray(population.parameter("decay_v")) / (1 << DECAY_BITS)
    if population.model == "if":
        return np.zeros(1)
    leak = population.parameter("leak")
    if leak == Leak.SHIFT:
        return 2.0 ** -np.asarray(population.parameter("leak_shift"))
    return np.asarray(population.parameter("decay")) / (1 << DECAY_BITS)
