"""What the readers make of a file: populations and projections in floating point, with one discrete equation each.

Everything that a file leaves open (time step, reset, comparison) is resolved here; quantisation only rounds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..spec.kernels import Kernel
from ..spec.network import Input, Network, Output

MODELS = ("lif", "cuba_lif")


@dataclass(frozen=True)
class SourcePopulation:
    """``size`` neurons of one float equation. A parameter is a float, or an array with one value per neuron.

    lif:       ``v = keep*v + I + bias``; ``s = [v cmp threshold]``; reset.
    cuba_lif:  ``u = keep_u*u + I + bias_u``; ``v = keep*v + u + bias``; ``s = [v cmp threshold]``; reset.

    ``reset`` is zero, subtract or none; ``reset_timing`` same_step, delayed or snntorch_immediate; ``compare`` gt or
    ge. Gains (``dt/tau * r``, ``w_in``) are folded into the weights of the incoming projections. With ``keep`` 0 a
    neuron remembers nothing; a ``threshold`` of infinity makes it a readout, whose v is all that matters. A sample
    starts at v = ``v_init``, u = 0. ``refractory`` is the steps from a spike to the next possible one; until then v is
    ``reset_value``.
    """

    name: str
    size: int
    model: str
    parameters: dict[str, float | np.ndarray]
    reset: str = "subtract"
    reset_timing: str = "same_step"
    compare: str = "ge"
    steps_dt: float | None = None  # seconds (or the file's unit) per step, where the file has one

    def parameter(self, name: str) -> np.ndarray:
        """A parameter's values, shape (size,)."""
        return np.broadcast_to(np.asarray(self.parameters.get(name, 0.0), dtype=float), (self.size,))

    @property
    def spiking(self) -> bool:
        """Whether the neurons can fire; if not, their membrane potential is what they deliver."""
        return bool(np.any(np.isfinite(self.parameter("threshold"))))

    @property
    def equation(self) -> str:
        """The discrete equation with its numbers, on one line."""
        early = self.reset_timing != "same_step" and self.reset != "none"
        fires = f"[v {_SIGN[self.compare]} {_number(self.parameters['threshold'])}]" if self.spiking else ""
        parts = [f"r = {fires}"] if early else []
        if self.model == "cuba_lif":
            parts.append(_update("u", self, "keep_u", "I", "bias_u"))
        drive = "u" if self.model == "cuba_lif" else "I"
        parts.append(_update("v", self, "keep", drive, "bias"))
        if self.spiking:
            parts += [f"s = {fires}", *_reset_text(self)]
        if np.any(self.parameter("refractory") > 1):
            parts.append(f"the next spike {_number(self.parameters['refractory'])} steps later at the earliest")
        if np.any(self.parameter("v_init")):
            parts.append(f"v = {_number(self.parameters['v_init'])} at the start")
        return "; ".join(parts)


_SIGN = {"gt": ">", "ge": ">="}


def _update(state: str, population: SourcePopulation, keep: str, drive: str, bias: str) -> str:
    """``v = 0.9 v + I + 0.1``, with what a pending reset does to v."""
    kept, late = state, ""
    if state == "v" and population.reset_timing != "same_step":
        if population.reset == "zero":
            rest = _number(population.parameters.get("reset_value", 0.0))
            kept = "(1-r) v" if rest == "0" else f"((1-r) v + {rest} r)"
        elif population.reset == "subtract":
            late = f" - {_number(population.parameters['threshold'])} r"
    factor = population.parameters.get(keep, 0.0)
    text = f"{_number(factor)} {kept} + {drive}" if np.any(factor) else drive
    return f"{state} = {text}{_plus(population.parameters.get(bias, 0.0))}{late}"


def _reset_text(population: SourcePopulation) -> list[str]:
    if population.reset == "none" or population.reset_timing == "delayed":
        return []
    fired = "s" if population.reset_timing == "same_step" else "(s-r)"
    if population.reset == "subtract":
        return [f"v = v - {_number(population.parameters['threshold'])} {fired}"]
    if fired == "s":
        return [f"v = {_number(population.parameters.get('reset_value', 0.0))} if s"]
    return [f"v = v - v {fired}"]


def _number(value: float | np.ndarray) -> str:
    low, high = np.min(value), np.max(value)
    return f"{low:.6g}" if np.isclose(low, high, rtol=1e-6) else f"[{low:.6g} .. {high:.6g}]"


def _plus(value: float | np.ndarray) -> str:
    return f" + {_number(value)}" if np.any(value) else ""


@dataclass(frozen=True)
class SourceProjection:
    """Float weights (n_source, n_target), a matrix or a kernel; ``delay`` in steps, as in ``spec.network``."""

    source: str
    target: str
    weights: np.ndarray | Kernel
    delay: int = 0

    @property
    def values(self) -> np.ndarray:
        """The numbers that are kept: the matrix itself, or the kernel's."""
        return self.weights.weights if isinstance(self.weights, Kernel) else self.weights

    def rounded(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | Kernel:
        """The weights after ``function``, which maps arrays element by element: a kernel stays a kernel."""
        if isinstance(self.weights, Kernel):
            return replace(self.weights, weights=function(self.weights.weights))
        return function(self.weights)


@dataclass(frozen=True)
class Source:
    """A network as it was read. ``network`` is set where the file holds integers already, which go through unchanged.

    ``notes`` are sentences for the user: every default that had to be guessed, every repair.
    """

    name: str
    inputs: tuple[Input, ...] = ()
    populations: tuple[SourcePopulation, ...] = ()
    projections: tuple[SourceProjection, ...] = ()
    outputs: tuple[Output, ...] = ()
    notes: tuple[str, ...] = ()
    metadata: dict = field(default_factory=dict)
    network: Network | None = None

    @property
    def equations(self) -> dict[str, str]:
        """The discrete equation of every population, by name."""
        if self.network is not None:
            return integer_equations(self.network)
        return {population.name: population.equation for population in self.populations}


def integer_equations(network: Network) -> dict[str, str]:
    """The canonical equation of every population of an integer network, with the parameters that differ from 0."""
    found = {}
    for population in network.populations:
        shown = []
        for parameter in population.spec.PARAMETERS:
            value = population.parameter(parameter.name)
            if parameter.choices is not None and np.ndim(value) == 0:
                shown.append(f"{parameter.name}={parameter.choices(int(value)).name.lower()}")
            elif np.any(value):
                shown.append(f"{parameter.name}={_number(value)}")
        widths = ", ".join(f"{name} {bits} bits" for name, bits in population.widths.items() if name != "refractory")
        found[population.name] = f"{population.model}({', '.join(shown)}; {widths})"
    return found
