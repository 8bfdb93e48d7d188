"""Encoders: how the pixels of a sample become events inside the fabric, as tables.

An encoder is one module here, one in ``golden.encoders`` and one in ``rtl.encoders``.

Every module defines ``NAME``, ``SUMMARY``, ``EQUATION`` (text: the events of one line in steps t = 0..T-1, from its
pixel x, where what is above ``full`` counts as ``full``), ``PARAMETERS``, and ``GRADED``: events carry the pixel's
value as their payload. Parameters are constants of the hardware. In all encoders a pixel of 0 makes no event.
``memories(encoder)`` are the unit's block RAMs as (width, rows): what sizing counts before there is hardware.
"""

import sys
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from ..errors import InputError
from ..registry import pick, scan

PIXEL_BITS = 8


@dataclass(frozen=True)
class Parameter:
    """One parameter of an encoder: an integer ``low..high``."""

    name: str
    default: int
    low: int
    high: int
    doc: str

    def parse(self, value: int, where: str) -> int:
        """``value``, if it may be one. Raises InputError otherwise."""
        if not self.low <= value <= self.high:
            raise InputError(f"{where}: {self.name} is an integer {self.low}..{self.high}, not {value!r}")
        return value


FULL = Parameter("full", 255, 1, (1 << PIXEL_BITS) - 1, "the brightest pixel")


@cache
def encoders() -> dict[str, ModuleType]:
    """Every encoder's specification module, by name."""
    return scan(sys.modules[__name__])


def encoder(name: str) -> ModuleType:
    """The specification of one encoder. Raises InputError, naming the encoders that exist."""
    return pick(encoders(), name, "encoder")
