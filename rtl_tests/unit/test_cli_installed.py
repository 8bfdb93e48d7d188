"""An installed wheel holds everything and works from a foreign directory."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("neurogen", "golden", "boards")
DATA = {".md", ".nir", ".npz", ".v", ".vlt", ".j2", ".json"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel of this tree, built from a copy: building leaves traces."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q", "-w", out]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, tree], check=True, capture_output=True)
    (found,) = out.glob("neurogen-*.whl")
    return found


def test_the_wheel_holds_every_source_and_every_data_file(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        path.relative_to(ROOT).as_posix()
        for name in SOURCES
        for path in (ROOT / name).rglob("*")
        if path.suffix in DATA | {".py"} and path.is_file()
    }
    assert len(sources) > 20
    assert sources - packed == set()
    assert not any(name.startswith(("rtl_tests/", "scripts/")) for name in packed)


def test_an_installed_wheel_works_from_a_foreign_directory(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = ["--no-deps", "--disable-pip-version-check", "-q", "--target", site]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True, capture_output=True)

    def run(*words: str) -> str:
        command, environment = [sys.executable, *words], os.environ | {"PYTHONPATH": str(site)}
        return subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
        ).stdout

    where = run("-c", "import neurogen, golden, boards; print(neurogen.__file__, golden.__file__, boards.__file__)")
    assert all(Path(file).is_relative_to(site) for file in where.split())
    assert "lif: leaky integrate-and-fire" in run("-m", "neurogen", "neurons")
