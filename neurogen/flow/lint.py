"""Emitted Verilog under the eyes of three tools: it must be accepted without a warning."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..spec.errors import CheckError
from .emit import YOSYS
from .simulators import WAIVERS, simulator


def _commands(verilog: Path, top: str) -> dict[str, Sequence[str]]:
    return {
        "yosys": [*YOSYS, "-q", "-p", f"read_verilog {verilog.name}; hierarchy -check -top {top}; proc; check -assert"],
        "icarus": ["iverilog", "-g2005", "-Wall", "-t", "null", "-s", top, verilog.name],
        "verilator": [
            *(simulator("verilator").program(), "--lint-only", "-Wall", "--top-module", top),
            *(str(WAIVERS), verilog.name),
        ],
    }


def lint(verilog: Path, top: str, tools: Sequence[str] = ("yosys", "icarus", "verilator")) -> None:
    """Read ``verilog`` with each of ``tools``; Verilator's two warnings that ``waivers.vlt`` explains are waived.

    Raises CheckError with the first complaint, and ToolError if a tool is not there.
    """
    commands = _commands(verilog, top)
    for tool in tools:
        environment = simulator("verilator").environment() if tool == "verilator" else {}
        result = subprocess.run(
            commands[tool], cwd=verilog.parent, env={**os.environ, **environment}, capture_output=True, text=True
        )
        complaint = (result.stderr or result.stdout).strip()
        if result.returncode or result.stderr.strip():
            raise CheckError(f"{verilog}: {tool} says: {complaint.splitlines()[0] if complaint else 'failed'}")
