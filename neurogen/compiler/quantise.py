"""From float to integers: one scale per target population; weights clipped and rounded, the rest scaled with them."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ..spec.errors import InputError
from ..spec.fixed import DECAY_BITS, Compare, Leak, Reset, ResetTiming, Rounding, signed_bits_for
from ..spec.network import Network, Population, Projection
from ..spec.neurons import EXPONENT_BITS
from .source import MODELS, Source, SourcePopulation, SourceProjection, integer_equations

CLIPS = ("least_squares", "max", "percentile")
LEAKS = ("auto", "shift", "multiply")
STATE_BITS_MAX = 32
RESOLUTION = 128  # units of v that a threshold has at least
CUBA_FRACTION_BITS = 6
HEADROOM_BITS = 2  # v holds at least four thresholds: ceil(log2(threshold)) + 2 bits
COMFORTABLE_BITS = 16  # v is made wide enough never to saturate up to this width, wider only if the threshold needs it


@dataclass(frozen=True)
class Quantisation:
    """How to round a network.

    ``clip``: where weights are clipped before rounding (``percentile``: at that percentile of their magnitudes).
    ``leak``: ``shift`` for ``v - (v >> k)``, ``multiply`` for a 12-bit factor, ``auto`` a shift where it is exact.
    ``fraction_bits``: bits of the membrane below one unit of weight, so that leaks and thresholds are finer than
    weights; None: as many as resolve the smallest threshold into 128 steps, at least 6 (Loihi's) for cuba_lif.
    ``state_bits``: width of v (and u); None: as wide as needed.
    """

    weight_bits: int = 8
    clip: str = "least_squares"
    percentile: float = 99.9
    rounding: str = "toward_zero"
    leak: str = "auto"
    fraction_bits: int | None = None
    state_bits: int | None = None

    def __post_init__(self):
        for key, allowed in (("clip", CLIPS), ("leak", LEAKS), ("rounding", [r.name.lower() for r in Rounding])):
            if getattr(self, key) not in allowed:
                raise InputError(f"{key} is one of {', '.join(allowed)}, not {getattr(self, key)!r}")
        if not 2 <= self.weight_bits <= 16:
            raise InputError(f"weight_bits is 2..16, not {self.weight_bits}")
        if self.fraction_bits is not None and not 0 <= self.fraction_bits <= 15:
            raise InputError(f"fraction_bits is 0..15, not {self.fraction_bits}")
        if not 0 < self.percentile <= 100:
            raise InputError(f"percentile is above 0 and at most 100, not {self.percentile}")

    @property
    def largest(self) -> int:
        """The largest weight; the range is symmetric."""
        return (1 << (self.weight_bits - 1)) - 1


DEFAULT = Quantisation()


@dataclass(frozen=True)
class _Rounded:
    """One population with the projections that reach it, before the common width is known."""

    population: Population
    projections: list[Projection]
    bits: int  # of v and u
    extra: list[Population] = field(default_factory=list)


def quantise(source: Source, how: Quantisation = DEFAULT) -> Network:
    """Round ``source`` to integers. A source of integers is returned as it is.

    With s the scale of a population (float value of one unit of weight) and f the fraction bits: weights
    ``round(w / s)``, exponent f, threshold, bias and reset value ``round(x / s * 2^f)``. All populations of a model get
    one f and one width of v, because they share one neuron in hardware.

    Raises InputError if a threshold or bias cannot be represented.
    """
    if source.network is not None:
        return source.network
    incoming = {p.name: [q for q in source.projections if q.target == p.name] for p in source.populations}
    scales = {p.name: _scale(p, incoming[p.name], how) for p in source.populations}
    fractions = {model: _fraction_bits(source, scales, model, how) for model in MODELS}
    rounded = [
        _round_population(p, incoming[p.name], scales[p.name], fractions[p.model], how) for p in source.populations
    ]
    populations = [population for item in rounded for population in (*item.extra, item.population)]
    bits = {}
    for model in {population.spec.STATE for population in populations}:
        widest = max(item.bits for item in rounded if model == item.population.spec.STATE)
        bits[model] = how.state_bits or widest
    network = Network(
        name=source.name,
        inputs=source.inputs,
        populations=tuple(
            replace(p, state_bits={s.name: bits[p.spec.STATE] for s in p.spec.STATE if s.signed and not s.fixed})
            for p in populations
        ),
        projections=tuple(projection for item in rounded for projection in item.projections),
        outputs=source.outputs,
    )
    metadata = {
        **source.metadata,
        "float_equations": source.equations,
        "integer_equations": integer_equations(network),
        "scales": scales,
        "weight_bits": how.weight_bits,
        "notes": list(source.notes),
    }
    return replace(network, metadata=metadata)


def clip_at(weights: np.ndarray, how: Quantisation) -> float:
    """The magnitude at which ``weights`` (any shape) are clipped.

    ``least_squares`` minimises the sum of squared differences to the rounded weights over 200 candidates.
    """
    magnitudes = np.abs(weights[weights != 0])
    if not len(magnitudes):
        return 1.0
    top = float(magnitudes.max())
    if how.clip == "max":
        return top
    if how.clip == "percentile":
        return float(np.percentile(magnitudes, how.percentile))
    best, least = top, math.inf
    for candidate in top * np.linspace(1.0, 0.1, 200):
        scale = candidate / how.largest
        rounded = np.clip(np.rint(magnitudes / scale), 0, how.largest)
        error = float(np.square(magnitudes - scale * rounded).sum())
        if error < least:
            best, least = float(candidate), error
    return best


def _scale(population: SourcePopulation, incoming: list[SourceProjection], how: Quantisation) -> float:
    """The float value of one unit of weight."""
    weights = np.concatenate([np.zeros(0), *(projection.values.ravel() for projection in incoming)])
    if np.any(weights):
        return clip_at(weights, how) / how.largest
    return float(population.parameter("threshold").min()) / how.largest  # nothing arrives


def _fraction_bits(source: Source, scales: dict[str, float], model: str, how: Quantisation) -> int:
    if how.fraction_bits is not None:
        return how.fraction_bits
    steps = [float(p.parameter("threshold").min()) / scales[p.name] for p in source.populations if p.model == model]
    least = CUBA_FRACTION_BITS if model == "cuba_lif" else 0
    needed = max([least, *(math.ceil(math.log2(RESOLUTION / step)) for step in steps)])
    return min(needed, (1 << EXPONENT_BITS) - 1)


def _round_population(
    population: SourcePopulation, incoming: list[SourceProjection], scale: float, fraction: int, how: Quantisation
) -> _Rounded:
    unit = scale / (1 << fraction)

    def weight(values: np.ndarray) -> np.ndarray:
        return _integers(np.clip(values / scale, -how.largest, how.largest))

    parameters = {"exponent": fraction, **_membrane(population, unit), **_leak(population, how)}
    projections = [Projection(q.source, q.target, q.rounded(weight), q.delay) for q in incoming]
    bits = _state_bits(population, parameters, projections, fraction)
    model = "if" if parameters.get("leak") == Leak.NONE else population.model
    if model == "if":
        parameters = {k: v for k, v in parameters.items() if k not in ("leak", "rounding")}
    rounded = Population(population.name, population.size, model, parameters)
    extra, drive = _bias_neuron(rounded, population.parameter("bias_u") / scale, how)
    return _Rounded(rounded, projections + drive, bits, extra)


def _integers(values: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(np.int64)


def _scalar(values: np.ndarray) -> int | np.ndarray:
    """One integer where all are equal."""
    return int(values.flat[0]) if np.all(values == values.flat[0]) else values


def _membrane(population: SourcePopulation, unit: float) -> dict[str, int | np.ndarray]:
    threshold = _integers(population.parameter("threshold") / unit)
    if np.any(threshold < 1):
        raise InputError(
            f"population {population.name!r}: the threshold is less than one unit of weight; use more weight_bits or"
            " fraction_bits"
        )
    timing = ResetTiming[population.reset_timing.upper()]
    if population.model == "cuba_lif" and timing is not ResetTiming.SAME_STEP:
        raise InputError(
            f"population {population.name!r}: cuba_lif resets in the same step; reset timing"
            f" {population.reset_timing.replace('_', '-')} is not supported"
        )
    found = {
        "threshold": _scalar(threshold),
        "bias": _scalar(_integers(population.parameter("bias") / unit)),
        "reset": int(Reset[population.reset.upper()]),
        "compare": int(Compare[population.compare.upper()]),
    }
    if population.model == "lif":
        found["reset_timing"] = int(timing)
    if population.reset == "zero":
        found["reset_value"] = _scalar(_integers(population.parameter("reset_value") / unit))
    return found


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


def _state_bits(population, parameters, projections, fraction: int) -> int:
    """Width of v: four thresholds at least, and up to 16 bits enough for any input never to saturate it."""
    threshold = int(np.max(parameters["threshold"]))
    least = math.ceil(math.log2(threshold)) + HEADROOM_BITS if threshold > 1 else 1 + HEADROOM_BITS
    for name in ("bias", "reset_value"):
        values = np.asarray(parameters.get(name, 0))
        least = max(least, signed_bits_for(int(values.min()), int(values.max())) + 1)
    if least > STATE_BITS_MAX:
        raise InputError(
            f"population {population.name!r}: the membrane needs {least} bits; {STATE_BITS_MAX} are possible"
        )
    per_step = sum(np.subtract(*q.one_sided) for q in projections) if projections else np.zeros(population.size)
    per_step = per_step * (1 << fraction) + np.abs(parameters["bias"])
    lost = 1 - population.parameter("keep")
    if population.model == "cuba_lif":
        per_step = per_step / np.maximum(1 - population.parameter("keep_u"), 2.0**-DECAY_BITS)
    bound = float(np.max(per_step / np.maximum(lost, 2.0**-DECAY_BITS)))
    never = math.ceil(math.log2(bound + threshold + 1)) + 1
    roof = COMFORTABLE_BITS + (fraction if population.model == "cuba_lif" else 0)
    return min(max(least, min(never, roof)), STATE_BITS_MAX)


def _bias_neuron(
    target: Population, bias_u: np.ndarray, how: Quantisation
) -> tuple[list[Population], list[Projection]]:
    """A constant input current, in units of weight: neurons that fire in every step, as many as its size asks for.

    They share the target's parameters, so that hardware folds what is equal, except for a bias above the threshold.
    """
    total = _integers(bias_u)
    if not np.any(total):
        return [], []
    count = -(-int(np.abs(total).max()) // how.largest)
    rows = np.diff(np.rint(np.linspace(0, 1, count + 1)[:, None] * total[None, :]), axis=0).astype(np.int64)
    threshold = int(np.max(target.parameters["threshold"]))
    shared = {name: value for name, value in target.parameters.items() if np.ndim(value) == 0}
    parameters = {**shared, "threshold": threshold, "bias": threshold + 1, "reset_value": 0}
    name = f"{target.name}_bias"
    return [Population(name, count, target.model, parameters)], [Projection(name, target.name, rows)]
