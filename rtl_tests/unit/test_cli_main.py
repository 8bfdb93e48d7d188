"""The command line: exit codes, one clear line for every mistake, and what the listing verbs print."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import neurogen
from neurogen import cli, doctor
from neurogen.spec import neurons
from neurogen.spec.errors import CheckError, InputError, ToolError
from rtl_tests.command_line import refuse, run

ROOT = Path(neurogen.__file__).resolve().parents[1]


def raising(error: BaseException):
    def verb(*_arguments, **_options):
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("x is wrong"), 1, "neurogen: error: x is wrong\n"),
        (CheckError("tick 3: expected 1, got 0"), 3, "neurogen: error: tick 3: expected 1, got 0\n"),
        (ToolError("yosys failed"), 2, "neurogen: error: yosys failed\n"),
        (KeyboardInterrupt(), 130, "\nneurogen: error: interrupted; the same command goes on from here\n"),
        (PermissionError(13, "Permission denied", "out"), 1, "neurogen: error: out: Permission denied\n"),
    ],
)
def test_exit_code_and_line_of_each_kind_of_error(capsys, monkeypatch, error, code, text):
    monkeypatch.setattr("neurogen.catalog.neuron_models", raising(error))
    assert run(capsys, "neurons") == (code, "", text)


def test_a_failed_tool_shows_its_log_and_its_last_lines(capsys, monkeypatch, tmp_path):
    log = tmp_path / "yosys.log"
    log.write_text("".join(f"line {number}\n" for number in range(40)))
    monkeypatch.setattr("neurogen.catalog.neuron_models", raising(ToolError("yosys failed", log)))
    code, _, err = run(capsys, "neurons")
    assert code == 2
    assert err.splitlines() == [
        "neurogen: error: yosys failed",
        f"log: {log}",
        *(f"  line {number}" for number in range(30, 40)),
    ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["biuld"], "No such command 'biuld'. Did you mean 'build'?"),
        (["neurons", "--jsn"], "No such option '--jsn'. (Did you mean one of: '--json', '--set'?)"),
        (["neurons", "-P", "sede=1"], "command line: unknown key 'sede'; did you mean 'seed'?"),
        (["neurons", "-P", "seed"], "--set: KEY=VALUE is expected, not 'seed'"),
        (["neurons", "-P", "seed=x"], "command line: seed: input should be a valid integer, not 'x'"),
        (["neurons", "-P", "seed=1", "-P", "seed.a=1"], "command line: seed.a: 'seed' is a value and has no keys"),
        (["neurons", "-c", "no.toml"], "no.toml: No such file or directory"),
    ],
)
def test_a_wrong_command_line_is_one_line(capsys, words, text):
    assert refuse(capsys, *words) == text


@pytest.mark.parametrize("name", ["boards", "golden"])
@pytest.mark.parametrize("content", [None, ""], ids=["folder", "package"])
def test_a_foreign_package_in_the_working_directory_is_named(tmp_path, name, content):
    (tmp_path / name).mkdir()
    if content is not None:
        (tmp_path / name / "__init__.py").write_text(content)
    result = subprocess.run(
        [sys.executable, "-m", "neurogen", "neurons"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if content is None:  # a plain folder hides nothing: the package further down the path is found
        assert (result.returncode, result.stderr) == (0, "")
        return
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"neurogen: error: {tmp_path / name} hides neurogen's own package {name!r};"
        " rename it or run neurogen in another directory\n"
    )


def test_without_a_verb_the_verbs_are_listed(capsys):
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    for verb in cli.build_parser().commands:
        assert f"\n  {verb} " in out


def test_help_is_quick_to_load():
    """Nothing that takes long to import is needed to show help."""
    code = "import sys; from neurogen.cli import main; main(['--help']); print(sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    for heavy in ("'amaranth'", "'scipy'", "'h5py'", "'networkx'", "'nir'", "'rich'"):
        assert heavy not in result.stdout


def test_neurons_lists_every_model(capsys):
    code, out, _ = run(capsys, "neurons")
    assert code == 0
    for line in ("lif: leaky integrate-and-fire", "if: integrate-and-fire", "cuba_lif: current-based"):
        assert line in out
    code, out, _ = run(capsys, "neurons", "--json")
    assert [model["name"] for model in json.loads(out)] == list(neurons.models())


def test_schema_is_a_json_schema_of_the_project_file(capsys):
    code, out, _ = run(capsys, "schema")
    schema = json.loads(out)
    assert code == 0 and schema["additionalProperties"] is False
    assert {"network", "fabric", "import", "quantise", "simulate", "verify", "seed"} <= set(schema["properties"])


def test_doctor_finds_what_the_tests_need(capsys):
    code, out, _ = run(capsys, "doctor", "--json")
    report = json.loads(out)
    assert code == 0 and report["build"] is True
    tools = {tool["name"]: tool for tool in report["tools"]}
    assert {"python", "perl", "make", "c++", "yosys", "verilator", "icarus", "cocotb"} <= set(tools)
    for name in ("python", "yosys", "amaranth"):
        assert tools[name]["works"] and tools[name]["version"]


def test_doctor_says_how_to_get_what_is_missing(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    findings = {finding.name: finding for finding in doctor.examine()}
    for name in ("perl", "make", "c++", "icarus", "verilator"):
        assert not findings[name].works and "from the system's packages" in findings[name].advice
    assert doctor.can_build(list(findings.values()))


def test_doctor_fails_where_build_cannot_work(capsys, monkeypatch):
    missing = ("yosys", "build", raising(RuntimeError("no\nway")), "pip install it")
    monkeypatch.setattr(doctor, "_checks", lambda: [missing])
    code, out, _ = run(capsys, "doctor")
    assert code == 1
    assert out.splitlines() == [
        "tool   for    works  version  how to get it",
        "yosys  build  NO     no       pip install it",
        "",
        "build cannot work",
    ]


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"neurogen {neurogen.__version__}\n", "")
