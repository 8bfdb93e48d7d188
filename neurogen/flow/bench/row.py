"""What a line of the performance table is: figures, targets, and how they are written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Progress = Callable[[str], None]
"""Told what begins."""


class Skipped(Exception):
    """A row cannot be measured on this machine; the message says why and what would help."""


@dataclass(frozen=True)
class Figure:
    """How a figure is written: ``text`` is a format. ``fixed``: the same on every machine that has the same tools."""

    text: str
    fixed: bool = True


FIGURES = {
    "operations": Figure("{:,.0f} operations a clock"),
    "lut": Figure("{:,.0f} LUT"),
    "ff": Figure("{:,.0f} FF"),
    "ram": Figure("{:,.0f} RAM"),
    "dsp": Figure("{:,.0f} DSP"),
    "fmax_mhz": Figure("{:.1f} MHz", fixed=False),
    "hop_cycles": Figure("{:,.1f} clocks a hop"),
    "packets_per_port": Figure("{:.2f} packets a port and clock"),
    "tick_cycles": Figure("{:,.0f} clocks a tick of 64 events"),
    "cycles": Figure("{:,.0f} clocks"),
    "leaking_cycles": Figure("{:,.0f} clocks where all neurons leak"),
    "overlapped_cycles": Figure("{:,.0f} clocks overlapped"),
    "sustained": Figure("{:.0%} of the peak sustained"),
    "sustained_all": Figure("{:.0%} of the peak where every axon has an event"),
    "gops": Figure("{:,.1f} G operations/s", fixed=False),
    "us": Figure("{:,.2f} us", fixed=False),
    "images_per_second": Figure("{:,.0f} images/s", fixed=False),
    "accuracy": Figure("{:.2%}"),
    "speedup": Figure("{:.1f} times as fast", fixed=False),
    "seconds": Figure("{:.1f} s", fixed=False),
}
"""Everything that a row may measure, in the order in which the table shows it."""


@dataclass(frozen=True)
class Bound:
    """A target: a figure is to be at ``least``, or at ``most``, so much."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        return value >= self.least if self.least is not None else value <= self.most

    def text(self, figure: Figure) -> str:
        sign, value = (">=", self.least) if self.least is not None else ("<=", self.most)
        return f"{sign} {figure.text.format(value)}"


def at_least(value: float) -> Bound:
    return Bound(least=value)


def at_most(value: float) -> Bound:
    return Bound(most=value)


@dataclass(frozen=True)
class Measured:
    """What a row found: ``figures`` by name; for the reader, what was measured and which tools made it.

    ``fmax_mhz`` is a median; ``seeds`` has that of every place and route. ``limit``: synapses a clock that the memory's
    width allows; ``critical``: the slowest path of the median seed.
    """

    figures: Mapping[str, float]
    about: str
    tools: Sequence[str] = ()
    seeds: Mapping[int, float] = field(default_factory=dict)
    limit: float | None = None
    critical: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Settings:
    """How rows are measured: places and routes of each design (0: none), and the folder of trained networks, if any."""

    seeds: int = 3
    data: Path | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table. ``full``: it takes so long that it has to be asked for."""

    name: str
    title: str
    measure: Callable[[Settings, Progress], Measured]
    targets: Mapping[str, Bound] = field(default_factory=dict)
    full: bool = False
