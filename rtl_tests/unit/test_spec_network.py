"""The integer network and the image: saved and loaded without a change, digests of content alone, refusals."""

import numpy as np
import pytest

from neurogen.spec import neurons
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.image import CoreImage, Image, Placement
from neurogen.spec.kernels import Kernel
from neurogen.spec.memory_map import Region, shapes
from neurogen.spec.network import Input, Network, Output, Population, Projection

WEIGHTS = np.array([[1, -2, 3], [0, 7, -8]])


def network(**changes) -> Network:
    parts = {
        "name": "tiny",
        "inputs": (Input("x", 2),),
        "populations": (Population("out", 3, "lif", {"threshold": 5, "bias": np.array([1, 2, 3])}, {"v": 9}),),
        "projections": (Projection("x", "out", WEIGHTS),),
        "outputs": (Output("out"),),
        "metadata": {"equations": {"out": "v = v/2 + I"}},
    }
    return Network(**(parts | changes))


def image(config: FabricConfig) -> Image:
    core = CoreImage.empty(config)
    core.synapses[0, 0, :] = -8
    core.axons["base"][1, 2] = 5
    return Image(
        config=config,
        cores=(core,) * config.nodes,
        inputs={"x": np.arange(14).reshape(2, 7)},
        input_sizes={"x": 2},
        input_payload_bits={"x": 0},
        outputs=({"population": "out", "values": False, "size": 3, "first_line": 0, "depth": 1},),
        placements=(Placement("out", 0, np.arange(3), np.array([2, 0, 1])),),
        depth=1,
        metadata={"name": "tiny"},
    )


def test_a_network_comes_back_from_its_file(tmp_path):
    before = network()
    before.save(tmp_path / "tiny.npz")
    after = Network.load(tmp_path / "tiny.npz")
    assert after.digest == before.digest
    assert after.populations[0].state_bits == {"v": 9} and after.metadata == before.metadata
    np.testing.assert_array_equal(after.projections[0].weights, WEIGHTS)
    np.testing.assert_array_equal(after.populations[0].parameter("bias"), [1, 2, 3])
    assert after.populations[0].parameter("leak_shift") == 4


def with_kernel(weights: np.ndarray, **changes) -> Network:
    """A 2 x 3 map of lines, convolved into the three neurons of the tiny network."""
    kernel = Kernel(weights, **{"source": (1, 2, 3), "target": (1, 1, 3), "padding": (0, 1)} | changes)
    return network(inputs=(Input("x", 6),), projections=(Projection("x", "out", kernel, 1),))


def test_a_kernel_stays_a_kernel_in_its_file(tmp_path):
    before = with_kernel(np.arange(1, 7).reshape(1, 1, 2, 3))
    before.save(tmp_path / "tiny.npz")
    after = Network.load(tmp_path / "tiny.npz")
    assert after.digest == before.digest != with_kernel(np.ones((1, 1, 2, 3), dtype=int)).digest
    assert before.digest != with_kernel(np.arange(1, 7).reshape(1, 1, 2, 3), stride=(2, 1)).digest
    kernel = after.projections[0].weights
    assert isinstance(kernel, Kernel) and kernel.padding == (0, 1) and kernel.source == (1, 2, 3)
    np.testing.assert_array_equal(kernel.weights.ravel(), [1, 2, 3, 4, 5, 6])


def test_a_projection_answers_alike_for_both_kinds_of_weights():
    projection = with_kernel(np.array([[[[1, 0, -3], [4, 5, 6]]]])).projections[0]
    plain = Projection("x", "out", projection.dense, 1)
    np.testing.assert_array_equal(plain.dense, [[0, 1, 0], [-3, 0, 1], [0, -3, 0], [5, 4, 0], [6, 5, 4], [0, 6, 5]])
    assert projection.shape == plain.shape == (6, 3)
    assert projection.extremes == plain.extremes == (-3, 6)
    assert projection.synapses == plain.synapses == np.count_nonzero(plain.weights)
    assert projection.fan_out.tolist() == plain.fan_out.tolist() == [1, 2, 1, 2, 3, 2]
    assert [part.tolist() for part in projection.one_sided] == [part.tolist() for part in plain.one_sided]
    assert plain.one_sided[1].tolist() == [-3, -3, 0]
    assert (np.ones(6, dtype=int) @ projection.matrix).tolist() == (np.ones(6, dtype=int) @ plain.matrix).tolist()


def test_a_digest_depends_on_what_is_computed():
    assert network().digest == network().digest
    assert network(projections=(Projection("x", "out", WEIGHTS + 1),)).digest != network().digest


def test_an_image_comes_back_from_its_file(tmp_path):
    before = image(FabricConfig(width=2))
    before.save(tmp_path / "image.npz")
    after = Image.load(tmp_path / "image.npz")
    assert after.digest == before.digest and after.config == before.config
    assert after.outputs == before.outputs
    for place in (*before.placements, *after.placements):
        assert (place.population, place.core, place.neurons.tolist(), place.places.tolist()) == (
            "out",
            0,
            [0, 1, 2],
            [2, 0, 1],
        )
    np.testing.assert_array_equal(after.cores[1].synapses, before.cores[1].synapses)
    np.testing.assert_array_equal(after.inputs["x"], before.inputs["x"])


def test_a_placement_says_where_its_neurons_sit():
    place = Placement("out", 0, np.array([2, 5, 6]), np.array([9, 7, 8]))
    assert [place.place_of(neuron) for neuron in (1, 2, 3, 5, 6, 7)] == [None, 9, None, 7, 8, None]
    assert str(place) == "3 of 2..6 from neuron 7 on"
    assert str(Placement.block("out", 4, 3, 0, 16)) == "4..6 from neuron 16 on"


def test_configuration_writes_cover_every_writable_word():
    config = FabricConfig(width=2)
    writes = image(config).config_writes()
    writable = {
        region: shape for region, shape in shapes(config).items() if region not in (Region.STATUS, Region.STATE)
    }
    expected = config.nodes * sum(shape.banks * shape.rows * shape.words for shape in writable.values())
    assert sum(len(words) for _, _, words in writes) == expected
    assert len({(core, at) for core, at, _ in writes}) == len(writes)


def test_a_value_too_large_for_its_memory_is_refused():
    config = FabricConfig(core=CoreConfig(weight_bits=4))
    broken = image(config)
    broken.cores[0].synapses[0, 0, 0] = 8
    with pytest.raises(InputError) as error:
        broken.config_writes()
    assert str(error.value) == "synapse.weight holds -8..7, not 8 (4 bits, signed)"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"inputs": (Input("out", 2),)}, "two inputs or populations are called 'out'"),
        ({"inputs": (Input("x", 0),)}, "'x' has 0 neurons; at least 1 is needed"),
        ({"outputs": ()}, "network 'tiny' has no output"),
        ({"outputs": (Output("y"),)}, "output 'y' is no population"),
        (
            {"projections": (Projection("y", "out", WEIGHTS),)},
            "projection y -> out: there is no population or input 'y'",
        ),
        ({"projections": (Projection("x", "y", WEIGHTS),)}, "projection x -> y: there is no population 'y'"),
        (
            {"projections": (Projection("x", "out", WEIGHTS.T),)},
            "projection x -> out: weights have shape (3, 2), not (2, 3)",
        ),
        (
            {"projections": (Projection("x", "out", WEIGHTS / 2),)},
            "projection x -> out: weights are integers, not float64",
        ),
        (
            {"projections": (Projection("x", "out", Kernel(np.ones((1, 1, 1, 1)), (1, 1, 2), (1, 1, 3))),)},
            "projection x -> out: weights are integers, not float64",
        ),
        (
            {"projections": (Projection("x", "out", Kernel(np.ones((1, 1, 1, 1), int), (1, 1, 3), (1, 1, 3))),)},
            "projection x -> out: weights have shape (3, 3), not (2, 3)",
        ),
        (
            {"projections": (Projection("x", "out", WEIGHTS, -1),)},
            "projection x -> out: delay is 0 or more steps, not -1",
        ),
        (
            {"projections": (Projection("out", "out", np.eye(3, dtype=int)),)},
            "the loop out -> out has no delay; one of its projections needs 1",
        ),
        (
            {"populations": (Population("out", 3, "lif", {"threshold": 256}, {"v": 9}),)},
            "population 'out': threshold is an integer -256..255, not 256",
        ),
        (
            {"populations": (Population("out", 3, "lif", {"bias": np.array([1, 2])}),)},
            "population 'out': bias has shape (2,), not () or (3,)",
        ),
        (
            {"populations": (Population("out", 3, "ilf", {}),)},
            f"there is no neuron model 'ilf'; there are {', '.join(neurons.models())}",
        ),
    ],
)
def test_a_mistake_is_one_line(changes, text):
    with pytest.raises(InputError) as error:
        network(**changes)
    assert str(error.value) == text


def test_files_that_are_something_else_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    network().save(path)
    whole = path.read_bytes()

    def refusal(content: bytes | None, kind: type) -> str:
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError) as error:
            kind.load(path)
        return str(error.value).removeprefix(f"{path}: ")

    assert refusal(None, Image) == "No such file or directory"
    assert refusal(b"", Network) == "not a readable .npz file"
    assert refusal(b"not an archive", Image) == "not a readable .npz file"
    assert refusal(whole[: len(whole) // 2], Network) == "not a readable .npz file"
    assert refusal(whole, Image) == "there is no neurogen image in this file"


def test_a_file_of_another_version_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    network().save(path)
    monkeypatch.setattr("neurogen.spec.network.FORMAT", 2)
    with pytest.raises(InputError, match="network format 1, this version reads 2"):
        Network.load(path)
