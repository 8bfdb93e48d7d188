"""Neuron models: what each is, as tables.

A model is one module here, one in ``golden.neurons`` and one in ``rtl.neurons``.

Every module defines ``NAME``, ``SUMMARY``, ``EQUATION`` (text, the canonical order of operations), ``STATE`` (the
registers of one neuron) and ``PARAMETERS``. A parameter is a constant of the hardware, a per-population or a
per-neuron table, as the configuration says; the model does not care.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from types import ModuleType

from ..errors import InputError
from ..fields import Field
from ..registry import pick, scan

EXPONENT_BITS = 4
SHIFT_BITS = 5
REFRACTORY_BITS = 8


@dataclass(frozen=True)
class State:
    """One register of a neuron. ``bits`` is the default width; a configuration may say another unless ``fixed``."""

    name: str
    bits: int
    doc: str
    signed: bool = True
    fixed: bool = False


@dataclass(frozen=True)
class Parameter:
    """One parameter of a model.

    ``width`` maps the neuron's state widths to the parameter's; an enumerated parameter has ``choices``.
    """

    name: str
    default: int
    doc: str
    width: Callable[[Mapping[str, int]], int]
    signed: bool = False
    choices: type[IntEnum] | None = None
    maximum: int | None = None

    def field(self, state_bits: Mapping[str, int]) -> Field:
        return Field(self.name, self.width(state_bits), self.doc, self.signed)

    def parse(self, value: int | str, state_bits: Mapping[str, int], where: str) -> int:
        """The integer meant by ``value`` (a number, or the lower-case name of a choice); InputError if it is none."""
        if self.choices is not None:
            names = {choice.name.lower(): int(choice) for choice in self.choices}
            if isinstance(value, str) and value in names:
                return names[value]
            if value in names.values() and not isinstance(value, (str, bool)):
                return int(value)
            raise InputError(f"{where}: {self.name} is one of {', '.join(names)}, not {value!r}")
        low, high = self.field(state_bits).range
        if self.maximum is not None:
            high = min(high, self.maximum)
        if isinstance(value, (str, bool)) or int(value) != value or not low <= value <= high:
            raise InputError(f"{where}: {self.name} is an integer {low}..{high}, not {value!r}")
        return int(value)


def enumerated(name: str, default: IntEnum, doc: str) -> Parameter:
    """A parameter whose values are the members of ``type(default)``."""
    choices = type(default)
    bits = max(int(choice) for choice in choices).bit_length()
    return Parameter(name, int(default), doc, lambda _: bits, choices=choices)


def of_state(name: str, state: str, default: int, doc: str) -> Parameter:
    """A signed parameter as wide as the register ``state``."""
    return Parameter(name, default, doc, lambda bits: bits[state], signed=True)


def unsigned(name: str, bits: int, default: int, doc: str, maximum: int | None = None) -> Parameter:
    return Parameter(name, default, doc, lambda _: bits, maximum=maximum)


@cache
def models() -> dict[str, ModuleType]:
    """Every neuron model's specification module, by name."""
    return scan(sys.modules[__name__])


def model(name: str) -> ModuleType:
    """The specification of one model. Raises InputError, naming the models that exist."""
    return pick(models(), name, "neuron model")
