"""FPGA families, one module each, found by a scan: devices, tools' arguments, PLL, where memories are in a bitstream.

A family's module defines

* ``NAME``; ``DEVICES``: type, as amaranth's platforms spell it, -> :class:`Device`;
* ``MEMORY_REGISTERS``: whether block RAMs have registers inside that ``finish`` can use;
* ``TOOLS``: the tools in the order in which they run; ``SUFFIX`` of the bitstream;
* ``synthesis(device, top)``: the Yosys commands between reading Verilog and writing JSON;
* ``finish(design)``: what is then done to the netlist, in place, as Yosys' JSON has it;
* ``place(platform)``: nextpnr's arguments for the device; ``effort(cells)`` what else pays for a netlist of so many
  cells, where a clock is to be reached; ``constrain(hz)`` for the constraints, whose file has the
  suffix ``CONSTRAINTS``, and the clock; ``UNCONSTRAINED`` where pins may be anywhere, and ``anywhere(platform, ports)``
  what that file then says; ``ROUTE_OPTION`` for the routed design, ``ROUTED`` the suffix of that file;
* ``pack(device)``: the packer's arguments; ``USED``: resource -> name in nextpnr's report; ``used(report, cells)``: how
  much;
* ``RAMS``: (width, rows) that a block RAM can have; ``LAYOUTS``: for widths, where a row's and column's bit is in it;
* ``pll(reference_hz, wanted_hz)`` -> :class:`Pll`; ``clock(m, board, reference, pll)`` -> (clock, locked);
* ``memories(text)`` and ``with_memories(text, memories)``: the block RAMs of a routed design, as bits.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

from ...spec.errors import InputError
from ...spec.registry import scan

RESOURCES = {"lut": "LUTs", "ff": "flip-flops", "ram": "block RAMs", "dsp": "multipliers", "spram": "SPRAMs"}
"""What a device has, and what a user calls it."""


@dataclass(frozen=True)
class Device:
    """What a device has, and the ``start_hz`` that the first place and route aims at.

    More than ``lut_share`` of the LUTs is used only if asked for: routing takes long and clocks get low.
    """

    lut: int
    ff: int
    ram: int
    dsp: int
    start_hz: float
    spram: int = 0
    lut_share: float = 0.9


@dataclass(frozen=True)
class Pll:
    """A PLL's setting: ``hz`` comes out of ``reference_hz``, with the oscillator at ``vco_hz``."""

    reference_hz: float
    vco_hz: float
    hz: float
    parameters: dict[str, int] = field(default_factory=dict)


@cache
def families() -> dict[str, ModuleType]:
    """Every family's module, by name."""
    return scan(sys.modules[__name__])


def family(platform) -> ModuleType:
    """The family of a platform's device. Raises InputError if there is no flow for it."""
    device = getattr(platform, "device", None) or platform.family
    for module in families().values():
        if device in module.DEVICES:
            return module
    known = ", ".join(known for module in families().values() for known in module.DEVICES)
    raise InputError(f"there is no flow for the device {device}; there is one for {known}")


def best(settings: Iterator[Pll], wanted_hz: float, reference_hz: float) -> Pll:
    """The fastest setting that is not above ``wanted_hz``; of equals, the one with the fastest oscillator.

    Raises InputError if there is none.
    """
    found = max(
        (pll for pll in settings if pll.hz <= wanted_hz * (1 + 1e-9)), key=lambda p: (p.hz, p.vco_hz), default=None
    )
    if found is None:
        raise InputError(f"the PLL cannot make {wanted_hz / 1e6:.2f} MHz or less of {reference_hz / 1e6:.2f} MHz")
    return found


def within(limits: tuple[float, float], hz: float) -> bool:
    """Whether a frequency is in a closed range."""
    return limits[0] <= hz <= limits[1]


def hexadecimal(rows: Iterable[str]) -> list[int]:
    """Lines of hexadecimal digits as integers."""
    return [int(row, 16) for row in rows]
