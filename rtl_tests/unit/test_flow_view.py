"""Reports and pictures say what the models count and are the same each time; bad requests are one line."""

import base64
import json
import re

import numpy as np
import pytest

from golden import network as golden_network
from golden import samples as golden_samples
from golden.fabric import Fabric
from neurogen import cli
from neurogen.compiler.mapping import quality
from neurogen.flow import measure, report, target, view
from neurogen.host import data
from neurogen.spec.memory_map import Status
from neurogen.spec.topologies.mesh import Direction
from rtl_tests.command_line import refuse

OPTIONS = {"quantise": {"weight_bits": 4}, "size": {"width": 2, "height": 2, "lanes": 8}}


@pytest.fixture(scope="module")
def digits():
    return target.resolve(None, OPTIONS)


@pytest.fixture(scope="module")
def samples(digits):
    return data.read(digits.samples, digits.network.inputs)


@pytest.fixture(scope="module")
def found(digits, samples):
    return report.make(digits, samples)


def test_the_summary_is_what_the_models_count(digits, samples, found):
    measured = found.summary["measured"]
    network = golden_network.run(digits.network, samples.inputs)
    assert measured["ClassificationAccuracy"] == np.mean(
        network.spikes["lif2"].sum(axis=1).argmax(axis=1) == samples.labels
    )
    assert measured["SynapticOperations"]["Effective_ACs"] * 450 == pytest.approx(sum(network.operations))
    fabric = Fabric(digits.image)
    golden_samples.run(fabric, samples[: measure.FABRIC_SAMPLES].inputs)
    counters = [fabric.counters(core) for core in range(4)]
    terms = measured["energy_terms_per_sample"]
    lanes = digits.config.core.lanes
    for name, status, factor in (
        ("hops", Status.HOPS, 1), ("synaptic_operations", Status.ROWS, lanes), ("neuron_updates", Status.UPDATES, lanes)
    ):  # fmt: skip
        assert terms[name] * measure.FABRIC_SAMPLES == sum(found[status] for found in counters) * factor > 0
    placed = measured["placement"]
    assert placed["hops_per_sample"] == terms["hops"]
    assert placed["lower_bound"] <= placed["best"] <= placed["hops_per_sample"] < placed["random"]
    assert 0.5 < placed["core_balance"] <= 1 and 0.3 < placed["bank_use"] <= 1
    assert not measured["clocks"]["exact"] and measured["clocks"]["per_tick"] > 20


def test_the_page_holds_its_pictures_and_numbers(found):
    page = report.page(found)
    pictures = [base64.b64decode(text).decode() for text in re.findall(r"svg\+xml;base64,([^\"]+)", page)]
    assert pictures == list(found.pictures.values()) and all("<svg" in picture for picture in pictures)
    for text in ("Effective_ACs", "ActivationSparsity", "Gilmore-Lawler", "neuron updates", "lower bound", "96.00 %"):
        assert text in page
    assert "{{" not in page and "undefined" not in page.lower()


def test_a_report_without_samples_still_has_a_page(digits):
    found = report.make(digits, None)
    assert found.summary["measured"] is None and list(found.pictures) == ["mapping"]
    assert "Footprint" in report.page(found) and "Energy" not in report.page(found)


def test_a_report_is_written_and_read_back_and_a_bitstream_is_kept(found, tmp_path):
    report.renew(tmp_path, found)
    assert report.Report.read(tmp_path) == found
    built = dict(found.summary, bitstream={"clock_mhz": 48.0})
    (tmp_path / report.SUMMARY).write_text(json.dumps(built))
    again = report.Report(dict(found.summary), found.pictures)
    report.renew(tmp_path, again)
    assert report.Report.read(tmp_path).summary["bitstream"] == {"clock_mhz": 48.0}
    assert "48.00 MHz" in (tmp_path / report.PAGE).read_text()


def test_the_mesh_is_drawn_with_every_population_and_link(digits, samples):
    run = measure.run(digits.image, samples.inputs)
    svg = view.rendered(view.mapping(digits.image, run), "svg").decode()
    links = quality.links(run.events, digits.config) / run.samples
    drawn = links[:, [port for port in Direction if port is not Direction.L]]
    assert np.count_nonzero(drawn) > 4
    for flits in drawn[drawn > 0]:
        assert f">{flits:,.0f}<" in svg
    for placement in digits.image.placements:
        assert f">{placement.population} ({placement.count})<" in svg
    assert ">host<" in svg and ">1,1<" in svg


def test_pictures_are_the_same_each_time(digits, samples):
    for kind in ("svg", "png"):
        first, second = (view.rendered(view.sample(digits.network, samples, 3), kind) for _ in range(2))
        assert first == second


def test_values_are_lines_and_spikes_are_dots():
    rng = np.random.default_rng(0)
    figure = view.raster({"in": rng.random((9, 4)) < 0.5}, {"out": rng.integers(-9, 9, (9, 3))})
    spikes, values = figure.axes
    assert len(spikes.collections) == 1 and len(values.lines) == 3


def test_verbs_write_a_picture_and_a_report(capsys, tmp_path):
    words = ["--width", "2", "--height", "1", "--lanes", "8"]
    assert cli.main(["view", *words, "--what", "spikes", "--sample", "2", "-o", str(tmp_path / "s.png")]) == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert cli.main(["report", *words, "-o", str(tmp_path / "report")]) == 0
    out = capsys.readouterr().out
    assert re.search(r"ClassificationAccuracy 9\d\.\d\d%", out) and "hops" in out
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "index.html", "summary.json", "mapping.svg", "spikes.svg"}  # fmt: skip


REFUSED = [
    (["view"], "-o is missing: the picture to write, .svg, .png or .pdf"),
    (["view", "-o", "m.gif"], "m.gif: a picture is one of .svg, .png, .pdf"),
    (
        ["view", "--what", "spikes", "--sample", "450", "-o", "m.svg"],
        "there is no sample 450; there are 450, from 0 on",
    ),
    (["report"], "-o is missing: the directory for the report of a network file"),
    (["view", "NET", "--what", "spikes", "-o", "m.svg"], "--data is missing: the samples whose spikes are to be drawn"),
    (
        ["report", "NET", "-o", "r", "--engine", "icarus"],
        "--data is missing: the samples whose clocks are to be measured",
    ),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_drawn_is_one_line(capsys, tmp_path, words, message):
    np.savez(tmp_path / "net.npz", **{"weight.0": np.ones((4, 3), dtype=int), "threshold.0": 5})
    assert refuse(capsys, *(tmp_path / "net.npz" if word == "NET" else word for word in words)) == message
