"""Icarus Verilog: interprets, starts at once, knows X."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from . import TIMESCALE, first_line, run_tool

NAME = "icarus"
SUMMARY = "Icarus Verilog, interpreted, four-valued"
ADVICE = "Icarus Verilog from the system's packages (iverilog)"
ARGUMENTS = ("-g2005", "-Wall", "-Wno-timescale")
"""-g2005: with a later language, combinational outputs stay X until one of their inputs changes for the first time."""


def version() -> str:
    """Version, by running compiler and interpreter. Raises ToolError if one does not work."""
    first_line(["vvp", "-V"])
    return first_line(["iverilog", "-V"])


def compile(sources: Sequence[str], top: str, defines: Mapping[str, str], public: bool, folder: Path) -> None:
    """Compile to ``sim.vvp``; every signal is public anyway. Raises ToolError."""
    commands = folder / "commands.f"
    commands.write_text(f"+timescale+{TIMESCALE}\n")
    macros = [f"-D{name}={value}" for name, value in defines.items()]
    run_tool(["iverilog", *ARGUMENTS, "-o", "sim.vvp", "-s", top, "-f", commands.name, *macros, *sources], folder)
