"""``simulate``: the golden engines agree, the accuracy is printed, and bad samples are one line."""

import json

import nir
import numpy as np
import pytest

from neurogen import cli
from neurogen.flow.target import SHIPPED_SAMPLES
from neurogen.host.data import Binning
from rtl_tests import shipped
from rtl_tests.command_line import refuse


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Twelve of the shipped samples."""
    return shipped.first(12, tmp_path_factory.mktemp("x"))


def test_the_shipped_network_recognises_the_shipped_digits(capsys):
    assert cli.main(["simulate", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["samples"] == 450 and record["accuracy"] > 0.95
    assert record["spikes"]["lif2"] > 1000


def test_golden_engines_write_the_same_outputs(capsys, samples, tmp_path):
    for engine in ("network", "fabric"):
        words = ["simulate", "--input", str(samples), "-o", str(tmp_path / f"{engine}.npz"), "--engine", engine]
        assert cli.main(words) == 0
    network, fabric = capsys.readouterr().out.split("12 samples by ")[1:]
    assert network.replace("network", "fabric").strip() == fabric.strip()
    assert (tmp_path / "network.npz").read_bytes() == (tmp_path / "fabric.npz").read_bytes()
    with np.load(tmp_path / "fabric.npz") as outputs:
        assert outputs["spikes"].shape == (12, 16, 10) and outputs["spikes"].sum() > 100


def test_events_of_a_sensor_are_the_same_samples_and_outputs_can_be_nir_data(capsys, samples, tmp_path):
    with np.load(samples) as found:
        sample, t, line = np.nonzero(found["spikes"])
        labels = found["labels"]
    y, x = np.divmod(line, 8)
    late = {"sample": 0, "t": 16 * 500, "x": 0, "y": 0}  # one event after the last step
    columns = {"sample": sample, "t": t * 500 + 3, "x": x, "y": y}
    columns = {name: np.append(values, late[name]) for name, values in columns.items()}
    np.savez(tmp_path / "x.npz", **columns, p=np.ones(len(columns["t"]), bool), labels=labels)
    common = ["simulate", "--json", "--input"]
    assert cli.main([*common, str(samples), "-o", str(tmp_path / "a.npz")]) == 0
    words = ["--step-us", "500", "--sensor", "8x8", "--polarity", "merge", "--steps", "16"]
    assert cli.main([*common, str(tmp_path / "x.npz"), "-o", str(tmp_path / "y.nir"), *words]) == 0
    first, second = capsys.readouterr().out.split("\n{")
    first, second = json.loads(first), json.loads("{" + second)
    assert second["spikes"] == first["spikes"] and second["accuracy"] == first["accuracy"]
    assert second["notes"] == [f"{tmp_path / 'x.npz'}: {len(t) + 1:,} events; 1 after step 16 were cut off"]
    found = nir.read_data(str(tmp_path / "y.nir")).nodes["lif2"].observables["spikes"]
    with np.load(tmp_path / "a.npz") as outputs:
        assert np.array_equal(found.data, outputs["spikes"]) and found.dt == 0.0005


def test_binning_can_be_said_again():
    assert Binning().flags == []
    words = Binning(step_us=10, sensor="8x8", outside="drop").flags
    assert words == ["--step-us", "10", "--sensor", "8x8", "--outside", "drop"]


def test_a_sensor_that_is_none(capsys):
    line = refuse(capsys, "simulate", "--sensor", "8")
    assert line.startswith("command line: data.sensor: string should match pattern")


def test_spikes_of_a_wrong_shape(capsys, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((3, 16, 63), dtype=np.uint8))
    line = refuse(capsys, "simulate", "--input", path)
    assert line == f"{path}: spikes has shape (3, 16, 63), not (B, T, 64) or (T, 64)"


def test_spikes_of_a_wrong_value(capsys, tmp_path):
    path = tmp_path / "x.npy"
    spikes = np.zeros((3, 16, 64), dtype=np.uint8)
    spikes[1, 2, 3] = 2
    np.save(path, spikes)
    assert refuse(capsys, "simulate", "--input", path) == (
        f"{path}: spikes holds 2 at (sample, step, line) = (1, 2, 3); spikes are 0 or 1"
    )


def test_a_file_without_samples(capsys, tmp_path):
    assert refuse(capsys, "simulate", "--input", tmp_path / "x.npz") == f"{tmp_path}/x.npz: No such file or directory"
    (tmp_path / "x.npz").write_bytes(SHIPPED_SAMPLES.read_bytes()[:500])
    assert refuse(capsys, "simulate", "--input", tmp_path / "x.npz") == (
        f"{tmp_path}/x.npz: not a readable .npz or .npy file; it may be cut off"
    )


def test_an_unknown_engine(capsys, samples):
    assert refuse(capsys, "simulate", "--input", samples, "--engine", "spice") == (
        "engine is one of network, fabric, icarus, verilator, not 'spice'"
    )


def test_samples_are_needed_for_a_network_of_the_users(capsys, tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, **{"weight.0": np.ones((4, 3), dtype=int), "threshold.0": 5})
    assert refuse(capsys, "simulate", path) == "--input is missing: the samples that are to run"


def test_an_output_that_cannot_be_written(capsys, samples, tmp_path):
    path = tmp_path / "missing" / "y.npz"
    assert refuse(capsys, "simulate", "--input", samples, "-o", path) == (
        f"{path}: cannot be written: the directory does not exist or is not ours to write in"
    )
