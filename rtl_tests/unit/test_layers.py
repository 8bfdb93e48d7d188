"""The house: each package, imported whole in a fresh interpreter, pulls in only what stands below it."""

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import neurogen

ROOT = Path(neurogen.__file__).resolve().parents[1]
SPEC = {"neurogen", "neurogen.spec"}
HEAVY = {"numpy", "pydantic", "amaranth", "networkx", "scipy", "nir", "h5py", "cocotb", "rich", "jinja2"}
FLOW = ("rtl", "compiler", "host", "tb", "flow", "formats", "catalog", "neurobench")

# package: (what of ours it may import, what of others' it may not)
LAYERS = {
    "neurogen": ({"neurogen"}, HEAVY),
    "neurogen.cli": ({*SPEC, "neurogen.cli", "neurogen.project"}, HEAVY - {"numpy", "pydantic"}),
    "neurogen.spec": (SPEC, {"amaranth", "scipy", "nir", "h5py", "cocotb"}),
    "golden": ({*SPEC, "golden"}, {"amaranth", "nir", "h5py", "cocotb"}),
    "neurogen.rtl": ({*SPEC, "neurogen.rtl"}, {"nir", "h5py", "cocotb"}),
    "neurogen.compiler": ({*SPEC, "neurogen.compiler"}, {"amaranth", "cocotb"}),
    "neurogen.host": ({*SPEC, "neurogen.host"}, {"amaranth", "cocotb"}),
    "neurogen.tb": ({*SPEC, "neurogen.host", "neurogen.tb", "golden"}, {"amaranth"}),
    "neurogen.flow": ({*SPEC, *(f"neurogen.{name}" for name in FLOW), "golden", "boards"}, {"cocotb"}),
    "boards": ({*SPEC, "neurogen.rtl", "boards"}, {"nir", "h5py", "cocotb"}),
}
ALONE = {"neurogen", "neurogen.cli"}

IMPORT = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
if sys.argv[2] == "whole":
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(info.name)
print(json.dumps(sorted(sys.modules)))
"""


def imported_by(package: str) -> set[str]:
    """Names in ``sys.modules`` after a fresh interpreter has imported ``package`` and everything in it."""
    depth = "alone" if package in ALONE else "whole"
    command = [sys.executable, "-c", IMPORT, package, depth]
    return set(json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout))


def part(module: str) -> str | None:
    """The part of the house that a module of ours belongs to."""
    first, *rest = module.split(".")
    if first != "neurogen":
        return first if first in ("golden", "boards") else None
    return ".".join(["neurogen", *rest[:1]])


@pytest.mark.parametrize("package", LAYERS)
def test_package_imports_only_what_is_below_it(package):
    allowed, forbidden = LAYERS[package]
    modules = imported_by(package)
    assert package in modules
    assert {part(module) for module in modules} - {None} - allowed == set()
    assert modules & forbidden == set()


def test_every_package_has_its_place():
    packages = {f"neurogen.{info.name}" for info in pkgutil.iter_modules(neurogen.__path__) if info.ispkg}
    assert packages - {"neurogen.data"} <= set(LAYERS)
