"""Integer networks survive NIR: every integer comes back, kernels stay kernels, other tools see the same numbers."""

import h5py
import nir
import numpy as np
import pytest

import golden.network
from neurogen.compiler import Options, quantise, read, reference
from neurogen.compiler.writers.nir import write
from neurogen.flow.target import SHIPPED
from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.random_networks import FABRICS, STORES, random_network


@pytest.mark.parametrize("name", [*FABRICS, *STORES])
def test_random_networks_come_back_as_they_were(tmp_path, name):
    kernels = 0
    for seed in range(8):
        network = random_network((FABRICS | STORES)[name], np.random.default_rng([seed, *name.encode()]))
        kernels += sum(isinstance(p.weights, Kernel) for p in network.projections)
        write(network, tmp_path / "a.nir")
        once = read(tmp_path / "a.nir")
        assert once.network.digest == network.digest and once.network.name == network.name, f"seed {seed}"
        write(once.network, tmp_path / "b.nir")
        assert read(tmp_path / "b.nir").network.digest == network.digest
        graph = nir.read(tmp_path / "a.nir", type_check=False)
        assert len(graph.outputs) == len(network.outputs)
    assert kernels or not name.startswith("conv")


def lopsided(rng, **geometry) -> Kernel:
    return Kernel(rng.integers(-9, 10, (2, 2, 3, 3)), source=(2, 7, 6), **geometry)


GEOMETRIES = {
    "more behind": dict(target=(2, 9, 8), padding=(1, 1)),
    "less behind": dict(target=(2, 3, 4), padding=(2, 2)),
    "strided": dict(target=(2, 4, 2), stride=(2, 3), padding=(0, 1)),
    "dilated": dict(target=(2, 4, 5), dilation=(2, 3), padding=(1, 2)),
    "dilated and odd": dict(target=(2, 6, 6), dilation=(2, 2), padding=(0, 0)),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_kernels_that_conv2d_has_no_words_for_come_back(tmp_path, name):
    kernel = lopsided(np.random.default_rng(6), **GEOMETRIES[name])
    size = kernel.shape[1]
    network = Network(
        "n", (Input("x", 84),), (Population("p", size, "if", {}),), (Projection("x", "p", kernel),), (Output("p"),)
    )
    write(network, tmp_path / "a.nir")
    assert read(tmp_path / "a.nir").network.digest == network.digest
    node = nir.read(tmp_path / "a.nir", type_check=False).nodes["x_p"]
    window, extents = node.weight.shape[2:], np.array(node.input_shape) + 2 * np.array(node.padding)
    reach = np.array(node.dilation) * (np.array(window) - 1)
    assert tuple((extents - reach - 1) // np.array(node.stride) + 1) == kernel.target[1:]
    strip(tmp_path / "a.nir")
    (projection,) = read(tmp_path / "a.nir").projections
    np.testing.assert_array_equal(projection.weights.matrix.toarray(), kernel.matrix.toarray())


def strip(path) -> None:
    """What a tool leaves that does not know the graph's metadata."""
    with h5py.File(path, "r+") as file:
        del file["node/metadata"]


def small(model: str, delay: int = 1, **parameters) -> Network:
    """A recurrent network with a delayed path and a readout, none of whose numbers is ever rounded."""
    rng = np.random.default_rng(7)
    weights = {key: rng.integers(-6, 12, shape) for key, shape in (("in", (5, 4)), ("own", (4, 4)), ("out", (4, 3)))}
    readout = {"reset": 0, "threshold": 30000} | ({"leak": 0} if model == "lif" else {})
    return Network(
        "small",
        (Input("x", 5),),
        (Population("a", 4, model, {"exponent": 4} | parameters, {"v": 24}), Population("b", 3, model, readout)),
        (
            Projection("x", "a", weights["in"]),
            Projection("a", "a", weights["own"], delay),
            Projection("a", "b", weights["out"]),
            Projection("x", "b", rng.integers(-3, 4, (5, 3)), 2),
        ),
        (Output("a"), Output("b", values=True)),
    )


@pytest.mark.parametrize(
    "network",
    [
        small("if", threshold=90, bias=np.array([1, 2, -3, 0]), reset=1, compare=0),
        small("if", delay=2, threshold=70, reset=2, reset_value=-5, reset_timing=0),
        small("lif", leak=0, threshold=90, reset=1, reset_timing=1),
        small("lif", leak=2, decay=4096, threshold=np.array([20, 30, 40, 50]), reset=0, compare=1),
        small("cuba_lif", decay_u=4096, decay_v=0, threshold=90, reset=2, u_overflow=0),
    ],
    ids=["if subtract", "if zero", "delayed", "no memory", "cuba"],
)
def test_without_its_record_the_file_means_the_same_in_floats(tmp_path, network):
    write(network, tmp_path / "a.nir")
    strip(tmp_path / "a.nir")
    source = read(tmp_path / "a.nir")
    spikes = np.random.default_rng(8).integers(0, 2, (3, 20, 5))
    expected, found = golden.network.run(network, {"x": spikes}), reference.run(source, {"x": spikes})
    assert 20 < expected.spikes["a"].sum() < expected.spikes["a"].size
    np.testing.assert_array_equal(found.spikes["a"], expected.spikes["a"])
    np.testing.assert_allclose(found.values["b"], expected.values["b"], atol=1e-6)


def test_the_shipped_network_passes_the_nir_package_and_comes_back(tmp_path):
    network = quantise(read(SHIPPED))
    write(network, tmp_path / "a.nir")
    graph = nir.read(tmp_path / "a.nir")  # which checks every type
    (weights,) = (node.weight for name, node in graph.nodes.items() if name == "input_lif1")
    np.testing.assert_array_equal(weights.T, network.projections[0].weights)
    assert read(tmp_path / "a.nir").network.digest == network.digest


def test_weights_that_a_tool_changed_come_back_changed_if_they_are_integers(tmp_path):
    network = small("if", threshold=90)
    for change, path in ((2, tmp_path / "twice.nir"), (0.5, tmp_path / "half.nir")):
        write(network, path)
        with h5py.File(path, "r+") as file:
            file["node/nodes/x_a/weight"][...] *= change
    changed = read(tmp_path / "twice.nir").network
    np.testing.assert_array_equal(changed.projections[0].weights, 2 * network.projections[0].weights)
    with pytest.raises(InputError) as error:
        read(tmp_path / "half.nir")
    assert str(error.value) == (
        f"{tmp_path / 'half.nir'}: node 'x_a': weight holds no integers any more; without metadata it is read as floats"
    )


@pytest.mark.parametrize("damage", ["[]", "{}", '{"name": "n"}', "no JSON"])
def test_a_damaged_record_is_refused_in_one_line(tmp_path, damage):
    write(small("if", threshold=90), tmp_path / "a.nir")
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        del file["node/metadata/neurogen_network"]
        file["node/metadata/neurogen_network"] = damage
    with pytest.raises(InputError) as error:
        read(tmp_path / "a.nir", Options(dt=1.0))
    assert str(error.value) == (
        f"{tmp_path / 'a.nir'}: its record of integers is damaged; without its metadata it is read as floats"
    )
