"""What NIR leaves open and how frameworks fill it: time step, reset, comparison, decay.

Every choice comes from, in this order: the user's option, the node's metadata, a rule about the numbers in the file
(time step only), the framework's preset, NIR's own text. What a rule or NIR's text chose is a guess and becomes a note.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..spec.errors import InputError

CHOICES = {
    "reset": ("zero", "subtract", "none"),
    "reset_timing": ("same-step", "delayed", "snntorch-immediate"),
    "compare": ("gt", "ge"),
    "decay": ("euler", "exponential"),
}

NIR_TEXT = {"reset": "zero", "reset_timing": "same-step", "compare": "gt", "decay": "euler"}


def _preset(reset: str, timing: str, compare: str, decay: str, dt: float | None = None) -> dict:
    return {"reset": reset, "reset_timing": timing, "compare": compare, "decay": decay, "dt": dt}


PRESETS = {
    "snntorch": _preset("subtract", "delayed", "gt", "euler", dt=1e-4),
    "norse": _preset("zero", "same-step", "gt", "euler", dt=1e-3),
    "sinabs": _preset("subtract", "same-step", "ge", "exponential", dt=1.0),
    "spikingjelly": _preset("zero", "same-step", "ge", "euler"),
    "rockpool": _preset("subtract", "same-step", "ge", "exponential"),
    "lava": _preset("zero", "same-step", "gt", "euler"),
}
MULTI_SPIKE = ("sinabs", "rockpool")
STARTS = {"norse": ("v_leak", "v_reset"), "spikingjelly": ("v_reset",)}  # keys where v starts, elsewhere at 0

_COMPARE_SIGNS = {">": "gt", ">=": "ge", "gt": "gt", "ge": "ge"}


@dataclass(frozen=True)
class Options:
    """What the user may say about a file that leaves it open. None: not said."""

    dt: float | None = None
    reset: str | None = None
    reset_timing: str | None = None
    compare: str | None = None
    decay: str | None = None
    framework: str | None = None
    input_shape: str | None = None  # of the one input: channels,rows,columns
    name: str | None = None

    def __post_init__(self):
        for key, allowed in CHOICES.items():
            value = getattr(self, key)
            if value is not None and value not in allowed:
                raise InputError(f"--{key.replace('_', '-')} is one of {', '.join(allowed)}, not {value!r}")
        if self.framework is not None and self.framework not in PRESETS:
            raise InputError(f"--framework is one of {', '.join(PRESETS)}, not {self.framework!r}")
        if self.dt is not None and not self.dt > 0:
            raise InputError(f"--dt is a positive number, not {self.dt!r}")
        if self.input_shape is not None and not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", self.input_shape):
            raise InputError(f"--input-shape is channels,rows,columns, not {self.input_shape!r}")

    @property
    def input_extents(self) -> tuple[int, ...] | None:
        """``input_shape`` in numbers."""
        return tuple(int(extent) for extent in self.input_shape.split(",")) if self.input_shape else None


@dataclass(frozen=True)
class Convention:
    """The resolved choices for one population."""

    dt: float
    reset: str
    reset_timing: str
    compare: str
    decay: str
    framework: str | None = None

    def keep(self, tau: np.ndarray) -> np.ndarray:
        """The factor of the stored state in one step. Raises InputError for a tau that has none."""
        if not np.all(tau > 0):
            raise InputError("a time constant is not positive")
        steps = self._steps(tau)
        if self.decay == "exponential":
            return np.exp(-steps)
        if np.any(steps > 1):
            raise InputError(
                f"a time constant is smaller than dt = {self.dt:g}; pass a smaller --dt or --decay exponential"
            )
        return 1 - steps

    def _steps(self, tau: np.ndarray) -> np.ndarray:
        """``dt/tau``, in the file's precision: so a tau that was made of a beta in float32 gives that beta back."""
        single = np.float32(tau)
        return np.where(single == tau, np.float32(self.dt) / single, self.dt / tau)

    def start(self, record: Mapping) -> np.ndarray | float:
        """v at the start of a sample, of which NIR says nothing."""
        return next((record[key] for key in STARTS.get(self.framework or "", ()) if key in record), 0.0)

    def gain(self, tau: np.ndarray, r: np.ndarray) -> np.ndarray:
        """The factor of the input current, ``(1 - keep)*r``. Rockpool's is 1, and r tells dt from tau."""
        if self.framework == "rockpool":
            return r * (self.dt / tau) * np.exp(self.dt / tau)
        return (1 - self.keep(tau)) * r


def resolve(
    records: Mapping[str, Mapping], open_: Mapping[str, Sequence[str]], options: Options, timed: bool = False
) -> tuple[dict[str, Convention], float, list[str]]:
    """The convention of every neuron node, the network's time step, and notes about what was guessed.

    ``records`` are the nodes' arrays and metadata, ``open_`` what NIR leaves open about each; ``timed`` says that
    something else needs the time step. Raises InputError where nothing says the time step.
    """
    notes: list[str] = []
    preset = PRESETS.get(options.framework or "", {})
    said = {name: _metadata(name, record) for name, record in records.items()}
    clocked = {name: record for name, record in records.items() if "dt" in open_[name]}
    dt = _time_step(clocked, said, options, preset, notes) if clocked or timed else 1.0
    found = {}
    guessed: dict[str, str] = {}
    for name in records:
        chosen = {}
        for key, text in NIR_TEXT.items():
            chosen[key] = (
                getattr(options, key) or said[name].get(key) or (preset.get(key) if key in open_[name] else None)
            )
            if chosen[key] is None:
                chosen[key] = text
                if key in open_[name]:
                    guessed[key] = text
        if "reset" not in open_[name]:
            chosen |= {"reset": "none", "reset_timing": "same-step"}
        found[name] = Convention(
            dt=dt if options.dt else said[name].get("dt", dt),
            framework=options.framework,
            **(chosen | {"reset_timing": chosen["reset_timing"].replace("-", "_")}),
        )
    if guessed:
        text = ", ".join(f"{key.replace('_', '-')} {value}" for key, value in guessed.items())
        notes.append(f"assumed {text}: the file does not say; pass --framework or the options of these names")
    if options.framework in MULTI_SPIKE and any("reset" in keys for keys in open_.values()):
        notes.append(f"{options.framework} neurons may fire several times in one step; here they fire at most once")
    return found, dt, notes


def _metadata(name: str, record: Mapping) -> dict:
    """The choices that a node's metadata makes, in our words."""
    metadata = record.get("metadata", {})
    found: dict = {}
    if "dt" in metadata:
        found["dt"] = _number(name, "dt", metadata["dt"])
        if not 0 < found["dt"] < np.inf:
            raise InputError(f"node {name!r}: metadata dt is a positive number, not {found['dt']!r}")
    for key in ("reset", "decay"):
        if key in metadata:
            found[key] = _chosen(name, key, str(metadata[key]), {choice: choice for choice in CHOICES[key]})
    for key in ("threshold_compare", "compare"):
        if key in metadata:
            found["compare"] = _chosen(name, key, str(metadata[key]), _COMPARE_SIGNS)
    if "reset_delay" in metadata:
        found["reset_timing"] = "delayed" if _number(name, "reset_delay", metadata["reset_delay"]) else "same-step"
    if "reset_timing" in metadata:
        timings = {choice: choice for choice in CHOICES["reset_timing"]}
        found["reset_timing"] = _chosen(name, "reset_timing", str(metadata["reset_timing"]).replace("_", "-"), timings)
    return found


def _number(name: str, key: str, value) -> float:
    if np.size(value) != 1 or np.asarray(value).dtype.kind not in "biuf":
        raise InputError(f"node {name!r}: metadata {key} is a number, not {value!r}")
    return float(np.ravel(value)[0])


def _chosen(name: str, key: str, value: str, allowed: Mapping[str, str]) -> str:
    if value not in allowed:
        raise InputError(f"node {name!r}: metadata {key} is one of {', '.join(allowed)}, not {value!r}")
    return allowed[value]


def _time_step(records: Mapping, said: Mapping, options: Options, preset: Mapping, notes: list[str]) -> float:
    """The network's time step: see the module's text. Raises InputError where nothing says it."""
    if options.dt is not None:
        return options.dt
    stated = {choices.get("dt") for choices in said.values()} - {None}
    if stated:
        if len(stated) > 1:
            raise InputError(f"the file's metadata names several dt ({', '.join(map(str, sorted(stated)))}); pass --dt")
        return stated.pop()
    ratio, usual = _ratio(records, options.framework), preset.get("dt")
    if usual is not None and (ratio is None or np.isclose(ratio, usual, rtol=1e-3)):
        return usual
    steps = _steps(records)
    for dt, text in ((ratio, f"tau/r of every neuron is {ratio}"), (steps, "every tau is 1 or more, so in steps")):
        if dt is not None:
            notes.append(f"assumed dt = {dt:.6g}: {text}; pass --dt if that is wrong")
            return dt
    raise InputError("the time step is not in the file and cannot be told from its numbers; pass --dt")


def _ratio(records: Mapping, framework: str | None) -> float | None:
    """dt where ``r = tau/dt`` in every neuron (Rockpool: ``r = tau/dt * exp(-dt/tau)``) with one dt."""
    ratios = []
    for record in records.values():
        r = np.atleast_1d(np.asarray(record["r"], dtype=float))
        if not np.all(r > 1):
            return None
        tau = next((np.atleast_1d(record[key]).astype(float) for key in ("tau", "tau_mem") if key in record), 1.0)
        ratios.append(np.ravel(tau * (_rockpool_ratio(r) if framework == "rockpool" else 1 / r)))
    if not ratios:
        return None
    values = np.concatenate(ratios)
    middle = float(np.median(values))
    return float(f"{middle:.5g}") if np.allclose(values, middle, rtol=1e-3) else None


def _rockpool_ratio(r: np.ndarray) -> np.ndarray:
    """x = dt/tau with ``x*exp(x) = 1/r``, by fixed-point iteration (a contraction for r > 1)."""
    x = 1 / r
    for _ in range(100):
        x = np.exp(-x) / r
    return x


def _steps(records: Mapping) -> float | None:
    """1 where every time constant is at least 1: then they count steps."""
    keys = ("tau", "tau_mem", "tau_syn")
    taus = [np.min(record[key]) for record in records.values() for key in keys if key in record]
    return 1.0 if taus and min(taus) >= 1 else None
