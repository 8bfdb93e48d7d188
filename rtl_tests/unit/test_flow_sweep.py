"""Sweeps over weight widths: what they measure, what they keep, how they choose, what they write."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurogen
from golden import network as golden_network
from neurogen.compiler import Quantisation, quantise, read, reference
from neurogen.compiler.source import Source, SourcePopulation, SourceProjection
from neurogen.flow import sweep as flow_sweep
from neurogen.flow import sweep_report
from neurogen.flow.sweep import Choice, Layer, Point, sweep
from neurogen.host.data import Samples
from neurogen.spec.errors import InputError
from neurogen.spec.network import Input, Output
from rtl_tests import command_line

DATA = Path(neurogen.__file__).parent / "data"
SAMPLES = 60


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("NEUROGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(flow_sweep, "CHUNK_SAMPLES", 25)  # three chunks
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def digits() -> Source:
    return read(DATA / "digits.nir")


@pytest.fixture(scope="module")
def samples() -> Samples:
    with np.load(DATA / "digits_test.npz") as file:
        return Samples({"input": file["spikes"][:SAMPLES]}, file["labels"][:SAMPLES])


def readout() -> tuple[Source, Samples]:
    """Spikes that a leaky readout integrates."""
    rng = np.random.default_rng(5)
    populations = (
        SourcePopulation("hidden", 12, "lif", {"keep": 0.875, "threshold": 1.0}),
        SourcePopulation("out", 3, "lif", {"keep": 0.9, "threshold": np.inf}, "none"),
    )
    projections = (
        SourceProjection("x", "hidden", rng.normal(0.1, 0.4, (8, 12))),
        SourceProjection("hidden", "out", rng.normal(0, 0.5, (12, 3))),
    )
    source = Source("r", (Input("x", 8),), populations, projections, (Output("out", values=True),))
    return source, Samples({"x": (rng.random((SAMPLES, 20, 8)) < 0.4).astype(np.uint8)})


def test_it_measures_what_golden_and_reference_say(digits, samples):
    found = sweep(digits, samples, [2, 8])
    floats = reference.run(digits, samples.inputs, record=["lif1"])
    assert found.accuracy == (floats.spikes["lif2"].sum(axis=1).argmax(axis=1) == samples.labels).mean()
    for point in found.points:
        network = quantise(digits, Quantisation(weight_bits=point.weight_bits))
        integers = golden_network.run(network, samples.inputs, record=["lif1"])
        assert point.accuracy == (integers.spikes["lif2"].sum(axis=1).argmax(axis=1) == samples.labels).mean()
        assert point.weight_kbits == (64 * 64 + 64 * 10) * point.weight_bits / 1024
        for name, layer in point.layers.items():
            assert layer.agreement == (integers.spikes[name] == floats.spikes[name]).mean()
            assert layer.ratio == integers.spikes[name].sum() / floats.spikes[name].sum()
    assert found.point(2).layers["lif1"].agreement < found.point(8).layers["lif1"].agreement < 1
    assert found.chosen == 8 and found.network.metadata["weight_bits"] == 8


def test_readouts_are_measured_by_their_values():
    source, samples = readout()
    found = sweep(source, samples, [3, 12])
    assert found.accuracy is None
    assert 1e-5 < found.point(12).layers["out"].error < 0.1 < found.point(3).layers["out"].error
    assert found.point(12).layers["out"].agreement is None
    assert found.point(12).layers["hidden"].error is None


def test_what_was_computed_is_not_computed_again(digits, samples, monkeypatch):
    steps = []

    def interrupt(done, total):
        steps.append((done, total))
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(digits, samples, [4, 6, 8], progress=interrupt)
    assert steps[-1] == (7, 12)  # three chunks, in floats and in three widths
    runs = []
    original = golden_network.run
    monkeypatch.setattr(golden_network, "run", lambda *given, **named: runs.append(1) or original(*given, **named))
    monkeypatch.setattr(reference, "run", None)
    resumed = sweep(digits, samples, [4, 6, 8])
    assert len(runs) == 12 - 7
    monkeypatch.setattr(golden_network, "run", None)
    assert sweep(digits, samples, [8, 4]).points == (resumed.point(4), resumed.point(8))


def test_other_samples_are_computed_again(digits, samples):
    both = sweep(digits, samples, [4]), sweep(digits, replace(samples, labels=(samples.labels + 1) % 10), [4])
    assert both[0].accuracy > 0.9 > 0.1 > both[1].accuracy


def points(**accuracy: float) -> list[Point]:
    return [Point(int(name[1:]), value, 1.0, {"p": Layer(value, 1.0)}) for name, value in accuracy.items()]


@pytest.mark.parametrize(
    ("choice", "accuracy", "expected"),
    [
        (Choice(0.5), 0.96, (4, "the fewest bits with which at most 0.5 points below the float reference")),
        (Choice(0.0), 0.96, (6, "the fewest bits with which at most 0 points below the float reference")),
        (Choice(0.5), 0.99, (6, "the best width; with none at most 0.5 points below the float reference")),
        (Choice(weight_bits=2), 0.96, (2, "as asked for")),
        (Choice(), None, (8, "the best width; with none every population agrees in 0.98 of all spikes")),
        (
            Choice(min_agreement=0.95),
            None,
            (4, "the fewest bits with which every population agrees in 0.95 of all spikes"),
        ),
    ],
)
def test_the_choice_follows_its_rule(choice, accuracy, expected):
    found = points(b2=0.8, b4=0.956, b6=0.965, b8=0.965 if accuracy else 0.97)
    assert choice.of(found, accuracy) == expected


def test_observed_states_are_as_wide_as_the_samples_need(digits, samples):
    wide = sweep(digits, samples, [8]).network.population("lif1").widths["v"]
    ways = [Quantisation(state_range="observed", margin_bits=margin) for margin in (0, 3)]
    narrow, spare = (sweep(digits, samples, [8], way).network for way in ways)
    floats = reference.run(digits, samples.inputs)
    unit = narrow.metadata["scales"]["lif1"] / 2 ** narrow.population("lif1").parameter("exponent")
    reached = max(abs(value) for value in floats.ranges["lif1"]["v"]) / unit
    assert reached < 2 ** (narrow.population("lif1").widths["v"] - 1)
    assert narrow.population("lif1").widths["v"] < wide
    assert spare.population("lif1").widths["v"] == narrow.population("lif1").widths["v"] + 3
    assert any("holds 8 times the observed -" in note for note in spare.metadata["notes"])


def test_nothing_observed_is_refused(digits):
    with pytest.raises(InputError, match="state_range observed needs samples to observe: neurogen quantize"):
        quantise(digits, Quantisation(state_range="observed"))


def test_widths_are_listed_or_ranges():
    assert flow_sweep.parse_widths("2..4,8") == [2, 3, 4, 8]
    for text in ("0..3", "17", "8..2"):
        with pytest.raises(InputError, match="weight widths are 1"):
            flow_sweep.parse_widths(text)


def test_the_table_marks_the_choice(digits, samples):
    text = sweep_report.table(sweep(digits, samples, [2, 8]))
    rows = text.splitlines()
    assert rows[0].split() == ["bits", "weights", "accuracy", "loss", "lif1", "lif2"]
    assert rows[2].startswith("8 ") and rows[2].endswith("<- chosen")
    assert "chosen: 8 bits" in rows[-1]


@pytest.fixture
def quantize(samples, tmp_path, capsys):
    """The verb on the shipped network and some samples; exit code, output, error line."""
    np.savez(tmp_path / "x.npz", spikes=samples.inputs["input"], labels=samples.labels, other=samples.labels)

    def run(*arguments: str) -> tuple[int, str, str]:
        return command_line.run(capsys, "quantize", "--data", tmp_path / "x.npz", "-o", tmp_path / "out", *arguments)

    return run


def test_the_verb_writes_network_record_and_picture(quantize, tmp_path):
    code, text, _ = quantize("--bits", "3,8", "--json", "--labels", "other")
    record = json.loads(text)
    assert code == 0
    assert [point["weight_bits"] for point in record["points"]] == [3, 8]
    network = read(tmp_path / "out" / "digits_8bit.nir").network
    assert (network.digest, record["chosen"]) == (record["digest"], 8)
    assert json.loads((tmp_path / "out" / "sweep.json").read_text()).items() <= record.items()
    picture = (tmp_path / "out" / "sweep.svg").read_bytes()
    assert b"<svg" in picture
    assert quantize("--bits", "3,8")[0] == 0
    assert (tmp_path / "out" / "sweep.svg").read_bytes() == picture


def test_the_verb_takes_another_width_for_one_projection(quantize, tmp_path):
    key = "quantise.weight_bits_of.input->lif1=6"
    assert quantize("--bits", "8", "--weight-bits", "3", "-P", key)[0] == 0
    network = read(tmp_path / "out" / "digits_3bit.nir").network
    first, second = (int(np.abs(projection.values).max()) for projection in network.projections)
    assert 3 < first <= 31 and second == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "0"], "bits '0': weight widths are 1..16, the smaller one first"),
        (["--labels", "none"], "labels 'none': neither an .npy file nor an array of {folder}/x.npz"),
        (["--labels", "spikes"], "labels 'spikes' are integers (60,), not uint8 (60, 16, 64)"),
        (
            ["--decide", "last"],
            "decide 'last' reads values, which this network does not deliver; it can use count, first",
        ),
        (
            ["-P", "quantise.weight_bits_of.lif3=4"],
            "weight_bits_of 'lif3': there is no such population or projection; there are lif1, lif2, input->lif1,"
            " lif1->lif2",
        ),
        (["-o", "{folder}/x.npz"], "{folder}/x.npz: File exists"),
    ],
)
def test_bad_input_is_one_line(quantize, tmp_path, arguments, message):
    code, _, error = quantize(*(text.format(folder=tmp_path) for text in arguments))
    assert (code, error) == (1, f"neurogen: error: {message.format(folder=tmp_path)}\n")


def test_integers_and_missing_data_are_refused(quantize, tmp_path, capsys):
    assert quantize("--bits", "4", "--weight-bits", "4")[0] == 0
    integers = str(tmp_path / "out" / "digits_4bit.nir")
    error = quantize(integers)[2]
    assert error == "neurogen: error: network 'digits' holds integers already: there is nothing to quantise\n"
    message = "--data is missing: the samples to measure on, an .npz or .npy file"
    assert command_line.refuse(capsys, "quantize", DATA / "digits.nir") == message
