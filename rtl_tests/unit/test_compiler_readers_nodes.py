"""What the reader makes of NIR's stateless nodes is what they compute one by one, alone and composed at random."""

import nir
import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from neurogen.compiler import Options, read, reference
from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel
from rtl_tests.nir_files import adder, currents, entry, output, pair, write

STEPS = 4
OPTIONS = Options(dt=1.0, reset="none", reset_timing="same-step", compare="ge")


def conv(rng, out, reads, taps, stride=1, padding=0, dilation=1, groups=1, **more) -> dict:
    return {
        "type": "Conv2d" if len(taps) == 2 else "Conv1d",
        "weight": rng.normal(size=(out, reads, *taps)),
        "bias": rng.normal(size=out),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        **more,
    }


def pool(kind: str, size, stride, padding=0) -> dict:
    return {"type": kind, "kernel_size": np.array(size), "stride": np.array(stride), "padding": np.array(padding)}


def alone() -> dict:
    """One node each: (shape that it takes, node, whether it stays a kernel)."""
    rng = np.random.default_rng(1)
    return {
        "Linear": ((6,), {"type": "Linear", "weight": rng.normal(size=(4, 6))}, False),
        "Affine": ((6,), {"type": "Affine", "weight": rng.normal(size=(4, 6)), "bias": rng.normal(size=4)}, False),
        "Scale": ((6,), {"type": "Scale", "scale": rng.normal(size=6)}, False),
        "Scale by one": ((6,), {"type": "Scale", "scale": 0.5}, False),
        "Scale channels": ((2, 3, 3), {"type": "Scale", "scale": rng.normal(size=(2, 1, 1))}, True),
        "Scale each": ((2, 3, 3), {"type": "Scale", "scale": rng.normal(size=(2, 3, 3))}, False),
        "Flatten": ((2, 3, 3), {"type": "Flatten", "start_dim": 0, "end_dim": -1}, False),
        "Delay": ((6,), {"type": "Delay", "delay": np.array([0.0, 1, 2, 2, 3, 0])}, False),
        "Delay channels": ((2, 3, 3), {"type": "Delay", "delay": np.array([1.0, 3]).reshape(2, 1, 1)}, True),
        "Conv2d": ((2, 5, 6), conv(rng, 3, 2, (3, 2), padding=1), True),
        "Conv2d strided": ((2, 7, 6), conv(rng, 3, 2, (3, 3), stride=(2, 3), padding=(1, 2)), True),
        "Conv2d dilated": ((1, 9, 9), conv(rng, 2, 1, (3, 3), dilation=(2, 3)), True),
        "Conv2d groups": ((4, 5, 5), conv(rng, 6, 2, (3, 3), groups=2, input_shape=np.array([5, 5])), True),
        "Conv2d depthwise": ((3, 4, 4), conv(rng, 3, 1, (2, 2), groups=3), True),
        "Conv2d same": ((1, 5, 5), conv(rng, 2, 1, (4, 3), padding="same", dilation=(1, 2)), True),
        "Conv2d valid": ((1, 5, 5), conv(rng, 2, 1, (4, 3), padding="valid"), True),
        "Conv1d": ((2, 9), conv(rng, 3, 2, (4,), stride=2, padding=1), True),
        "Conv1d same": ((2, 9), conv(rng, 4, 1, (4,), padding="same", groups=2, dilation=2), True),
        "SumPool2d": ((2, 5, 6), pool("SumPool2d", (2, 3), (2, 2)), True),
        "SumPool2d padded": ((2, 5, 5), pool("SumPool2d", 3, 2, (1, 1)), True),
        "AvgPool2d": ((2, 4, 4), pool("AvgPool2d", (2, 2), (2, 2)), True),
        "AvgPool2d padded": ((2, 5, 4), pool("AvgPool2d", 3, 1, (0, 1)), True),
    }


def check(path, nodes: dict, edges: list, shapes: dict, seed: int):
    """Read a graph whose neurons are adders, and compare what drives them with the nodes' own meaning."""
    rng = np.random.default_rng(seed)
    source = read(write(path, nodes, edges), OPTIONS)
    given_ = {name: rng.normal(size=(STEPS, *shape)) for name, shape in shapes.items()}
    inputs = {name: x for name, x in given_.items() if nodes[name]["type"] == "Input"}
    expected = currents(nodes, edges, inputs, {name: x for name, x in given_.items() if name not in inputs})
    constants = {p.name: np.ones((STEPS, 1)) for p in source.populations if p.name == "constant"}
    traces = {name: x.reshape(STEPS, -1) for name, x in given_.items()} | constants
    for population in source.populations:
        if population.name in constants:
            continue
        found = np.tile(population.parameter("bias"), (STEPS, 1))
        for p in source.projections:
            if p.target == population.name:
                matrix = getattr(p.weights, "matrix", p.weights)
                for step in range(p.delay, STEPS):
                    found[step] += traces[p.source][step - p.delay] @ matrix
        np.testing.assert_allclose(found, expected[population.name].reshape(STEPS, -1), rtol=1e-9, atol=1e-9)
    return source


@pytest.mark.parametrize("name", alone())
def test_a_node_computes_its_definition(tmp_path, name):
    shape, node, shared = alone()[name]
    nodes = {"x": entry(shape), "node": node, "sum": adder(), "y": output((1,))}
    source = check(tmp_path / "a.nir", nodes, [("x", "node"), ("node", "sum"), ("sum", "y")], {"x": shape}, seed=2)
    kinds = {isinstance(p.weights, Kernel) for p in source.projections if p.source != "constant"}
    assert kinds == {shared}


@st.composite
def chains(draw):
    """A chain of stateless nodes from a map of 1..3 channels to an adder, with bypasses that add up again."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    shape = (draw(st.integers(1, 3)), draw(st.integers(3, 7)), draw(st.integers(3, 7)))
    nodes, edges, heads = {"x": entry(shape)}, [], ["x"]
    for index in range(draw(st.integers(1, 4))):
        name = f"n{index}"
        nodes[name], new = draw(steps(rng, shape))
        edges += [(head, name) for head in heads]
        bypass = new == shape and draw(st.booleans())
        heads = [*heads, name] if bypass else [name]
        event(f"{nodes[name]['type']}{' bypassed' if bypass else ''}")
        shape = new
    if len(shape) == 3 and draw(st.booleans()):
        size = int(np.prod(shape))
        nodes["flat"] = {"type": "Flatten", "start_dim": 0, "end_dim": -1}
        nodes["fc"] = {"type": "Affine", "weight": rng.normal(size=(3, size)), "bias": rng.normal(size=3)}
        edges += [*((head, "flat") for head in heads), ("flat", "fc")]
        heads, shape = ["fc"], (3,)
    nodes |= {"sum": adder(shape if draw(st.booleans()) else ()), "y": output(shape)}
    edges += [*((head, "sum") for head in heads), ("sum", "y")]
    return nodes, edges


@st.composite
def steps(draw, rng, shape):
    """One node that takes ``shape``, and what it puts out."""
    channels, *extent = shape
    kind = draw(st.sampled_from(["Conv2d", "Conv2d", "SumPool2d", "AvgPool2d", "Scale", "Delay"]))
    if kind == "Scale":
        return {"type": kind, "scale": rng.normal(size=draw(st.sampled_from([(), (channels, 1, 1), shape])))}, shape
    if kind == "Delay":
        delay = rng.integers(0, 3, draw(st.sampled_from([(), (channels, 1, 1), shape])))
        return {"type": kind, "delay": delay.astype(float)}, shape
    dilation = tuple(draw(st.integers(1, 2)) if kind == "Conv2d" else 1 for _ in "yx")
    padding = tuple(draw(st.integers(0, 2)) for _ in "yx")
    room = [(extent[a] + 2 * padding[a] - 1) // dilation[a] + 1 for a in (0, 1)]
    taps = tuple(draw(st.integers(1, min(3, room[a]))) for a in (0, 1))
    stride = tuple(draw(st.integers(1, 3)) for _ in "yx")
    rows, columns = ((extent[a] + 2 * padding[a] - dilation[a] * (taps[a] - 1) - 1) // stride[a] + 1 for a in (0, 1))
    if kind != "Conv2d":
        return pool(kind, taps, stride, padding), (channels, rows, columns)
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
    out = groups * draw(st.integers(1, 2))
    node = conv(rng, out, channels // groups, taps, np.array(stride), np.array(padding), np.array(dilation), groups)
    return node, (out, rows, columns)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(chain=chains(), seed=st.integers(0, 99))
def test_composed_maps_are_the_nodes_one_by_one(tmp_path_factory, chain, seed):
    nodes, edges = chain
    path = tmp_path_factory.getbasetemp() / "chain.nir"
    source = check(path, nodes, edges, {"x": tuple(nodes["x"]["shape"])}, seed)
    event("kernel" if any(isinstance(p.weights, Kernel) for p in source.projections) else "matrix")


POOL = pool("AvgPool2d", 2, 2)


@pytest.mark.parametrize(
    ("shape", "nodes", "taps"),
    [
        ((1, 8, 8), [POOL, "conv"], (6, 6)),
        ((1, 8, 8), ["conv", POOL], (4, 4)),
        ((1, 9, 9), ["conv", POOL], (4, 4)),  # a row is dropped at the end, and nothing reads it
        ((1, 9, 9), [POOL, "conv"], None),  # a row is dropped that padding would have to hide
        ((1, 9, 9), [POOL, "inside"], (6, 6)),  # without padding nothing is read beside the map between
        ((1, 8, 8), ["conv", "conv"], None),  # the padding between two convolutions is 0, not what is there
        ((1, 8, 8), ["inside", "inside"], (5, 5)),
    ],
    ids=lambda value: None,
)  # fmt: skip
def test_kernels_are_composed_where_one_kernel_says_the_same(tmp_path, shape, nodes, taps):
    rng = np.random.default_rng(3)
    kinds = {"conv": conv(rng, 1, 1, (3, 3), padding=1), "inside": conv(rng, 1, 1, (3, 3))}
    found = {"x": entry(shape)} | {f"n{i}": kinds.get(node, POOL) if isinstance(node, str) else node
                                   for i, node in enumerate(nodes)}  # fmt: skip
    found |= {"sum": adder(), "y": output((1,))}
    edges = list(zip(list(found)[:-1], list(found)[1:], strict=True))
    source = check(tmp_path / "a.nir", found, edges, {"x": shape}, seed=4)
    (projection,) = source.projections
    kernel = isinstance(projection.weights, Kernel)
    assert (projection.values.shape[2:] if kernel else None) == taps


@pytest.mark.parametrize("factors", [2.0, np.arange(1.0, 1501.0)], ids=["equal", "different"])
def test_large_diagonals_are_no_matrices(tmp_path, factors):
    nodes = {"x": entry((1500,)), "scale": {"type": "Scale", "scale": factors}, "sum": adder(), "y": output((1500,))}
    source = check(tmp_path / "a.nir", nodes, [("x", "scale"), ("scale", "sum"), ("sum", "y")], {"x": (1500,)}, seed=6)
    (projection,) = source.projections
    assert isinstance(projection.weights, Kernel) and projection.values.size == np.size(factors)


def test_a_map_that_would_have_to_be_unrolled_beyond_all_memory_is_refused(tmp_path):
    rng = np.random.default_rng(7)
    pooling = pool("SumPool2d", 2, 2)  # 129 rows: one is dropped, and the padding behind would have to hide it
    nodes = {"x": entry((2, 129, 129)), "pool": pooling, "conv": conv(rng, 2, 2, (3, 3), padding=1), "sum": adder(),
             "y": output((1,))}  # fmt: skip
    edges = [("x", "pool"), ("pool", "conv"), ("conv", "sum"), ("sum", "y")]
    path = write(tmp_path / "a.nir", nodes, edges)
    with pytest.raises(InputError) as error:
        read(path, OPTIONS)
    assert str(error.value) == (
        f"{path}: node 'conv': its shared weights would be unrolled to 33282 x 8192, more than 134217728 weights; pad"
        " and stride so that no row or column is dropped, or put a neuron between"
    )


def test_what_the_nir_package_writes_is_read(tmp_path):
    """Every stateless node as the package itself stores it."""
    rng = np.random.default_rng(8)
    bias = rng.normal(size=2)
    graph = nir.NIRGraph.from_list(
        nir.Input(np.array([1, 9, 8])),
        nir.Conv2d((9, 8), rng.normal(size=(2, 1, 3, 3)), (1, 1), "same", (1, 1), 1, bias),
        nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        nir.Conv2d((4, 4), rng.normal(size=(2, 1, 2, 2)), 1, (0, 1), 1, 2, bias),
        nir.AvgPool2d(np.array([1, 2]), np.array([1, 2]), np.array([0, 0])),
        nir.Flatten(np.array([2, 3, 2]), start_dim=0),
        nir.Scale(rng.normal(size=12)),
        nir.Delay(np.array([0.0, 1, 2] * 4)),
        nir.Affine(rng.normal(size=(3, 12)), rng.normal(size=3)),
        nir.Linear(rng.normal(size=(3, 3))),
        nir.IF(np.ones(3), np.ones(3)),
        type_check=False,
    )
    nir.write(tmp_path / "a.nir", graph)
    nodes = {
        name: {key: pair(value) if isinstance(value, tuple) else value for key, value in vars(node).items()}
        | {"type": type(node).__name__}
        for name, node in graph.nodes.items()
    }
    source = read(tmp_path / "a.nir", OPTIONS)
    spikes = rng.integers(0, 2, (STEPS, 1, 9, 8))
    expected = currents(nodes, graph.edges, {"input": spikes}, {})["if"]
    found = reference.run(source, {"input": spikes.reshape(1, STEPS, -1)}, membranes=["if"]).values["if"][0]
    np.testing.assert_allclose(np.diff(found, axis=0), expected[1:], atol=1e-9)


def test_gains_that_differ_within_a_channel_leave_the_kernel_alone(tmp_path):
    rng = np.random.default_rng(5)
    r = rng.uniform(0.5, 2, (2, 4, 4))
    nodes = {
        "x": entry((1, 4, 4)),
        "conv": conv(rng, 2, 1, (3, 3), padding=1),
        "sum": {"type": "IF", "r": r, "v_threshold": np.full((2, 4, 4), 3.0), "v_reset": np.full((2, 4, 4), 0.5)},
        "y": output((2, 4, 4)),
    }
    source = read(write(tmp_path / "a.nir", nodes, [("x", "conv"), ("conv", "sum"), ("sum", "y")]), Options(dt=1.0))
    (projection,), (population,) = source.projections, source.populations
    np.testing.assert_array_equal(projection.values, nodes["conv"]["weight"])
    np.testing.assert_allclose(population.parameter("threshold") * r.ravel(), 3.0)
    np.testing.assert_allclose(population.parameter("reset_value") * r.ravel(), 0.5)
    np.testing.assert_allclose(population.parameter("bias"), np.repeat(nodes["conv"]["bias"], 16))
