"""Network files become the right equations, whoever wrote them; what cannot be built is refused in one line."""

import h5py
import nir
import numpy as np
import pytest

from neurogen.compiler import Options, read
from neurogen.compiler.names import legal_name
from neurogen.compiler.primitives import primitives
from neurogen.compiler.readers import readers
from neurogen.spec.errors import InputError
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.nir_files import fill, write
from rtl_tests.shared import shared

SNNTORCH = Options(framework="snntorch")

FILES = {
    "braille_noDelay_bias_zero.nir": (
        Options(framework="snntorch", reset="zero", reset_timing="same-step"),
        {
            "lif1_lif": "u = 0.55 u + I + [-3.37289 .. 0.32102]; v = 0.9 v + u; s = [v > 1]; v = 0 if s",
            "lif2": "u = 0.5 u + I + [0.256665 .. 0.357325]; v = 0.55 v + u; s = [v > 1]; v = 0 if s",
        },
    ),
    "digits_64-64-10_even_T16_float.nir": (
        Options(),
        dict.fromkeys(("lif1", "lif2"), "v = 0.9375 v + I; s = [v >= 1]; v = v - 1 s"),
    ),
    "mnist_784-128-10_lat_T16_k4_float.nir": (
        Options(compare="gt"),
        dict.fromkeys(("lif1", "lif2"), "v = 0.9375 v + I; s = [v > 1]; v = v - 1 s"),
    ),
    "snntorch_leaky_64_32_10.nir": (
        SNNTORCH,
        dict.fromkeys(("lif_1", "lif_3"), "r = [v > 1]; v = 0.9375 v + I - 1 r; s = [v > 1]"),
    ),
    "snntorch_rleaky_12_20_7.nir": (
        Options(framework="snntorch", reset_timing="snntorch-immediate"),
        {
            "lif_1_lif": "r = [v > 1]; v = 0.9 v + I + [-0.256542 .. 0.360696] - 1 r; s = [v > 1]; v = v - 1 (s-r)",
            "lif_3": "r = [v > 1]; v = 0.9 v + I + [-0.192318 .. 0.214208] - 1 r; s = [v > 1]; v = v - 1 (s-r)",
        },
    ),
    "norse_lif_64_32_10.nir": (
        Options(framework="norse"),
        {
            "cubalif_1": "u = 0.8 u + I + [-0.0117745 .. 0.012467]; v = 0.9 v + u; s = [v > 1]; v = 0 if s",
            "cubalif_3": "u = 0.8 u + I + [-0.0117749 .. 0.0174516]; v = 0.9 v + u; s = [v > 1]; v = 0 if s",
        },
    ),
    "sinabs_lif_64_32_10.nir": (
        Options(framework="sinabs"),
        {
            "lif_1": "v = 0.937521 v + I; s = [v >= 1]; v = v - 1 s",
            "if_3": "v = 1 v + I; s = [v >= 1]; v = v - 1 s",
        },
    ),
    "spikingjelly_lif_if_64_32_10.nir": (
        Options(framework="spikingjelly"),
        {"lif_1": "v = 0.9375 v + I; s = [v >= 1]; v = 0 if s", "if_3": "v = 1 v + I; s = [v >= 1]; v = 0 if s"},
    ),
    "rockpool_lif_64_32_10.nir": (
        Options(framework="rockpool"),
        dict.fromkeys(
            ("cubalif_1_LIFTorch", "cubalif_3_LIFTorch"),
            "u = 0.904837 u + I; v = 0.951229 v + u; s = [v >= 1]; v = v - 1 s",
        ),
    ),
    "lif_norse.nir": (Options(dt=1e-4), {"lif_1": "v = 0.96 v + I; s = [v > 0.1]; v = 0 if s"}),
    "two_lif_neurons.nir": (
        Options(dt=1e-4, reset="none"),
        {"lif1": "v = 0.99 v + I + 0.012; s = [v > 1]", "lif2": "v = 0.99 v + I; s = [v > 20]"},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_shared_file_reads_as_its_framework_means_it(name):
    options, equations = FILES[name]
    source = read(shared(f"models/{name}"), options)
    assert source.equations == equations
    assert len(source.inputs) == 1 and len(source.outputs) == 1


@pytest.mark.parametrize("name", ["lif_norse.nir", "norse_lif_64_32_10.nir", "two_lif_neurons.nir"])
def test_a_time_step_that_nothing_says_is_asked_for(name):
    path = shared(f"models/{name}")
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == (
        f"{path}: the time step is not in the file and cannot be told from its numbers; pass --dt"
    )


def test_guesses_are_said():
    notes = read(shared("models/spikingjelly_lif_if_64_32_10.nir")).notes
    assert notes == (
        "assumed dt = 0.0001: tau/r of every neuron is 0.0001; pass --dt if that is wrong",
        "assumed reset zero, reset-timing same-step, compare gt, decay euler: the file does not say; pass --framework"
        " or the options of these names",
    )
    assert read(shared("models/sinabs_lif_64_32_10.nir"), Options(framework="sinabs")).notes == (
        "sinabs neurons may fire several times in one step; here they fire at most once",
    )


def test_own_recurrence_is_one_step_late_and_biases_of_both_paths_add():
    path = shared("models/snntorch_rleaky_12_20_7.nir")
    source = read(path, SNNTORCH)
    delays = {(p.source, p.target): p.delay for p in source.projections}
    assert delays == {("input", "lif_1_lif"): 0, ("lif_1_lif", "lif_1_lif"): 1, ("lif_1_lif", "lif_3"): 0}
    with h5py.File(path) as file:
        nodes = file["node/nodes"]
        bias = nodes["0/bias"][()] + nodes["1.w_rec/bias"][()]
        recurrent = nodes["1.w_rec/weight"][()].T
    np.testing.assert_allclose(source.populations[0].parameter("bias"), bias, rtol=1e-6)
    np.testing.assert_allclose(source.projections[0].weights, recurrent, rtol=1e-6)


def test_lava_integers_go_through_unchanged():
    path = shared("models/lava_mnist_784_128_64_10.net")
    network = read(path).network
    with h5py.File(path) as file:
        for index, projection in enumerate(network.projections):
            assert projection.delay == 0
            np.testing.assert_array_equal(projection.weights, file[f"layer/{index}/weight"][()].T)
    assert [p.size for p in network.populations] == [128, 64, 10]
    population = network.populations[0]
    assert {k: int(v) for k, v in population.parameters.items()} == {
        "decay_u": 410, "decay_v": 410, "threshold": 4096, "exponent": 6, "rounding": 1, "reset": 2, "compare": 0,
        "u_overflow": 1, "v_overflow": 0,
    }  # fmt: skip
    assert read(path, Options(compare="ge")).network.populations[0].parameters["compare"] == 1


# Files of our own


def lif(size: int = 0, **changes) -> dict:
    """A LIF node with one-number parameters (size 0) or arrays."""
    values = {"tau": 0.016, "r": 16.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0} | changes
    return {"type": "LIF"} | {
        k: np.full(size, v) if size and np.ndim(v) == 0 else np.asarray(v) for k, v in values.items()
    }


def chain(**changes) -> dict:
    nodes = {
        "input": {"type": "Input", "shape": np.array([2])},
        "fc": {"type": "Linear", "weight": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])},
        "lif": lif(3),
        "output": {"type": "Output", "shape": np.array([3])},
    }
    return nodes | changes


CHAIN = [("input", "fc"), ("fc", "lif"), ("lif", "output")]


def test_flatten_batch_dimensions_and_scalars_are_accepted(tmp_path):
    nodes = chain(
        input={"type": "Input", "shape": np.array([1, 5, 2])},
        flat={"type": "Flatten", "start_dim": 0, "end_dim": -1},
        lif=lif(),
    )
    edges = [("input", "flat"), ("flat", "fc"), ("fc", "lif"), ("lif", "output")]
    source = read(write(tmp_path / "a.nir", nodes, edges), Options(dt=0.001))
    assert source.inputs == (Input("input", 2),)
    assert [p.size for p in source.populations] == [3]
    np.testing.assert_allclose(source.projections[0].weights, nodes["fc"]["weight"].T)


def test_nested_graphs_are_flattened(tmp_path):
    inner = {
        "type": "NIRGraph",
        "nodes": {
            "input": {"type": "Input", "shape": np.array([3])},
            "lif": lif(3),
            "w_rec": {"type": "Linear", "weight": np.eye(3)},
            "output": {"type": "Output", "shape": np.array([3])},
        },
        "edges": np.array([("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")], dtype="S"),
    }
    nodes = chain(layer=inner)
    del nodes["lif"]
    edges = [("input", "fc"), ("fc", "layer"), ("layer", "output")]
    source = read(write(tmp_path / "a.nir", nodes, edges))
    assert [p.name for p in source.populations] == ["layer_lif"]
    assert {(p.source, p.delay) for p in source.projections} == {("input", 0), ("layer_lif", 1)}


def test_a_long_loop_waits_a_step_where_it_goes_back(tmp_path):
    nodes = chain(fc2={"type": "Linear", "weight": np.ones((2, 3))}, lif2=lif(2))
    nodes["back"] = {"type": "Affine", "weight": np.ones((3, 2)), "bias": np.array([0.5, 0.0, -0.5])}
    edges = [*CHAIN[:2], ("lif", "fc2"), ("fc2", "lif2"), ("lif2", "back"), ("back", "lif"), ("lif2", "output")]
    source = read(write(tmp_path / "a.nir", nodes, edges))
    delays = {(p.source, p.target): p.delay for p in source.projections}
    assert delays == {("input", "lif"): 0, ("lif", "lif2"): 0, ("lif2", "lif"): 1}
    np.testing.assert_allclose(source.populations[0].parameter("bias"), [0.5, 0.0, -0.5])


def test_metadata_wins_over_the_preset_and_the_user_over_metadata(tmp_path):
    metadata = {"dt": 0.002, "reset": "subtract", "threshold_compare": ">=", "reset_delay": 1}
    path = write(tmp_path / "a.nir", chain(lif=lif(3) | {"metadata": metadata}), CHAIN)
    said = read(path, Options(framework="spikingjelly")).populations[0]
    assert (said.steps_dt, said.reset, said.reset_timing, said.compare) == (0.002, "subtract", "delayed", "ge")
    told = read(path, Options(dt=0.004, reset="zero", reset_timing="same-step", compare="gt", decay="exponential"))
    assert (told.populations[0].steps_dt, told.populations[0].reset, told.notes) == (0.004, "zero", ())
    np.testing.assert_allclose(told.populations[0].parameter("keep"), np.exp(-0.25))


def test_what_nir_reads_reads_the_same(tmp_path):
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(size=(4, 3)), rng.normal(size=4)
    nodes = {
        "input": nir.Input({"input": np.array([3])}),
        "fc": nir.Affine(weight, bias),
        "lif": nir.LIF(*(np.full(4, value) for value in (0.02, 2.0, 0.1, 1.0))),
        "output": nir.Output({"output": np.array([4])}),
    }
    nir.write(tmp_path / "a.nir", nir.NIRGraph(nodes, CHAIN))
    source = read(tmp_path / "a.nir", Options(dt=0.001))
    np.testing.assert_allclose(source.projections[0].weights, 0.05 * 2 * weight.T)
    np.testing.assert_allclose(source.populations[0].parameter("bias"), 0.05 * 0.1 + 0.05 * 2 * bias)


def damaged(name: str) -> tuple[dict, list]:
    """A file with one mistake."""
    nan = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 6.0]])
    return {
        "unsupported": (chain(fc={"type": "Softmax"}), CHAIN),
        "nan": (chain(fc={"type": "Linear", "weight": nan}), CHAIN),
        "edge": (chain(), [*CHAIN, ("fc", "ghost")]),
        "size": (chain(lif=lif(4)), CHAIN),
        "no neuron": ({k: v for k, v in chain().items() if k != "lif"}, [("input", "fc"), ("fc", "output")]),
        "no output": (chain(), CHAIN[:2]),
        "tau": (chain(lif=lif(3, tau=1e-5)), CHAIN),
        "threshold": (chain(lif=lif(3, v_threshold=0.0)), CHAIN),
        "metadata": (chain(lif=lif(3) | {"metadata": {"reset": "hard"}}), CHAIN),
        "no weight": (chain(fc={"type": "Linear"}), CHAIN),
        "text": (chain(fc={"type": "Linear", "weight": "heavy"}), CHAIN),
        "flat weight": (chain(fc={"type": "Linear", "weight": np.ones(3)}), CHAIN),
        "no shape": (chain(input={"type": "Input"}), CHAIN),
        "stateless loop": (
            chain(fc={"type": "Linear", "weight": np.ones((3, 3))}, id={"type": "Linear", "weight": np.eye(3)}),
            [("fc", "id"), ("id", "fc"), ("fc", "lif"), ("lif", "output")],
        ),
    }[name]


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        ("unsupported", "node 'fc' is of type 'Softmax', which cannot be built; supported are Input, Output, {known}"),
        ("nan", "node 'fc': weight holds a value that is not finite"),
        ("edge", "an edge names 'ghost', which is no node"),
        ("size", "node 'fc' puts out 3 values where 4 are taken"),
        ("no output", "the graph has no Output that a neuron reaches"),
        ("tau", "node 'lif': a time constant is smaller than dt = 0.001; pass a smaller --dt or --decay exponential"),
        ("threshold", "node 'lif': v_threshold must be positive"),
        ("metadata", "node 'lif': metadata reset is one of zero, subtract, none, not 'hard'"),
        ("no weight", "node 'fc' has no weight"),
        ("text", "node 'fc': weight holds no numbers"),
        ("flat weight", "node 'fc': weight has shape (3,), not (n_out, n_in)"),
        ("no shape", "node 'input' has no shape"),
        ("no neuron", "there is no neuron in the graph"),
        ("stateless loop", "node 'fc' is in a loop without a neuron"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(tmp_path, mistake, text):
    path = write(tmp_path / "a.nir", *damaged(mistake))
    with pytest.raises(InputError) as error:
        read(path, Options(dt=0.001))
    assert str(error.value) == f"{path}: {text.format(known=', '.join(primitives()))}"


def test_unreadable_files_are_refused(tmp_path):
    whole = write(tmp_path / "a.nir", chain(), CHAIN)
    cut = tmp_path / "cut.nir"
    cut.write_bytes(whole.read_bytes()[:1000])
    (tmp_path / "a.onnx").touch()
    for path, start in (
        (cut, f"{cut}: not a readable HDF5 file ("),
        (tmp_path / "none.nir", f"{tmp_path / 'none.nir'}: there is no such file"),
        (tmp_path / "a.onnx", f"{tmp_path / 'a.onnx'}: unknown kind of network file; known are .net, .nir, .npz"),
    ):
        with pytest.raises(InputError) as error:
            read(path)
        assert str(error.value).startswith(start) and "\n" not in str(error.value)


@pytest.mark.parametrize("end", [0, 100, 1000, 5000])
def test_npz_files_cut_short_or_damaged_are_refused(tmp_path, end):
    network = Network(
        "n",
        (Input("x", 64),),
        (Population("p", 64, "lif", {}),),
        (Projection("x", "p", np.random.default_rng(0).integers(-99, 99, (64, 64))),),
        (Output("p"),),
    )
    network.save(tmp_path / "whole.npz")
    whole = (tmp_path / "whole.npz").read_bytes()
    for path, content in (
        (tmp_path / "cut.npz", whole[:end]),
        (tmp_path / "damaged.npz", whole[: end + 200] + b"damage" * 20 + whole[end + 320 :]),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError) as error:
            read(path)
        assert str(error.value).startswith(f"{path}: not a readable .npz file (") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"reset": "hard"}, "--reset is one of zero, subtract, none, not 'hard'"),
        (
            {"framework": "keras"},
            "--framework is one of snntorch, norse, sinabs, spikingjelly, rockpool, lava, not 'keras'",
        ),
        ({"dt": 0.0}, "--dt is a positive number, not 0.0"),
    ],
)
def test_unknown_options_are_refused(options, text):
    with pytest.raises(InputError) as error:
        Options(**options)
    assert str(error.value) == text


def test_npz_chains_and_saved_networks(tmp_path):
    arrays = {
        "weight.0": np.array([[1, -2]]),
        "threshold.0": 3,
        "weight.1": np.array([[4.0], [5.0]]),
        "reset.1": "zero",
    }
    np.savez(
        tmp_path / "a.npz", **arrays, **{"recurrent.0": np.eye(2, dtype=int), "state_bits.v.1": 9, "model.1": "if"}
    )
    network = read(tmp_path / "a.npz").network
    assert network.populations == (
        Population("layer0", 2, "lif", {"threshold": 3}),
        Population("layer1", 1, "if", {"reset": 2}, {"v": 9}),
    )
    assert [(p.source, p.target, p.delay, p.weights.tolist()) for p in network.projections] == [
        ("input", "layer0", 0, [[1, -2]]),
        ("layer0", "layer0", 1, [[1, 0], [0, 1]]),
        ("layer0", "layer1", 0, [[4], [5]]),
    ]
    network.save(tmp_path / "b.npz")
    assert read(tmp_path / "b.npz").network.digest == network.digest


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"weights": [[1]]}, "unknown key 'weights'; keys are weight.0, threshold.0, ... (layer number last)"),
        ({"weight.0": [[0.5]]}, "weight.0 must hold integers, not values such as 0.5"),
        ({"weight.0": [[np.nan]]}, "weight.0 must hold integers, not values such as nan"),
        ({"weight.1": [[1]]}, "weight.0 is missing"),
        ({"weight.0": [1]}, "weight.0 has shape (1,); (n_in, n_out) is needed"),
        ({"weight.0": [[1e19]]}, "weight.0 must hold integers, not values such as 1e+19"),
        ({"weight.0": [[1]], "threshold.0": "high"}, "threshold.0 must hold integers, not <U4"),
        ({"weight.0": [[1]], "state_bits.v.0": [9, 9]}, "state_bits.v.0 is one number, not 2"),
        ({"weight.0": [[1]], "weight.1": [[1], [1]]},
         "projection layer0 -> layer1: weights have shape (2, 1), not (1, 1)"),
    ],
)  # fmt: skip
def test_npz_mistakes_are_named(tmp_path, arrays, text):
    path = tmp_path / "a.npz"
    np.savez(path, **{key: np.array(value) for key, value in arrays.items()})
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == f"{path}: {text}"


LAVA = {
    "type": "dense",
    "weight": np.array([[1, -2], [3, 4]]),
    "neuron": {"type": "CUBA", "iDecay": 10, "vDecay": 20, "vThMant": 30},
}


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ({"type": "conv"}, "layer 0 is of type conv; dense layers are supported"),
        ({"weight": np.array([[0.5]])}, "layer 0: weight holds no integers"),
        ({"weight": np.array([1, 2])}, "layer 0: weight has shape (2,), not (n_out, n_in)"),
        ({"delay": np.array([1, 0])}, "layer 0 has synaptic delays, which are not supported"),
        ({"neuron": 3}, "layer0 has no neurons"),
        ({"neuron": {"type": "ALIF"}}, "layer0 has neurons of type ALIF; CUBA is supported"),
        ({"neuron": {"type": "CUBA", "iDecay": 1}}, "layer0 has no vDecay"),
        ({"neuron": LAVA["neuron"] | {"vDecay": [1, 2]}}, "layer0: vDecay is one integer for all neurons, not 2"),
        ({"neuron": LAVA["neuron"] | {"gradedSpike": 1}}, "layer0 sends graded spikes, which are not supported"),
    ],
)
def test_lava_mistakes_are_named(tmp_path, layer, text):
    path = tmp_path / "a.net"
    with h5py.File(path, "w") as file:
        fill(file, {"layer": {"0": LAVA | layer}})
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == f"{path}: {text}"


def test_names_become_identifiers():
    names = {"1.lif": "lif_1_lif", "_0": "lif_0", "fc1": "fc1", "a b-c": "a_b_c", "": "lif", "äö": "lif"}
    assert {name: legal_name(name, "lif") for name in names} == names


def test_registries_hold_what_the_documentation_says():
    assert list(readers()) == ["lava", "nir", "npz"]
    assert list(primitives()) == [
        "Affine", "AvgPool2d", "Conv1d", "Conv2d", "CubaLI", "CubaLIF", "Delay", "Flatten", "I", "IF", "LI", "LIF",
        "Linear", "Scale", "SumPool2d", "Threshold",
    ]  # fmt: skip


def test_network_objects_that_npz_saved_keep_their_outputs(tmp_path):
    network = Network(
        "n",
        (Input("x", 1),),
        (Population("p", 1, "lif", {}),),
        (Projection("x", "p", np.ones((1, 1), int)),),
        (Output("p"),),
    )
    network.save(tmp_path / "n.npz")
    assert read(tmp_path / "n.npz").network.outputs == (Output("p"),)
