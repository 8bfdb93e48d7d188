"""``build``: what a build directory holds, that verbs take it in place of a network, and what is refused."""

import json

import pytest

from neurogen import cli
from neurogen.flow.target import SHIPPED
from rtl_tests.command_line import refuse


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_shipped_network_is_built_where_none_is_named(capsys, here):
    assert cli.main(["build"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("network digits: 64 inputs") and out.endswith("written: build/digits\n")
    folder = here / "build" / "digits"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"rtl/digits.v", "rtl/digits.h", "rtl/ports.json", "image/image.npz", "manifest.json"} <= files
    assert {"report/summary.json", "report/index.html"} <= files
    assert "module digits(" in (folder / "rtl" / "digits.v").read_text()

    assert cli.main(["check", "build/digits", "--json"]) == 0
    assert (
        json.loads(capsys.readouterr().out)["digest"]
        == json.loads((folder / "manifest.json").read_text())["network"]["digest"]
    )
    assert cli.main(["simulate", "build/digits", "--engine", "network"]) == 0
    assert "accuracy: " in capsys.readouterr().out


def test_a_build_directory_cannot_be_built(capsys, here):
    assert cli.main(["build"]) == 0
    capsys.readouterr()
    assert refuse(capsys, "build", "build/digits") == (
        "build/digits is a build directory; a network file is what can be built"
    )


def test_a_folder_that_is_no_build_is_kept(capsys, here):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.tex").write_text("all of it")
    text = "mine exists and is no build directory; choose another with -o"
    assert refuse(capsys, "build", "-o", "mine") == text
    assert (here / "mine" / "thesis.tex").read_text() == "all of it"


def test_no_permission_to_write(capsys, here, monkeypatch):
    def mkdir(path, *_arguments, **_options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", mkdir)
    assert refuse(capsys, "build", "-o", "locked/net") == "locked/net: cannot be written: Permission denied"


def test_a_file_in_the_place_of_a_directory(capsys, here):
    (here / "file").write_text("")
    assert refuse(capsys, "build", SHIPPED, "-o", "file/net") == "file/net: cannot be written: Not a directory"
