"""Neurons of every NIR type do what their equation says, step by step; what only delivers a value delivers it."""

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import golden.network
from neurogen.compiler import Options, quantise, read, reference
from neurogen.compiler.conventions import PRESETS
from neurogen.compiler.names import legal_name
from neurogen.compiler.primitives import primitives
from neurogen.spec.errors import InputError
from neurogen.spec.network import Input, Output
from rtl_tests.nir_files import adder, entry, output, write

STEPS, SIZE, DT = 40, 4, 0.5
NIR_TEXT = Options(dt=DT, reset="zero", reset_timing="same-step", compare="gt", decay="euler")


def values(rng, low: float, high: float) -> np.ndarray:
    return rng.uniform(low, high, SIZE)


def neurons() -> dict[str, dict]:
    rng = np.random.default_rng(1)
    leaky = {"tau": values(rng, 1, 5), "r": values(rng, 1, 3), "v_leak": values(rng, -0.2, 0.3)}
    cuba = {"tau_syn": values(rng, 1, 3), "tau_mem": values(rng, 1, 5), "w_in": values(rng, 1, 2)}
    cuba |= {"r": leaky["r"], "v_leak": leaky["v_leak"]}
    fires = {"v_threshold": values(rng, 0.5, 1), "v_reset": values(rng, -0.1, 0.1)}
    return {
        "I": {"r": leaky["r"]},
        "LI": leaky,
        "CubaLI": cuba,
        "IF": {"r": leaky["r"]} | fires,
        "LIF": leaky | fires,
        "CubaLIF": cuba | fires,
        "Threshold": {"threshold": np.array([0.4, 1.2, 0.0, -0.3])},
    }


def by_hand(kind: str, node: dict, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes and membranes of one node, neuron by neuron, by Euler steps of the equations in nir's own text."""
    spikes, membranes = np.zeros((2, *current.shape))
    for n in range(SIZE):
        at = {key: value[n] for key, value in node.items() if key != "type"}
        i = v = 0.0
        for t, s in enumerate(current[:, n]):
            if kind == "Threshold":
                spikes[t, n] = s > at["threshold"]
                continue
            if kind.startswith("Cuba"):
                i += DT / at["tau_syn"] * (-i + at["w_in"] * s)
                v += DT / at["tau_mem"] * ((at["v_leak"] - v) + at["r"] * i)
            elif kind in ("LI", "LIF"):
                v += DT / at["tau"] * ((at["v_leak"] - v) + at["r"] * s)
            else:
                v += DT * at["r"] * s
            if "v_threshold" in at and v > at["v_threshold"]:
                spikes[t, n], v = 1, at["v_reset"]
            membranes[t, n] = v
    return spikes, membranes


WEIGHT = np.random.default_rng(2).normal(size=(SIZE, 6))


def alone(path, kind: str):
    """A network of one Linear node and one neuron node."""
    nodes = {"x": entry((6,)), "fc": {"type": "Linear", "weight": WEIGHT}, "y": output((SIZE,))}
    nodes["n"] = {"type": kind} | neurons()[kind]
    return write(path, nodes, [("x", "fc"), ("fc", "n"), ("n", "y")]), nodes["n"]


@pytest.mark.parametrize("kind", neurons())
def test_a_neuron_computes_its_definition(tmp_path, kind):
    path, node = alone(tmp_path / "a.nir", kind)
    source = read(path, NIR_TEXT)
    inputs = np.random.default_rng(3).integers(0, 2, (1, STEPS, 6))
    spikes, membranes = by_hand(kind, node, inputs[0] @ WEIGHT.T)
    result = reference.run(source, {"x": inputs}, membranes=["n"])
    spiking = kind not in ("I", "LI", "CubaLI")
    assert source.outputs == (Output("n", values=not spiking),)
    if spiking:
        assert 3 < spikes.sum() < spikes.size - 3
        np.testing.assert_array_equal(result.spikes["n"][0], spikes)
    if kind != "Threshold":
        np.testing.assert_allclose(result.values["n"][0], membranes, rtol=1e-6, atol=1e-6)


def test_readouts_deliver_their_value_in_integers(tmp_path):
    for kind in ("I", "LI", "CubaLI"):
        path, node = alone(tmp_path / "a.nir", kind)
        network = quantise(read(path, NIR_TEXT))
        inputs = np.random.default_rng(3).integers(0, 2, (1, STEPS, 6))
        found = golden.network.run(network, {"x": inputs}).values["n"][0]
        _, membranes = by_hand(kind, node, inputs[0] @ WEIGHT.T)
        assert len(np.unique(found)) > STEPS
        assert np.corrcoef(found.ravel(), membranes.ravel())[0, 1] > 0.999, kind


EQUATIONS = {
    "I": "v = 1 v + I",
    "LI": "v = [0.629577 .. 0.898222] v + I + [-0.0186421 .. 0.0517236]",
    "Threshold": "v = I + [0 .. 1.3]; s = [v > [0.4 .. 1.2]]",
}


@pytest.mark.parametrize("kind", EQUATIONS)
def test_equations_of_readouts_are_whole(tmp_path, kind):
    path, node = alone(tmp_path / "a.nir", kind)
    source = read(path, NIR_TEXT)
    if kind == "LI":
        keep = 1 - DT / node["tau"]
        bias = (1 - keep) * node["v_leak"]
        numbers = f"[{keep.min():.6g} .. {keep.max():.6g}] v + I + [{bias.min():.6g} .. {bias.max():.6g}]"
        assert source.equations == {"n": f"v = {numbers}"}
    else:
        assert source.equations == {"n": EQUATIONS[kind]}
    assert source.notes == ()


def test_what_nir_says_is_no_guess(tmp_path):
    path, _ = alone(tmp_path / "a.nir", "Threshold")
    assert read(path).notes == ()  # not even a time step is needed
    path, _ = alone(tmp_path / "b.nir", "LI")
    assert read(path, Options(dt=DT)).notes == (
        "assumed decay euler: the file does not say; pass --framework or the options of these names",
    )


def lif(size=()) -> dict:
    return {"type": "LIF", "tau": np.full(size, 2.0), "r": np.full(size, 4.0), "v_leak": np.zeros(size),
            "v_threshold": np.ones(size), "v_reset": np.zeros(size)}  # fmt: skip


def integrator(size: int = 3) -> dict:
    return {"type": "LI", "tau": np.full(size, 2.0), "r": np.ones(size), "v_leak": np.zeros(size)}


def linear(out: int, size: int) -> dict:
    return {"type": "Linear", "weight": np.random.default_rng([out, size]).normal(size=(out, size))}


def test_an_integrator_and_a_threshold_are_one_neuron(tmp_path):
    nodes = {"x": entry((3,)), "li": integrator(), "th": {"type": "Threshold", "threshold": np.full(3, 0.7)},
             "y": output((3,))}  # fmt: skip
    source = read(write(tmp_path / "a.nir", nodes, [("x", "li"), ("li", "th"), ("th", "y")]), Options(dt=DT))
    assert source.equations == {"li": "v = 0.75 v + I; s = [v > 0.7]"}
    assert source.outputs == (Output("li"),)
    assert "nodes 'li' and 'th' are one LIF neuron without reset" in source.notes


def test_an_output_behind_a_map_delivers_the_sum_as_a_value(tmp_path):
    nodes = {"x": entry((3,)), "lif": lif(), "fc": linear(2, 3), "y": output((2,))}
    source = read(write(tmp_path / "a.nir", nodes, [("x", "lif"), ("lif", "fc"), ("fc", "y")]), NIR_TEXT)
    inputs = np.random.default_rng(4).integers(0, 2, (1, STEPS, 3))
    result = reference.run(source, {"x": inputs}, record=["lif"])
    assert 5 < result.spikes["lif"].sum() < 3 * STEPS - 5
    np.testing.assert_allclose(result.values["y"], result.spikes["lif"] @ nodes["fc"]["weight"].T)
    assert source.notes == (
        "node 'y' does not follow a neuron at once: a population of its own delivers the sum that reaches it as a"
        " value",
    )


def test_an_output_behind_a_delay_repeats_the_spikes_later(tmp_path):
    delay = {"type": "Delay", "delay": np.array([0.0, 1.0, 2.5])}
    nodes = {"x": entry((3,)), "lif": lif(), "late": delay, "y": output((3,))}
    source = read(write(tmp_path / "a.nir", nodes, [("x", "lif"), ("lif", "late"), ("late", "y")]), NIR_TEXT)
    inputs = np.random.default_rng(5).integers(0, 2, (1, STEPS, 3))
    result = reference.run(source, {"x": inputs}, record=["lif"])
    assert result.spikes["lif"].sum() > 10
    for neuron, steps in enumerate((0, 2, 5)):
        np.testing.assert_array_equal(
            result.spikes["y"][0, steps:, neuron], result.spikes["lif"][0, : STEPS - steps, neuron]
        )


def test_a_delay_that_is_no_whole_step_is_rounded_and_said(tmp_path):
    nodes = {"x": entry((3,)), "late": {"type": "Delay", "delay": 0.6}, "sum": adder(3), "y": output((3,))}
    path = write(tmp_path / "a.nir", nodes, [("x", "late"), ("late", "sum"), ("sum", "y")])
    source = read(path, NIR_TEXT)
    assert source.projections[0].delay == 1
    assert source.notes == ("node 'late': a delay of 1.2 steps is rounded to 1",)
    with pytest.raises(InputError) as error:
        read(path, Options(dt=1e-9))
    assert str(error.value) == f"{path}: node 'late' delays by 6e+08 steps, more than 65536; is dt right?"


def test_a_loop_with_a_delay_waits_no_step_more(tmp_path):
    nodes = {"x": entry((3,)), "a": lif(3), "late": {"type": "Delay", "delay": 1.0}, "back": linear(3, 3),
             "y": output((3,))}  # fmt: skip
    edges = [("x", "a"), ("a", "late"), ("late", "back"), ("back", "a"), ("a", "y")]
    source = read(write(tmp_path / "a.nir", nodes, edges), NIR_TEXT)
    assert {(p.source, p.delay) for p in source.projections} == {("x", 0), ("a", 2)}
    source = read(write(tmp_path / "b.nir", nodes, [*edges, ("a", "back")]), NIR_TEXT)  # beside the delay, too
    assert {(p.source, p.delay) for p in source.projections} == {("x", 0), ("a", 1), ("a", 2)}
    nodes["late"]["delay"] = np.float64(DT)  # both are one step
    source = read(write(tmp_path / "c.nir", nodes, [*edges, ("a", "back")]), NIR_TEXT)
    assert {(p.source, p.delay) for p in source.projections} == {("x", 0), ("a", 1)}
    np.testing.assert_allclose(source.projections[1].weights, 2 * nodes["back"]["weight"].T)


def test_several_inputs_and_outputs_and_a_skip(tmp_path):
    nodes = {
        "left": entry((3,)), "right": entry((2,)), "fc": linear(4, 3), "side": linear(4, 2), "skip": linear(2, 3),
        "a": lif(4), "down": linear(2, 4), "b": lif(2), "values": {"type": "I", "r": np.ones(2)},
        "out a": output((4,)), "out b": output((2,)), "out v": output((2,)),
    }  # fmt: skip
    edges = [("left", "fc"), ("right", "side"), ("fc", "a"), ("side", "a"), ("a", "down"), ("down", "b"),
             ("left", "skip"), ("skip", "b"), ("b", "values"), ("a", "out a"), ("b", "out b"),
             ("values", "out v")]  # fmt: skip
    source = read(write(tmp_path / "a.nir", nodes, edges), NIR_TEXT)
    assert set(source.inputs) == {Input("left", 3), Input("right", 2)}
    assert set(source.outputs) == {Output("a"), Output("b"), Output("values", values=True)}
    assert {(p.source, p.target) for p in source.projections} == {
        ("left", "a"), ("right", "a"), ("a", "b"), ("left", "b"), ("b", "values")
    }  # fmt: skip
    rng = np.random.default_rng(6)
    feeds = {"left": rng.integers(0, 2, (2, STEPS, 3)), "right": rng.integers(0, 2, (2, STEPS, 2))}
    found = golden.network.run(quantise(source), feeds)
    assert all(spikes.any() for spikes in found.spikes.values()) and found.values["values"].any()


def test_names_are_made_legal_and_stay_apart(tmp_path):
    nodes = {"1": entry((3,)), "a b": lif(3), "a-b": lif(3), "2": output((3,))}
    source = read(write(tmp_path / "a.nir", nodes, [("1", "a b"), ("a b", "a-b"), ("a-b", "2")]), NIR_TEXT)
    assert [p.name for p in source.populations] == ["a_b", "a_b_"]
    assert source.inputs == (Input("input_1", 3),)
    assert all(legal_name(p.name, "x").rstrip("_") == p.name.rstrip("_") for p in source.populations)


def convolution(**more) -> dict:
    weight = np.random.default_rng(7).normal(size=(2, 1, 3, 3))
    return {"type": "Conv2d", "weight": weight, "bias": np.zeros(2), "stride": np.array([1, 1]),
            "padding": np.array([0, 0]), "dilation": np.array([1, 1]), "groups": 1} | more  # fmt: skip


CONV_EDGES = [("x", "conv"), ("conv", "sum"), ("sum", "y")]


@pytest.mark.parametrize(
    ("shape", "more", "options"),
    [
        ((1, 5, 4), {}, {}),
        ((5, 4), {}, {}),
        ((1, 7, 1, 5, 4), {}, {}),  # batch and time before
        ((20,), {"input_shape": np.array([5, 4])}, {}),
        ((20,), {}, {"input_shape": "1,5,4"}),
    ],
)
def test_the_map_that_a_convolution_reads_is_found(tmp_path, shape, more, options):
    nodes = {"x": entry(shape), "conv": convolution(**more), "sum": adder(), "y": output((12,))}
    source = read(write(tmp_path / "a.nir", nodes, CONV_EDGES), Options(dt=1.0, **options))
    (projection,) = source.projections
    assert (projection.weights.source, projection.weights.target) == ((1, 5, 4), (2, 3, 2))


def test_parameters_per_channel(tmp_path):
    threshold = np.array([1.0, 2.0])
    for shape in ((2,), (2, 1, 1)):
        node = adder() | {"v_threshold": threshold.reshape(shape)}
        nodes = {"x": entry((1, 5, 4)), "conv": convolution(), "sum": node, "y": output((12,))}
        source = read(write(tmp_path / "a.nir", nodes, CONV_EDGES), Options(dt=1.0))
        np.testing.assert_array_equal(source.populations[0].parameter("threshold"), np.repeat(threshold, 6))


def test_nested_names_that_differ_between_nodes_and_edges_are_matched(tmp_path):
    """The graphs that early snnTorch wrote for recurrent layers, which the nir package refuses."""
    inner = {"type": "NIRGraph", "nodes": {"input": entry((3,)), "lif1": lif(3), "w": linear(3, 3),
             "output": output((3,))}}  # fmt: skip
    inner["edges"] = np.array([("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")], dtype="S")
    nodes = {"x": entry((3,)), "layer": inner, "y": output((3,))}
    source = read(write(tmp_path / "a.nir", nodes, [("x", "layer"), ("layer", "y")]), NIR_TEXT)
    assert {(p.source, p.delay) for p in source.projections} == {("x", 0), ("layer_lif1", 1)}
    assert "edges name 'layer.lif', which is no node; taken as 'layer.lif1'" in source.notes


def test_edges_given_twice_count_once(tmp_path):
    nodes = {"x": entry((3,)), "sum": adder(), "y": output((3,))}
    source = read(write(tmp_path / "a.nir", nodes, [("x", "sum"), ("x", "sum"), ("sum", "y")]), NIR_TEXT)
    np.testing.assert_array_equal(source.projections[0].weights, np.eye(3) * DT)
    assert source.notes == ("the edge x -> sum is given 2 times; taken once",)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float16, np.int64])
def test_arrays_of_any_number_type_are_taken(tmp_path, dtype):
    weight = np.array([[1, 2], [3, 0]], dtype)
    node = {key: np.asarray(value, dtype) for key, value in lif(2).items() if key != "type"} | {"type": "LIF"}
    nodes = {"x": entry((2,)), "fc": {"type": "Linear", "weight": weight}, "lif": node, "y": output((2,))}
    source = read(write(tmp_path / "a.nir", nodes, [("x", "fc"), ("fc", "lif"), ("lif", "y")]), NIR_TEXT)
    np.testing.assert_allclose(source.projections[0].weights, DT / 2 * 4 * weight.T.astype(float))


def test_a_threshold_of_infinity_makes_a_readout(tmp_path):
    node = lif(3) | {"v_threshold": np.full(3, math.inf)}
    nodes = {"x": entry((3,)), "lif": node, "y": output((3,))}
    source = read(write(tmp_path / "a.nir", nodes, [("x", "lif"), ("lif", "y")]), NIR_TEXT)
    assert source.outputs == (Output("lif", values=True),)
    assert source.equations == {"lif": "v = 0.75 v + I"}


def test_a_chain_of_any_length_is_read(tmp_path):
    nodes = {"x": entry((2,))} | {f"s{i}": {"type": "Scale", "scale": 1.0} for i in range(1500)}
    nodes |= {"sum": adder(), "y": output((2,))}
    names = list(nodes)
    source = read(write(tmp_path / "a.nir", nodes, list(pairwise(names))), NIR_TEXT)
    np.testing.assert_array_equal(source.projections[0].weights, np.eye(2) * DT)


def refused() -> dict[str, tuple[dict, list, str]]:
    """Graphs that cannot be built, and what is said about them."""
    chain = {"x": entry((3,)), "li": integrator(), "fc": linear(2, 3), "lif": lif(), "y": output((2,))}
    conv = {"x": entry((20,)), "conv": convolution(), "sum": adder(), "y": output((12,))}
    return {
        "value through weights": (
            chain, [("x", "li"), ("li", "fc"), ("fc", "lif"), ("lif", "y")],
            "node 'li' (LI) does not spike, and only spikes can drive 'lif'; its value can be an Output. An integrator"
            " before a LIF is what CubaLIF has as its synaptic current",
        ),
        "value through a map to the output": (
            {key: chain[key] for key in ("x", "li", "fc", "y")}, [("x", "li"), ("li", "fc"), ("fc", "y")],
            "node 'li' does not spike, and its value cannot pass what is between it and 'y'; let the Output follow it"
            " at once, with Linear and Scale before it",
        ),
        "no map": (
            conv, CONV_EDGES,
            "node 'conv' takes maps of 1 x ? x ?, but 20 reaches it; --input-shape says (channels,rows,columns) where"
            " the input does not",
        ),
        "channels": (
            conv | {"x": entry((2, 5, 4))}, CONV_EDGES,
            "node 'conv' takes maps of 1 x ? x ?, but 2 x 5 x 4 reaches it; --input-shape says (channels,rows,columns)"
            " where the input does not",
        ),
        "window": (
            conv | {"x": entry((1, 2, 4))}, CONV_EDGES,
            "node 'conv': a window of 3 x 3 does not fit into 2 x 4 with its padding",
        ),
        "same with a stride": (
            conv | {"x": entry((1, 5, 4)), "conv": convolution(padding="same", stride=2)}, CONV_EDGES,
            "node 'conv': padding 'same' with a stride is not defined; give the padding in numbers",
        ),
        "padding": (
            conv | {"conv": convolution(padding="full")}, CONV_EDGES,
            "node 'conv': padding is same, valid or whole numbers, not 'full'",
        ),
        "groups": (
            conv | {"conv": convolution(groups=3)}, CONV_EDGES, "node 'conv': 3 groups do not divide 2 output channels",
        ),
        "scale": (
            {"x": entry((3,)), "s": {"type": "Scale", "scale": np.ones(2)}, "sum": adder(), "y": output((3,))},
            [("x", "s"), ("s", "sum"), ("sum", "y")],
            "node 'x' puts out 3 values where 2 are taken",
        ),
        "delay": (
            {"x": entry((3,)), "s": {"type": "Delay", "delay": -1.0}, "sum": adder(), "y": output((3,))},
            [("x", "s"), ("s", "sum"), ("sum", "y")],
            "node 's': delay is 0 or more, not -1",
        ),
        "ports": (
            {"x": entry((3,)), "y": output((3,)), "sub": {"type": "NIRGraph", "edges": np.array([("a", "n")], "S"),
             "nodes": {"a": entry((3,)), "b": entry((3,)), "n": lif(3)}}},
            [("x", "sub"), ("sub", "y")],
            "node 'sub' is a graph with 2 inputs, and an edge does not say which; name sub.<input> in the edge",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", refused())
def test_what_cannot_be_built_is_said_with_what_can(tmp_path, name):
    nodes, edges, text = refused()[name]
    path = write(tmp_path / "a.nir", nodes, edges)
    with pytest.raises(InputError) as error:
        read(path, NIR_TEXT)
    got = str(error.value)
    if name == "ports":
        assert "sub" in got
    else:
        assert got == f"{path}: {text}"


def test_the_page_on_networks_says_what_the_code_does():
    page = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text()
    signs = {"gt": ">", "ge": ">="}
    for name, preset in PRESETS.items():
        timing, decay = preset["reset_timing"].replace("-", " "), preset["decay"].replace("euler", "Euler")
        dt = {None: "", 1e-4: "1e-4 ", 1e-3: "1e-3 ", 1.0: "1 "}[preset["dt"]]
        assert f"| {name} | {preset['reset']} | {timing} | {signs[preset['compare']]} | {decay} | {dt}|" in page
    assert [name for name in primitives() if not re.search(rf"\b{name}\b", page)] == []
