"""From float to integers: one scale per target population; weights clipped and rounded, the rest scaled with them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from ..spec.errors import InputError
from ..spec.fixed import DECAY_BITS, Compare, Leak, Reset, ResetTiming, Rounding
from ..spec.network import Network, Population, Projection
from ..spec.neurons import EXPONENT_BITS
from . import scales, widths
from .resets import in_same_step
from .sharing import shared
from .source import MODELS, Source, SourcePopulation, SourceProjection, integer_equations
from .widths import Width

CLIPS = ("least_squares", "max", "percentile")
LEAKS = ("auto", "shift", "multiply")
RANGES = ("proof", "observed")
PARAMETERS = ("per_neuron", "per_population")
RESOLUTION = 128  # units of v that a threshold has at least
SPIKING_ROUNDING = 8  # times what a leak's rounding adds up to, a threshold is at least
READOUT_ROUNDING = 0.5  # units of weight that a leak's rounding adds up to at most in a readout
CUBA_FRACTION_BITS = 6
FRACTION_BITS_MAX = (1 << EXPONENT_BITS) - 1

Ranges = Mapping[str, Mapping[str, tuple[float, float]]]
"""Population -> register -> the least and the greatest value that it held (``reference.Result.ranges``)."""


@dataclass(frozen=True)
class Quantisation:
    """How to round a network.

    ``weight_bits``: of every projection but those that ``weight_bits_of`` names (``source->target``, or all that reach
    ``target``). One bit is the sign, -1 or 1, and 0 only where there is no synapse; it takes a field of two bits in
    hardware. ``clip``: where weights are clipped before rounding (``percentile``: at that percentile of their
    magnitudes). ``leak``: ``shift`` for ``v - (v >> k)``, ``multiply`` for a 12-bit factor, ``auto`` a shift where it
    is exact. ``fraction_bits``: bits of the membrane below one unit of weight, so that leaks and thresholds are finer
    than weights; None: as many as resolve the smallest threshold into 128 steps, keep what a readout's leak loses by
    rounding below half a unit of weight, and at least 6 (Loihi's) for cuba_lif. ``state_bits``: width of v (and u);
    None: as ``state_range`` says, proved for any input or from values observed on samples, times 2^``margin_bits``.
    ``parameters``: thresholds and decays as they are, or one value ``per_population`` (see ``sharing``).
    """

    weight_bits: int = 8
    weight_bits_of: Mapping[str, int] = field(default_factory=dict)
    clip: str = "least_squares"
    percentile: float = 99.9
    rounding: str = "toward_zero"
    leak: str = "auto"
    fraction_bits: int | None = None
    state_bits: int | None = None
    state_range: str = "proof"
    margin_bits: int = 1
    parameters: str = "per_neuron"

    def __post_init__(self):
        roundings = [rounding.name.lower() for rounding in Rounding]
        choices = {"clip": CLIPS, "leak": LEAKS, "rounding": roundings, "state_range": RANGES, "parameters": PARAMETERS}
        for key, allowed in choices.items():
            if getattr(self, key) not in allowed:
                raise InputError(f"{key} is one of {', '.join(allowed)}, not {getattr(self, key)!r}")
        for name, bits in {"weight_bits": self.weight_bits, **self.weight_bits_of}.items():
            if not 1 <= bits <= 16:
                where = name if name == "weight_bits" else f"weight_bits_of {name!r}"
                raise InputError(f"{where} is 1..16, not {bits}")
        if self.fraction_bits is not None and not 0 <= self.fraction_bits <= FRACTION_BITS_MAX:
            raise InputError(f"fraction_bits is 0..{FRACTION_BITS_MAX}, not {self.fraction_bits}")
        if not 0 < self.percentile <= 100:
            raise InputError(f"percentile is above 0 and at most 100, not {self.percentile}")

    def bits(self, projection: SourceProjection) -> int:
        """Weight bits of one projection."""
        named = self.weight_bits_of
        return named.get(_arrow(projection), named.get(projection.target, self.weight_bits))


DEFAULT = Quantisation()


@dataclass(frozen=True)
class _Rounded:
    """One population with the projections that reach it, before the common width is known."""

    population: Population
    projections: list[Projection]
    width: Width
    spiking: bool


def quantise(source: Source, how: Quantisation = DEFAULT, observed: Ranges | None = None) -> Network:
    """Round ``source`` to integers. A source of integers is returned as it is.

    With s the scale of a population (float value of one unit of weight) and f the fraction bits: weights
    ``round(w / s)``, exponent f, threshold, bias, reset and initial value ``round(x / s * 2^f)``. All populations of a
    model get one f and one width of v, because they share one neuron in hardware. A readout never fires: its threshold
    is the largest v. ``observed`` is what ``state_range`` observed works from.

    Raises InputError if a threshold or bias cannot be represented, a name in ``weight_bits_of`` does not exist, or
    nothing was observed where that is asked for.
    """
    if source.network is not None:
        return source.network
    if how.state_range == "observed" and observed is None and how.state_bits is None:
        raise InputError("state_range observed needs samples to observe: neurogen quantize NETWORK --data X.npz")
    _check_names(source, how)
    equations = source.equations
    if how.parameters == "per_population":
        source = shared(source)
    early = tuple(map(in_same_step, source.populations))
    late = [p.name for p, q in zip(source.populations, early, strict=True) if p is not q]
    changed = [f"{name}: the delayed reset becomes one in the same step; same spikes, another v" for name in late]
    source = replace(source, populations=early, notes=(*source.notes, *changed))
    incoming = {p.name: [q for q in source.projections if q.target == p.name] for p in source.populations}
    units = {p.name: _scale(p, incoming[p.name], how) for p in source.populations}
    fractions = {model: _fraction_bits(source, units, model, how) for model in MODELS}
    payloads = {item.name: item.largest for item in source.inputs}
    rounded = []
    for population in source.populations:
        seen = None if observed is None or how.state_range == "proof" else observed[population.name]
        at = units[population.name], fractions[population.model]
        rounded.append(_round_population(population, incoming[population.name], *at, how, payloads, seen))
    bits = _common_bits(rounded, how)
    network = Network(
        name=source.name,
        inputs=source.inputs,
        populations=tuple(_sized(item.population, bits) for item in rounded),
        projections=tuple(projection for item in rounded for projection in item.projections),
        outputs=source.outputs,
    )
    metadata = {
        **source.metadata,
        "float_equations": equations,
        "integer_equations": integer_equations(network),
        "scales": units,
        "weight_bits": how.weight_bits,
        "notes": [*source.notes, *_notes(source, rounded, bits, how)],
    }
    return replace(network, metadata=metadata)


def _arrow(projection: SourceProjection) -> str:
    return f"{projection.source}->{projection.target}"


def _check_names(source: Source, how: Quantisation) -> None:
    known = [*(p.name for p in source.populations), *map(_arrow, source.projections)]
    for name in how.weight_bits_of:
        if name not in known:
            raise InputError(
                f"weight_bits_of {name!r}: there is no such population or projection; there are {', '.join(known)}"
            )


def _scale(population: SourcePopulation, incoming: list[SourceProjection], how: Quantisation) -> float:
    """The float value of one unit of weight."""
    bits = [how.bits(projection) for projection in incoming]
    found = scales.scale_of([projection.values for projection in incoming], bits, how.clip, how.percentile)
    if found is not None:
        return found
    step = float(population.parameter("threshold").min()) if population.spiking else 1.0  # nothing arrives
    return step / scales.largest(how.weight_bits)


def _fraction_bits(source: Source, units: dict[str, float], model: str, how: Quantisation) -> int:
    if how.fraction_bits is not None:
        return how.fraction_bits
    needed = [CUBA_FRACTION_BITS if model == "cuba_lif" else 0]
    for population in source.populations:
        if population.model != model:
            continue
        lost = _lost_by_rounding(population)
        if population.spiking:
            steps = float(population.parameter("threshold").min()) / units[population.name]
            needed.append(math.ceil(math.log2(max(RESOLUTION, SPIKING_ROUNDING * lost) / steps)))
        elif lost:
            needed.append(math.ceil(math.log2(lost / READOUT_ROUNDING)))
    return min(max(needed), FRACTION_BITS_MAX)


def _lost_by_rounding(population: SourcePopulation) -> float:
    """Units of v that rounding a leak takes away, added up over all steps; what keeps all or nothing loses none."""

    def steps(keep: np.ndarray) -> float:
        part = keep[(keep > 0) & (keep < 1)]
        return 1 / (1 - float(part.max())) if len(part) else 0.0

    lost = steps(population.parameter("keep"))
    if population.model == "cuba_lif":
        lost += steps(population.parameter("keep_u")) * max(lost, 1.0)
    return lost


def _round_population(
    population: SourcePopulation,
    incoming: list[SourceProjection],
    scale: float,
    fraction: int,
    how: Quantisation,
    payloads: Mapping[str, int],
    seen: Mapping[str, tuple[float, float]] | None,
) -> _Rounded:
    unit, spiking = scale / (1 << fraction), population.spiking
    parameters = {"exponent": fraction, **_membrane(population, unit), **_leak(population, how)}
    projections = [
        Projection(q.source, q.target, q.rounded(partial(scales.rounded, scale=scale, bits=how.bits(q))), q.delay)
        for q in incoming
    ]
    model = "if" if parameters.get("leak") == Leak.NONE else population.model
    if model == "if":
        parameters = {k: v for k, v in parameters.items() if k not in ("leak", "rounding")}
    rounded = Population(population.name, population.size, model, parameters)
    least = widths.needed(rounded, spiking)
    if seen is None:
        width = widths.proved(rounded, projections, payloads, least, spiking)
    else:
        width = widths.observed(rounded, seen, unit, least, how.margin_bits)
    return _Rounded(rounded, projections, width, spiking)


def _integers(values: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(np.int64)


def _scalar(values: np.ndarray) -> int | np.ndarray:
    """One integer where all are equal."""
    return int(values.flat[0]) if np.all(values == values.flat[0]) else values


def _membrane(population: SourcePopulation, unit: float) -> dict[str, int | np.ndarray]:
    timing = ResetTiming[population.reset_timing.upper()]
    steady = _steady_current(population)
    found = {"bias": _scalar(_integers((population.parameter("bias") + steady) / unit))}
    for name, value in (("v_init", population.parameter("v_init")), ("u_init", -steady)):
        if np.any(value):
            found[name] = _scalar(_integers(value / unit))
    if not population.spiking:
        return found | {"reset": int(Reset.NONE), "compare": int(Compare.GT)}
    threshold = population.parameter("threshold") / unit
    if not np.all(np.isfinite(threshold)):
        raise InputError(f"population {population.name!r}: some neurons spike and some do not; split it in two")
    threshold = _integers(threshold)
    if np.any(threshold < 1):
        raise InputError(
            f"population {population.name!r}: the threshold is less than one unit of weight; use more weight_bits or"
            " fraction_bits"
        )
    found |= {
        "threshold": _scalar(threshold),
        "reset": int(Reset[population.reset.upper()]),
        "compare": int(Compare[population.compare.upper()]),
    }
    if population.model == "lif":
        found["reset_timing"] = int(timing)
    refractory = _integers(population.parameter("refractory"))
    if np.any(refractory > 1):
        found["refractory_ticks"] = _scalar(refractory)
    if population.reset == "zero":
        found["reset_value"] = _scalar(_integers(population.parameter("reset_value") / unit))
    return found


def _steady_current(population: SourcePopulation) -> np.ndarray:
    """What u comes to by its bias alone, ``bias_u / (1 - keep_u)``.

    The integer neuron has no bias of u. Its u is ours less this constant: it starts at minus that, and v's bias has it.
    """
    if population.model != "cuba_lif":
        return np.zeros(population.size)
    bias, lost = population.parameter("bias_u"), 1 - population.parameter("keep_u")
    if np.any(bias[lost == 0]):
        raise InputError(f"population {population.name!r}: a constant current that never decays grows without end")
    return bias / np.where(lost == 0, 1, lost)


def _leak(population: SourcePopulation, how: Quantisation) -> dict[str, int | np.ndarray]:
    rounding = int(Rounding[how.rounding.upper()])
    keep = population.parameter("keep")
    if population.model == "cuba_lif":
        decays = {f"decay_{s}": _decay(population.parameter(k)) for s, k in (("u", "keep_u"), ("v", "keep"))}
        return {**decays, "u_overflow": 0, "rounding": rounding}
    if np.all(keep == 1):
        return {"leak": int(Leak.NONE)}
    exact = -np.log2(np.maximum(1 - keep, 2.0**-31))
    shift = np.rint(exact)
    fits = np.all((shift >= 1) & (keep < 1))
    if fits and (how.leak == "shift" or (how.leak == "auto" and np.allclose(exact, shift, atol=1e-3))):
        return {"leak": int(Leak.SHIFT), "leak_shift": _scalar(shift.astype(np.int64)), "rounding": rounding}
    if how.leak == "shift":
        raise InputError(f"population {population.name!r}: no shift leak is near a factor of {keep.min():.4g}")
    return {"leak": int(Leak.MULTIPLY), "decay": _decay(keep), "rounding": rounding}


def _decay(keep: np.ndarray) -> int | np.ndarray:
    return _scalar(_integers((1 - keep) * (1 << DECAY_BITS)))


def _common_bits(rounded: list[_Rounded], how: Quantisation) -> dict[tuple, int]:
    """The width of u and v by model: the widest that one of its populations asks for."""
    found: dict[tuple, int] = {}
    for item in rounded:
        state = item.population.spec.STATE
        found[state] = how.state_bits or max(found.get(state, 0), item.width.bits)
    return found


def _sized(population: Population, bits: dict[tuple, int]) -> Population:
    """``population`` with the width of its registers, and with a threshold out of reach if it is a readout."""
    width = bits[population.spec.STATE]
    registers = {s.name: width for s in population.spec.STATE if s.signed and not s.fixed}
    parameters = population.parameters
    if "threshold" not in parameters:
        parameters = parameters | {"threshold": (1 << (width - 1)) - 1}
    return replace(population, parameters=parameters, state_bits=registers)


def _notes(source: Source, rounded: list[_Rounded], bits: dict[tuple, int], how: Quantisation) -> list[str]:
    """Why states are as wide as they are, population by population where that is less than safe."""
    found = []
    if how.state_bits is None:
        for state, width in bits.items():
            items = [item for item in rounded if state == item.population.spec.STATE]
            tight = [item for item in items if item.width.safe > width] or [
                max(items, key=lambda item: item.width.bits)
            ]
            found += [f"{item.population.name}: v has {width} bits: {item.width.why}" for item in tight]
    if any(how.bits(projection) == 1 for projection in source.projections):
        found.append("weights of one bit, -1 and 1, take fields of two bits in hardware")
    return found
