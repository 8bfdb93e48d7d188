"""Verilog benches that need no Python: compiled by Verilator to a program, which runs to its ``$finish``.

They read and write files of the folder in which they run. For what has to be simulated long or often; what is verified
goes through cocotb.
"""

import importlib.metadata
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..spec.errors import ToolError
from . import cache as store
from .simulators import TIMESCALE, WAIVERS, run_tool, verilator

PROGRAM, LOG = "bench", "simulation.log"
ARGUMENTS = ("--binary", "--timing", "--timescale", TIMESCALE, *verilator.ARGUMENTS)


def tool() -> str:
    """Name and version of what compiles the benches. Raises ToolError if it does not work."""
    verilator.version()
    return f"verilator {importlib.metadata.version('verilator')}"


def compile(sources: Mapping[str, str], top: str, defines: Mapping[str, str | int], trace: bool = False) -> Path:
    """The program of the bench ``top``; from the cache if it was made before. ``trace``: it can dump its signals.

    Raises ToolError, with the compiler's log, if the compiler refuses or is not there.
    """
    macros = [f"-D{name}={value}" for name, value in sorted(defines.items())]
    options = [*ARGUMENTS, *(("--trace",) if trace else ())]
    key = store.digest(verilator.version(), *options, top, *macros, *(f"{k}={v}" for k, v in sorted(sources.items())))

    def make(folder: Path) -> None:
        for file, text in sources.items():
            (folder / file).write_text(text)
        command = [verilator.program(), *options, "-j", str(os.cpu_count() or 1), "--top-module", top, "-Mdir", "."]
        run_tool([*command, "-o", PROGRAM, *macros, str(WAIVERS), *sources], folder, verilator.environment())
        for leftover in folder.iterdir():
            if leftover.name != PROGRAM:
                leftover.unlink()

    return store.entry("benches", key, make) / PROGRAM


def run(program: Path, folder: Path) -> None:
    """Run a bench in ``folder``. Raises ToolError, with what it printed, if it fails."""
    log = folder / LOG
    with log.open("w") as output:
        code = subprocess.run([program], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
    if code:
        raise ToolError(f"{program.name} ended with exit code {code}", log)
