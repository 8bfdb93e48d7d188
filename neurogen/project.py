"""The project file: everything that a verb can be told, as one strict configuration.

The command line's flags are made from these fields, so every flag has a key here and both say the same. Paths in a
file are relative to it.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from .spec.config import Config, FabricConfig, Keys
from .spec.errors import InputError

Engine = Literal["network", "fabric", "verilator", "icarus"]
Simulator = Literal["verilator", "icarus"]
Decide = Literal["count", "first", "last", "max"]


class SimulateOptions(Config):
    """What ``simulate`` runs, and on what."""

    input: Annotated[str | None, Field(description="X: samples to run (.npz, .npy)")] = None
    output: Annotated[str | None, Field(description="Y: where the outputs go (.npz)")] = None
    engine: Annotated[Engine, Field(description="what computes Y; all write the same")] = "network"
    decide: Annotated[
        Decide | None, Field(description="how outputs become a class; default: most spikes, or last value")
    ] = None


class VerifyOptions(Config):
    """What ``verify`` compares, and on what."""

    input: Annotated[str | None, Field(description="X: samples to run; default: those shipped with the network")] = None
    samples: Annotated[int, Field(ge=1, description="how many samples of X")] = 20
    simulators: Annotated[
        tuple[Simulator, ...], Field(strict=False, description="simulators; default: every installed one")
    ] = ()
    allow_silent: Annotated[bool, Field(description="accept runs in which too little happens to mean anything")] = False


class Project(Config):
    """One network and all that is said about it."""

    network: Annotated[str | None, Field(description="network file or build directory; default: digits")] = None
    output: Annotated[str | None, Field(description="build directory; default: build/<name>")] = None
    seed: Annotated[int, Field(ge=0, description="of everything that is drawn at random")] = 0
    as_json: Annotated[bool, Field(alias="json", description="print the result as JSON")] = False
    fabric: Annotated[FabricConfig | None, Field(description="default: chosen for the network, and explained")] = None
    simulate: SimulateOptions = SimulateOptions()
    verify: VerifyOptions = VerifyOptions()


PATHS = ("network", "output", "simulate.input", "simulate.output", "verify.input")


def load(path: Path | None, overrides: Mapping[str, Any]) -> Project:
    """The project of a TOML file (None: all defaults) with dotted keys set to other values.

    Raises InputError: the file cannot be read or is no TOML, or a key or value is wrong (the file's line is named).
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            text = path.read_text()
            data = tomllib.loads(text)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from None
        except ValueError as error:  # TOMLDecodeError, which says the line, and UnicodeDecodeError
            raise InputError(f"{path}: not TOML: {error}") from None
        Project.parse(data, lambda keys: f"{path}:{_line(text, keys)}")
        for key in PATHS:
            _update(data, key, lambda value: str(path.parent / value))
    for key, value in overrides.items():
        _assign(data, key, value)
    return Project.parse(data, "command line")


def value_of(text: str) -> Any:
    """A value as TOML has it; what is not TOML is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assign(data: dict[str, Any], key: str, value: Any) -> None:
    *tables, name = key.split(".")
    for table in tables:
        data = data.setdefault(table, {})
        if not isinstance(data, dict):
            raise InputError(f"command line: {key}: {table!r} is a value and has no keys")
    data[name] = value


def _update(data: dict[str, Any], key: str, change) -> None:
    *tables, name = key.split(".")
    for table in tables:
        data = data.get(table, {})
    if name in data:
        data[name] = change(data[name])


def _line(text: str, keys: Keys) -> int:
    """The line that defines ``keys``, or as much of its beginning as any line does."""
    table: Keys = ()
    best, found = 0, 1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            path = table = _split(header[1])
        elif entry := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            path = (*table, *_split(entry[1]))
        else:
            continue
        if len(path) > best and path == keys[: len(path)]:
            best, found = len(path), number
    return found


def _split(dotted: str) -> Keys:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
