"""Bad input: for every kind one clear line that says what, where and what would be right, and exit 1."""

import itertools

import nir
import numpy as np
import pytest

from neurogen import cli
from rtl_tests.command_line import refuse

SIZES = (4, 3)


def lif(size: int) -> nir.LIF:
    ones = np.ones(size)
    return nir.LIF(tau=10 * ones, r=10 * ones, v_leak=0 * ones, v_threshold=ones, metadata={"dt": 1.0})


def save(path, weights: np.ndarray, neuron: nir.NIRNode | None = None):
    """A chain input -> weights -> neurons -> output as a NIR file."""
    n_out, n_in = weights.shape
    nodes = {
        "input": nir.Input(np.array([n_in])),
        "fc": nir.Linear(weights),
        "lif": neuron or lif(n_out),
        "output": nir.Output(np.array([n_out])),
    }
    names = list(nodes)
    nir.write(str(path), nir.NIRGraph(nodes, list(itertools.pairwise(names))))
    return path


@pytest.fixture
def good(tmp_path):
    """A small NIR file that is all right."""
    weights = np.random.default_rng(1).normal(size=SIZES[::-1])
    return save(tmp_path / "good.nir", weights)


def fabric(tmp_path, text: str):
    """A project file with one fabric."""
    path = tmp_path / "project.toml"
    path.write_text(text)
    return path


def test_what_is_good_passes(capsys, good):
    assert cli.main(["check", str(good)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("network good: 4 inputs 'input'; 3 neurons, 12 synapses other than 0\n") and err == ""


def test_missing_file(capsys, tmp_path):
    assert refuse(capsys, "check", tmp_path / "no.nir") == f"{tmp_path}/no.nir: there is no such file"


def test_missing_build_directory(capsys, tmp_path):
    assert refuse(capsys, "check", tmp_path / "no") == f"{tmp_path}/no: there is no such file or build directory"


def test_unknown_kind_of_file(capsys, tmp_path):
    (tmp_path / "net.onnx").touch()
    text = f"{tmp_path}/net.onnx: unknown kind of network file; known are .net, .nir, .npz"
    assert refuse(capsys, "check", tmp_path / "net.onnx") == text


def test_truncated_nir_file(capsys, good):
    good.write_bytes(good.read_bytes()[:1000])
    line = refuse(capsys, "check", good)
    assert line.startswith(f"{good}: not a readable HDF5 file (") and "truncated file" in line


@pytest.mark.parametrize("kept", [0, 100])
def test_truncated_npz_file(capsys, tmp_path, kept):
    path = tmp_path / "net.npz"
    np.savez(path, **{"weight.0": np.ones((4, 3), dtype=int), "threshold.0": 5})
    path.write_bytes(path.read_bytes()[:kept])
    assert refuse(capsys, "check", path).startswith(f"{path}: not a readable .npz file (")


def test_nan_weight(capsys, tmp_path):
    weights = np.ones(SIZES[::-1])
    weights[1, 2] = np.nan
    path = save(tmp_path / "nan.nir", weights)
    assert refuse(capsys, "check", path) == f"{path}: node 'fc': weight holds a value that is not finite"


def test_graph_without_neurons(capsys, tmp_path):
    path = save(tmp_path / "sum.nir", np.ones(SIZES[::-1]), nir.Scale(np.ones(3)))
    assert refuse(capsys, "check", path) == f"{path}: there is no neuron in the graph"


def test_float_weights_in_an_integer_file(capsys, tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, **{"weight.0": np.full((4, 3), 0.5), "threshold.0": 5})
    line = refuse(capsys, "check", path)
    assert line == f"{path}: weight.0 must hold integers, not values such as 0.5"


def test_network_too_large_for_the_fabric(capsys, good, tmp_path):
    project = fabric(tmp_path, "[fabric.core]\naxons = 2\nbanks = 2\nweight_bits = 8\nneurons = 4\n")
    assert refuse(capsys, "check", good, "-c", project) == (
        "network too large for the fabric: population 'lif' has a fan-in of 4 axons, a core has 2"
    )
    project = fabric(tmp_path, "[fabric.core]\nneurons = 2\nlanes = 2\nupdate_lanes = 2\nweight_bits = 8\n")
    assert refuse(capsys, "check", good, "-c", project) == (
        "network too large for the fabric: needs 2 groups of 2 neurons, has 1"
    )


def test_accumulator_too_narrow(capsys, tmp_path):
    path = save(tmp_path / "net.nir", np.ones(SIZES[::-1]))
    project = fabric(tmp_path, "[fabric.core]\nweight_bits = 8\naccumulator_bits = 9\n")
    assert refuse(capsys, "check", path, "-c", project) == (
        "the accumulator is too narrow: neuron 0 of 'lif' needs 10 bits, accumulator_bits is 9"
    )


def test_check_names_every_problem_at_once(capsys, tmp_path):
    path = save(tmp_path / "net.nir", np.ones(SIZES[::-1]))
    project = fabric(tmp_path, "[fabric.core]\naxons = 2\nbanks = 2\nweight_bits = 7\naccumulator_bits = 9\n")
    assert cli.main(["check", str(path), "-c", str(project)]) == 1
    assert capsys.readouterr() == (
        "",
        "neurogen: error: 3 problems\n"
        "  projection input -> lif has weights 127..127; weight_bits 7 holds -64..63\n"
        "  the accumulator is too narrow: neuron 0 of 'lif' needs 10 bits, accumulator_bits is 9\n"
        "  network too large for the fabric: population 'lif' has a fan-in of 4 axons, a core has 2\n",
    )


def test_unknown_key(capsys, good, tmp_path):
    project = fabric(tmp_path, "[fabric]\nwidth = 1\n[fabric.core]\nlanse = 8\n")
    assert refuse(capsys, "check", good, "-c", project) == (
        f"{project}:4: unknown key 'fabric.core.lanse'; did you mean 'fabric.core.lanes'?"
    )


def test_fabric_and_wishes_exclude_each_other(capsys, good, tmp_path):
    project = fabric(tmp_path, "[fabric]\nwidth = 1\n")
    assert refuse(capsys, "check", good, "-c", project, "--lanes", "4") == (
        "command line: [size] is for a fabric that is chosen, [fabric] says the whole fabric; give one of them"
    )


BITS = "command line: quantise.weight_bits: input should be less than or equal to 16, not 17"
FRAMEWORKS = "'snntorch', 'norse', 'sinabs', 'spikingjelly', 'rockpool', 'lava'"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--lanes", "3"], "core chosen for the network: lanes is a power of two, not 3"),
        (["--weight-bits", "17"], BITS),
        (["--dt", "-1"], "command line: import.dt: input should be greater than 0, not -1.0"),
        (["--framework", "brian"], f"Invalid value for '--framework': 'brian' is not one of {FRAMEWORKS}."),
    ],
)
def test_a_wrong_option(capsys, good, words, text):
    assert refuse(capsys, "check", good, *words) == text
