"""Compile one of the property fabrics and let cases run on it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from neurogen.flow import simulators
from neurogen.flow.emit import overlay
from neurogen.rtl.streams import Stalls
from neurogen.spec.errors import ToolError

from .property_cases import ALL_FABRICS
from .property_player import DONE, FAILED, JOB


class Differs(AssertionError):
    """A case came out wrong; the message names it."""


@dataclass(frozen=True)
class Dut:
    """A fabric's Verilog; ``stalls`` is the seed of the gates in its internal streams, or None if there are none."""

    name: str
    verilog: str
    stalls: int | None = None


def build(name: str, stalls: int | None = None) -> Dut:
    """One of the property fabrics."""
    return Dut(name, overlay(ALL_FABRICS[name], Stalls(stalls)).verilog, stalls)


def run(dut: Dut, simulator: str, seed: int, first: int, end: int, folder: Path) -> dict[str, int]:
    """Run the cases ``first..end`` of a fabric; what they reached.

    Raises Differs for the first case that is wrong or gets stuck, ToolError if the simulator fails otherwise.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = simulators.bench(simulator, dut.verilog, dut.name)
    job = {"fabric": dut.name, "seed": seed, "first": first, "end": end, "exact_cycles": dut.stalls is None}
    (folder / JOB).write_text(json.dumps(job))
    try:
        simulators.run(model, "rtl_tests.property_player", "cases", folder, seed)
    except ToolError:
        if not (folder / FAILED).exists():
            raise
        failed = json.loads((folder / FAILED).read_text())
        raise Differs(f"{failed['case']} ({simulator}): {failed['why']}") from None
    return json.loads((folder / DONE).read_text())
