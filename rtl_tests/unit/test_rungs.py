"""The ladder's own rules: an unexpected skip fails, and the closing counts are those of the rungs."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SKIPS = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="Icarus is not installed")
def test_with_the_second_simulator():
    pass

def test_with_a_tool_that_is_missing():
    pytest.skip("no compiler")
"""
WHOLE_FILE = "import pytest\npytest.skip('no compiler', allow_module_level=True)\n"


def run_pytest(tmp_path: Path, text: str, *options: str, ci: bool = False) -> str:
    """The last line of a pytest run of one file under our rules."""
    (tmp_path / "test_drawn.py").write_text(text)
    environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "rtl_tests.conftest",
        *options,
        "--rootdir",
        tmp_path,
        tmp_path,
    ]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment | ({"CI": "true"} if ci else {}), capture_output=True, text=True
    )
    return result.stdout.splitlines()[-1].rpartition(" in ")[0]


@pytest.mark.parametrize(
    ("options", "ci", "counts"),
    [
        ((), False, "1 passed, 2 skipped"),
        (("--strict-skips",), False, "1 failed, 1 passed, 1 skipped"),
        ((), True, "1 failed, 1 passed, 1 error"),
    ],
)
def test_an_unexpected_skip_is_a_failure(tmp_path, options, ci, counts):
    assert run_pytest(tmp_path, SKIPS, *options, ci=ci) == counts


def test_a_whole_file_that_skips_is_an_error(tmp_path):
    assert run_pytest(tmp_path, WHOLE_FILE) == "1 skipped"
    assert run_pytest(tmp_path, WHOLE_FILE, ci=True) == "1 error"


@pytest.fixture
def rungs():
    spec = importlib.util.spec_from_file_location("rungs", ROOT / "scripts" / "rungs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["rungs"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["rungs"]


def test_every_folder_of_tests_is_a_rung(rungs):
    folders = {path.parent.name for path in (ROOT / "rtl_tests").glob("*/test_*.py")}
    assert folders - {"slow"} == set(rungs.rungs()) - {"lint"}  # what is slow has targets of its own in the Makefile


def test_the_closing_line_adds_the_rungs_up(rungs, monkeypatch, capsys):
    outcomes = {"lint": rungs.Outcome("lint", 2, 0, 0), "unit": rungs.Outcome("unit", 7, 1, 3)}
    monkeypatch.setattr(rungs, "rungs", lambda: list(outcomes))
    monkeypatch.setattr(rungs, "run", outcomes.get)
    assert rungs.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "9 passed, 1 failed, 3 skipped"
    assert rungs.main(["lint"]) == 0
    assert rungs.main(["nothing"]) == 1
    assert capsys.readouterr().err == "there is no rung 'nothing'; there are lint, unit\n"


def test_a_run_that_dies_without_a_count_has_failed(rungs, monkeypatch, tmp_path):
    monkeypatch.setattr(rungs, "RESULTS", tmp_path)
    monkeypatch.setattr(rungs, "PYTHON", [sys.executable, "-c", "raise SystemExit(5)"])
    assert rungs.folder("unit").failed == 1
