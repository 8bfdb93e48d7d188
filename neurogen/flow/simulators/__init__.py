"""Verilog simulators, one module each, found by a scan. A compiled model is kept by a digest of all that went into it.

A simulator's module defines ``NAME``, ``SUMMARY``, ``ADVICE`` (how to get it), ``ARGUMENTS`` (of its compiler),
``version()`` (by running it; raises ToolError where it does not work) and
``compile(sources, top, defines, public, folder)``, which leaves in ``folder`` what cocotb's runner of that name starts.
"""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from ...spec.errors import ToolError
from ...spec.registry import pick, scan
from ...tb import BENCH, TOP, defines
from .. import cache as store

LOG = "compile.log"
TIMESCALE = "1ns/1ps"
WAIVERS = Path(__file__).with_name("waivers.vlt")


@cache
def simulators() -> dict[str, ModuleType]:
    """Every simulator's module, by name."""
    return scan(sys.modules[__name__])


def simulator(name: str) -> ModuleType:
    """One simulator. Raises InputError, naming those that exist."""
    return pick(simulators(), name, "simulator")


def installed() -> list[str]:
    """Names of the simulators that work here, by trying them."""
    return [name for name in simulators() if _works(name)]


@cache
def _works(name: str) -> bool:
    try:
        simulator(name).version()
    except ToolError:
        return False
    return True


@dataclass(frozen=True)
class Model:
    """A compiled simulation: the module ``top`` for the simulator ``name``, in ``folder``."""

    name: str
    top: str
    folder: Path


def compile(name: str, sources: Mapping[str, str], top: str, macros: Mapping[str, str], public: bool = False) -> Model:
    """Compile ``sources`` (file name -> text) with ``top`` on top, or find the result of an earlier time.

    Python reaches what the source marks as public, or, with ``public``, every signal; that makes simulation slower.

    Raises ToolError, with the compiler's log, if the compiler refuses or is not there.
    """
    module = simulator(name)
    parts = [f"{key}={value}" for key, value in sorted({**sources, **macros}.items())]
    cocotb = (
        importlib.metadata.version("cocotb"),
        sys.prefix,
    )  # models are linked against its libraries, where they are
    key = store.digest(name, module.version(), *module.ARGUMENTS, *cocotb, top, str(public), *parts)

    def make(folder: Path) -> None:
        for file, text in sources.items():
            (folder / file).write_text(text)
        module.compile(list(sources), top, macros, public, folder)

    return Model(name, top, store.entry("models", key, make))


def bench(name: str, verilog: str, top: str) -> Model:
    """The shipped bench around a fabric whose Verilog is given."""
    return compile(name, {"bench.v": BENCH.read_text(), "top.v": verilog}, TOP, defines(top))


def run(model: Model, module: str, test: str, folder: Path, seed: int) -> None:
    """Run the cocotb test ``test`` of ``module`` in ``folder``.

    Raises ToolError, with the simulation's log, if the simulator fails or the test does.
    """
    from cocotb_tools.runner import get_results, get_runner

    log, results = folder / "simulation.log", folder / "results.xml"
    ended = ""
    try:
        get_runner(model.name).test(
            test_module=module, testcase=test, hdl_toplevel=model.top, hdl_toplevel_lang="verilog", seed=seed,
            build_dir=model.folder, test_dir=folder, results_xml=str(results.resolve()), log_file=log,
        )  # fmt: skip
    except (RuntimeError, SystemExit) as error:  # the runner leaves the process where a test fails under pytest
        ended = f" ({error})"
    try:
        tests, failures = get_results(results)
    except RuntimeError:
        raise ToolError(f"{model.name}: the simulation of {test} ended early{ended}", log) from None
    if failures or not tests or ended:
        raise ToolError(f"{model.name}: {test} failed, seed {seed}", log)


def run_tool(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run one command of a compiler in ``folder``; its output is added to the log there.

    Raises ToolError, with a copy of the log that outlives the folder, if the command fails or does not exist.
    """
    log = folder / LOG
    try:
        with log.open("a") as output:
            subprocess.run(
                command, cwd=folder, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, check=True,
            )  # fmt: skip
    except FileNotFoundError:
        raise ToolError(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        kept = store.root() / "logs" / f"{folder.name.strip('.')}.log"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(log.read_text(errors="replace"))
        raise ToolError(f"{Path(command[0]).name} failed with exit code {error.returncode}", kept) from None


def first_line(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a command prints first. Raises ToolError if it cannot be run."""
    try:
        result = subprocess.run(
            command, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolError(f"{Path(command[0]).name} does not work: {error}") from None
    return result.stdout.splitlines()[0].strip() if result.stdout else ""
