"""Emitted Verilog under the eyes of three tools: it must be accepted without a warning."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..spec.errors import CheckError, ToolError
from .emit import YOSYS, Emitted
from .simulators import WAIVERS, simulator

TOOLS = ("yosys", "icarus", "verilator")
FRAME = "lint_frame"


def _frame(emitted: Emitted) -> str:
    """A module around the top that passes its ports on.

    For Verilator a file of several modules is a library; so the file is named as one, and this is what uses it.
    """
    names = [port["name"] for port in emitted.ports]
    kinds = {"in": "input", "out": "output"}
    ports = (f"{kinds[p['direction']]} wire [{p['width'] - 1}:0] {p['name']}" for p in emitted.ports)
    joined = ", ".join(f".{name}({name})" for name in names)
    return f"module {FRAME} ({', '.join(ports)});\n  {emitted.top} top ({joined});\nendmodule\n"


def _command(tool: str, top: str) -> Sequence[str]:
    if tool == "yosys":
        return [*YOSYS, "-q", "-p", f"read_verilog top.v; hierarchy -check -top {top}; proc; check -assert"]
    if tool == "icarus":
        return ["iverilog", "-g2005", "-Wall", "-t", "null", "-s", top, "top.v"]
    files = [str(WAIVERS), "-v", "top.v", f"{FRAME}.v"]
    return [simulator("verilator").program(), "--lint-only", "-Wall", "--top-module", FRAME, *files]


def lint(emitted: Emitted, tools: Sequence[str] = TOOLS) -> None:
    """Have ``tools`` read the Verilog; Verilator's two warnings that ``waivers.vlt`` explains are waived.

    Raises CheckError with the first complaint, and ToolError if a tool is not there.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "top.v").write_text(emitted.verilog)
        Path(folder, f"{FRAME}.v").write_text(_frame(emitted))
        for tool in tools:
            environment = simulator("verilator").environment() if tool == "verilator" else {}
            command = _command(tool, emitted.top)
            try:
                result = subprocess.run(
                    command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
                )
            except FileNotFoundError:
                raise ToolError(f"{command[0]} is not installed") from None
            complaint = (result.stderr or (result.stdout if result.returncode else "")).strip()
            if complaint or result.returncode:
                raise CheckError(f"{emitted.top}: {tool}: {complaint.splitlines()[0] if complaint else 'failed'}")
