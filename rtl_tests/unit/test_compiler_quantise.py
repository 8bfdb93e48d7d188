"""Rounding keeps what the network computes: conventions exactly, accuracy within what others measured."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import network as golden_network
from neurogen.compiler import Options, Quantisation, quantise, read, reference
from neurogen.compiler.coding import even, latency
from neurogen.compiler.resets import in_same_step
from neurogen.compiler.scales import grid, largest, rounded, scale_of
from neurogen.compiler.sharing import shared as shared_parameters
from neurogen.compiler.source import Source, SourcePopulation, SourceProjection
from neurogen.spec.errors import InputError
from neurogen.spec.fixed import Leak
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Input, Output
from rtl_tests.shared import shared


def source(weights: np.ndarray, model: str = "lif", recurrent: np.ndarray | None = None, **changes) -> Source:
    """One population driven by one input."""
    parameters = {"keep": 0.9375, "threshold": 1.0} | changes.pop("parameters", {})
    population = SourcePopulation("p", weights.shape[1], model, parameters, **changes)
    projections = [SourceProjection("x", "p", weights)]
    if recurrent is not None:
        projections.append(SourceProjection("p", "p", recurrent, 1))
    return Source("s", (Input("x", len(weights)),), (population,), tuple(projections), (Output("p"),))


def float_spikes(network: Source, x: np.ndarray) -> np.ndarray:
    """The float equations of one population, written out: snnTorch's code for the delayed timings."""
    population = network.populations[0]
    keep, threshold = population.parameter("keep"), population.parameter("threshold")
    weights = {p.source: p.weights for p in network.projections}
    v = u = s = np.zeros((len(x), population.size))
    spikes = np.zeros((*x.shape[:2], population.size), dtype=np.uint8)

    def fires(v):
        return (v > threshold if population.compare == "gt" else v >= threshold).astype(float)

    for t in range(x.shape[1]):
        current = x[:, t] @ weights["x"] + (s @ weights["p"] if "p" in weights else 0)
        u = population.parameter("keep_u") * u + current + population.parameter("bias_u")
        drive = (u if population.model == "cuba_lif" else current) + population.parameter("bias")
        r = fires(v) if population.reset_timing != "same_step" else np.zeros_like(v)
        if population.reset == "zero":
            v = keep * v * (1 - r) + drive
        else:
            v = keep * v + drive - (threshold * r if population.reset == "subtract" else 0)
        s = fires(v)
        if population.reset_timing != "delayed" and population.reset != "none":
            v = v - (s - r) * (threshold if population.reset == "subtract" else v)
        spikes[:, t] = s
    return spikes


CASES = [
    (reset, timing, compare, model, keep)
    for reset in ("zero", "subtract", "none")
    for timing in ("same_step", "delayed", "snntorch_immediate")
    for compare in ("gt", "ge")
    for model, keep in (("lif", 0.875), ("lif", 0.9), ("lif", 1.0), ("cuba_lif", 0.75))
    if not (model == "cuba_lif" and timing == "snntorch_immediate" and reset == "subtract")
]


@pytest.mark.parametrize(("reset", "timing", "compare", "model", "keep"), CASES)
def test_fine_integers_spike_like_the_float_equation(reset, timing, compare, model, keep):
    """16-bit weights and 24-bit states: all but a few spikes of a chaotic recurrent population agree."""
    rng = np.random.default_rng(5)
    network = source(
        rng.normal(0.1, 0.4, (6, 8)),
        model,
        rng.normal(0, 0.3, (8, 8)),
        parameters={"keep": keep, "keep_u": 0.5, "bias": rng.normal(0, 0.05, 8)},
        reset=reset,
        reset_timing=timing,
        compare=compare,
    )
    x = (rng.random((4, 40, 6)) < 0.4).astype(np.uint8)
    integers = quantise(network, Quantisation(weight_bits=16, fraction_bits=6, state_bits=32))
    found, wanted = golden_network.run(integers, {"x": x}).spikes["p"], float_spikes(network, x)
    assert 100 < wanted.sum() < wanted.size
    assert (found != wanted).mean() < 0.01


@pytest.mark.parametrize(
    ("reset", "timing"), [("zero", "delayed"), ("subtract", "delayed"), ("zero", "snntorch_immediate")]
)
def test_a_delayed_reset_is_one_in_the_same_step(reset, timing):
    rng = np.random.default_rng(8)
    parameters = {"keep": rng.uniform(0.3, 0.95, 8), "keep_u": 0.5, "threshold": rng.uniform(0.5, 2, 8)}
    parameters |= {"bias": rng.normal(0, 0.1, 8), "v_init": 0.1, "bias_u": 0.05}
    late = source(
        rng.normal(0.2, 0.5, (6, 8)),
        "cuba_lif",
        rng.normal(0, 0.3, (8, 8)),
        parameters=parameters,
        reset=reset,
        reset_timing=timing,
        compare="gt",
    )
    at_once = replace(late, populations=tuple(map(in_same_step, late.populations)))
    assert at_once.populations[0].reset_timing == "same_step"
    x = (rng.random((4, 60, 6)) < 0.4).astype(np.uint8)
    wanted = reference.run(late, {"x": x}).spikes["p"]
    assert 200 < wanted.sum() < 0.7 * wanted.size
    notes = quantise(late).metadata["notes"]
    assert notes[0] == "p: the delayed reset becomes one in the same step; same spikes, another v"
    assert np.any(wanted[:, 1:] & wanted[:, :-1]) or reset == "zero"  # neurons that stay above the threshold
    np.testing.assert_array_equal(reference.run(at_once, {"x": x}).spikes["p"], wanted)


@pytest.mark.parametrize("model", ["lif", "cuba_lif"])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_one_threshold_for_all_spikes_the_same(model, reset):
    rng = np.random.default_rng(8)
    parameters = {"keep": 0.75, "keep_u": 0.5, "threshold": rng.uniform(0.5, 2, 8), "bias": rng.normal(0, 0.1, 8)}
    parameters |= {"bias_u": rng.normal(0, 0.1, 8), "v_init": rng.normal(0, 0.1, 8)}
    network = source(
        rng.normal(0.1, 0.4, (6, 8)), model, rng.normal(0, 0.3, (8, 8)), parameters=parameters, reset=reset
    )
    one = shared_parameters(network)
    assert len(set(one.populations[0].parameter("threshold").round(9))) == 1
    assert [note.split(" of ")[0] for note in one.notes] == ["p: one v_init"]
    x = (rng.random((4, 40, 6)) < 0.4).astype(np.uint8)
    same = replace(network, populations=(replace(network.populations[0], parameters={**parameters, "v_init": 0.0}),))
    one = shared_parameters(same)
    assert one.notes == ()
    wanted = reference.run(same, {"x": x}).spikes["p"]
    assert wanted.sum() > 100
    np.testing.assert_array_equal(reference.run(one, {"x": x}).spikes["p"], wanted)


def test_decays_per_population_are_averaged_and_said():
    parameters = {"keep": np.array([0.8, 0.9, 0.94]), "threshold": np.array([1.0, 2.0, 1.5])}
    network = source(np.ones((2, 3)), parameters=parameters)
    integers = quantise(network, Quantisation(parameters="per_population"))
    found = integers.populations[0].parameters
    assert all(np.ndim(found[name]) == 0 for name in ("decay", "threshold"))
    assert found["decay"] == round((1 - 0.88) * 4096)
    assert "p: one keep of 0.88 for 0.8 .. 0.94" in integers.metadata["notes"]
    assert quantise(network).populations[0].parameters["decay"].tolist() == [819, 410, 246]


def test_kernels_take_thresholds_by_channel():
    kernel = Kernel(np.ones((2, 1, 2, 2)), (1, 3, 3), (2, 2, 2))
    for thresholds, fine in ((np.repeat([1.0, 2.0], 4), True), (np.arange(1.0, 9.0), False)):
        population = SourcePopulation("p", 8, "lif", {"keep": 0.5, "threshold": thresholds})
        network = Source("s", (Input("x", 9),), (population,), (SourceProjection("x", "p", kernel),), (Output("p"),))
        if fine:
            weights = shared_parameters(network).projections[0].weights.weights
            assert weights[0, 0, 0, 0] == 2 * weights[1, 0, 0, 0]
        else:
            with pytest.raises(InputError, match="thresholds differ within a channel, and its kernel cannot"):
                shared_parameters(network)


@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
def test_a_constant_input_current_is_a_bias_and_a_start(reset):
    """u less what it comes to by itself has no bias: finer than weights, from the first step on."""
    rng = np.random.default_rng(2)
    bias = np.array([0.3, -0.1, 2.5, 0.0])
    network = source(
        rng.normal(0, 0.6, (5, 4)),
        "cuba_lif",
        parameters={"keep": 0.75, "keep_u": 0.8125, "bias_u": bias, "threshold": 12.0},
        reset=reset,
        compare="gt",
    )
    integers = quantise(network, Quantisation(weight_bits=12, fraction_bits=8, state_bits=32))
    unit = integers.metadata["scales"]["p"] / 2**8
    np.testing.assert_allclose(integers.populations[0].parameters["bias"] * unit, bias / 0.1875, atol=unit)
    x = (rng.random((3, 60, 5)) < 0.3).astype(np.uint8)
    values = replace(integers, outputs=(Output("p", values=True),))
    found = golden_network.run(values, {"x": x}, record=["p"])
    wanted = reference.run(network, {"x": x}, membranes=["p"])
    assert wanted.spikes["p"].sum() > 20
    np.testing.assert_allclose(found.values["p"][:, :3] * unit, wanted.values["p"][:, :3], atol=0.05)
    assert (found.spikes["p"] != float_spikes(network, x)).mean() < 0.01


def test_a_constant_current_that_never_decays_is_refused():
    parameters = {"keep": 0.5, "keep_u": 1.0, "bias_u": 0.1}
    with pytest.raises(InputError) as error:
        quantise(source(np.ones((1, 1)), "cuba_lif", parameters=parameters))
    assert str(error.value) == "population 'p': a constant current that never decays grows without end"


def test_a_slow_leak_gets_finer_steps():
    """What toward-zero rounding takes away adds up to 1 / (1 - keep) steps: an eighth of a threshold at most."""
    for keep, least in ((0.5, 128), (0.9375, 128), (0.99, 800), (0.999, 8000)):
        network = quantise(source(np.array([[0.7], [-1.0]]), parameters={"keep": keep}))
        assert least <= network.populations[0].parameters["threshold"] < 2 * max(least, 128)


ACCURACY = {  # network -> coder, per cent in float, {weight bits: per cent}, as the shared README measured
    "mnist_784-128-10_lat_T16_k4_float": (latency, 96.63, {8: 96.64, 6: 96.66, 5: 96.55, 4: 96.34}),
    "mnist_784-128-10_even_T16_k4_float": (even, 96.62, {8: 96.69, 4: 96.39}),
}


@pytest.mark.parametrize("name", ACCURACY)
def test_mnist_accuracy_is_what_others_measured(name):
    """10,000 images, in floats and in integers."""
    coder, in_float, known = ACCURACY[name]
    source = read(shared(f"models/{name}.nir"))
    with np.load(shared("data/mnist_test.npz")) as data:
        inputs, labels = {"input": coder(data["x"].reshape(-1, 784), 16, 255)}, data["y"]

    def accuracy(result) -> float:
        return 100 * (result.spikes["lif2"].sum(axis=1).argmax(axis=1) == labels).mean()

    assert accuracy(reference.run(source, inputs)) == pytest.approx(in_float, abs=0.015)
    for bits, wanted in known.items():
        found = accuracy(golden_network.run(quantise(source, Quantisation(weight_bits=bits)), inputs))
        print(f"{name}, {bits} bits: {found:.2f} %, others measured {wanted:.2f} %")
        assert found >= wanted - 0.05


def test_a_lif_neuron_spikes_when_ten_platforms_say():
    trace = np.loadtxt(shared("models/lif_norse_trace.csv"), delimiter=",")
    network = quantise(read(shared("models/lif_norse.nir"), Options(dt=1e-4)))
    result = golden_network.run(network, {"input": trace[None, :, :1].astype(np.uint8)})
    assert np.flatnonzero(result.spikes["lif_1"]).tolist() == [460, 510, 710, 760]


def test_a_leak_above_the_threshold_fires_by_itself():
    """``v = 1.2 (1 - 0.9^n) > 1`` first at n = 18, and again 18 steps after each reset."""
    network = quantise(read(shared("models/two_lif_neurons.nir"), Options(dt=1e-3)))
    result = golden_network.run(network, {"in": np.zeros((1, 90, 1), np.uint8)}, record=["lif1"])
    assert np.flatnonzero(result.spikes["lif1"]).tolist() == [17, 35, 53, 71, 89]


@given(
    weights=st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=40),
    bits=st.integers(2, 8),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_least_squares_clips_no_worse_than_the_maximum(weights, bits, seed):
    values = np.array(weights, dtype=float)

    def error(scale):
        return np.square(values - scale * rounded(values, scale, bits)).sum()

    scale = scale_of([values], [bits], "least_squares", 100)
    if not np.any(values):
        assert scale is None
    else:
        assert error(scale) <= error(np.abs(values).max() / largest(bits)) + 1e-6


def test_clips_of_the_other_kinds():
    values = np.array([0.1, -0.2371, 0.3, -10.0])
    assert scale_of([values], [8], "max", 50) == 10.0 / 127
    assert scale_of([values], [8], "percentile", 50) == pytest.approx(0.26855 / 127)
    assert scale_of([np.zeros(3)], [8], "max", 50) is None
    normal = np.random.default_rng(0).normal(size=5000)
    assert 0.4 < scale_of([normal], [4], "least_squares", 50) * 7 / np.abs(normal).max() < 0.8


def test_projections_with_other_bits_share_the_scale():
    rng = np.random.default_rng(4)
    fine, coarse = rng.normal(size=(40, 30)), rng.normal(size=(30, 30))
    alone = scale_of([fine], [8], "least_squares", 100)
    both = scale_of([fine, coarse], [8, 3], "least_squares", 100)
    assert alone <= both
    network = quantise(
        source(fine, recurrent=coarse), Quantisation(weight_bits=8, weight_bits_of={"p->p": 3, "x->p": 5})
    )
    wide, narrow = (np.abs(projection.weights).max() for projection in network.projections)
    assert narrow == 3 < wide <= 15


def test_weights_of_one_bit_are_signs():
    rng = np.random.default_rng(4)
    weights = rng.normal(size=(40, 30)) * (rng.random((40, 30)) < 0.5)
    network = quantise(source(weights), Quantisation(weight_bits=1))
    np.testing.assert_array_equal(network.projections[0].weights, np.sign(weights))
    assert network.metadata["scales"]["p"] == pytest.approx(np.abs(weights[weights != 0]).mean(), rel=0.05)
    assert "weights of one bit, -1 and 1, take fields of two bits in hardware" in network.metadata["notes"]


@given(step=st.floats(0.01, 3), bits=st.integers(3, 10), seed=st.integers(0, 99), noise=st.sampled_from([0, 1e-7]))
@settings(max_examples=60, deadline=None)
def test_weights_on_a_grid_stay_as_they_are(step, bits, seed, noise):
    """However they are to be clipped; noise as float32 and gains leave it."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(-largest(bits), largest(bits) + 1, 30)
    levels[0] = 1
    scale = scale_of([levels * step * (1 + noise * rng.normal(size=30))], [bits], "percentile", 50)
    times = step / scale
    assert round(times) == largest(bits) // np.abs(levels).max()
    np.testing.assert_array_equal(rounded(levels * step, scale, bits), levels * round(times))


def test_what_is_no_grid_or_does_not_fit_is_clipped():
    rng = np.random.default_rng(0)
    assert grid([(np.abs(rng.normal(size=200)), 8)]) is None
    assert grid([(np.arange(1.0, 200), 8)]) is None
    assert grid([(np.arange(1.0, 100), 8)]) == pytest.approx(1.0)


def test_leaks_are_shifts_where_they_are_exact():
    weights = np.array([[0.5, -0.25]])
    kinds = {0.9375: Leak.SHIFT, 0.9: Leak.MULTIPLY}
    for keep, kind in kinds.items():
        parameters = quantise(source(weights, parameters={"keep": keep})).populations[0].parameters
        assert parameters["leak"] == kind
    assert quantise(source(weights, parameters={"keep": 1.0})).populations[0].model == "if"
    shifted = quantise(source(weights, parameters={"keep": 0.9}), Quantisation(leak="shift")).populations[0].parameters
    assert (shifted["leak"], shifted["leak_shift"]) == (Leak.SHIFT, 3)
    product = quantise(source(weights), Quantisation(leak="multiply")).populations[0].parameters
    assert (product["leak"], product["decay"]) == (Leak.MULTIPLY, 256)


@given(threshold=st.floats(0.05, 300), bits=st.integers(2, 12), fraction=st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_the_membrane_holds_four_thresholds(threshold, bits, fraction):
    network = source(np.array([[1.0, -0.5]]), parameters={"threshold": threshold})
    try:
        population = quantise(network, Quantisation(weight_bits=bits, fraction_bits=fraction)).populations[0]
    except InputError as error:
        assert "the threshold is less than one unit" in str(error)
        return
    assert population.widths["v"] >= np.ceil(np.log2(population.parameters["threshold"])) + 2


def test_all_populations_of_a_model_share_width_and_exponent():
    network = quantise(read(shared("models/snntorch_leaky_64_32_10.nir"), Options(framework="snntorch")))
    assert len({p.widths["v"] for p in network.populations}) == 1
    assert len({p.parameters["exponent"] for p in network.populations}) == 1
    assert min(p.parameters["threshold"] for p in network.populations) >= 128


def test_integers_are_not_touched():
    network = read(shared("models/lava_mnist_784_128_64_10.net")).network
    assert quantise(Source("lava", network=network), Quantisation(weight_bits=2)) is network


def test_weights_stay_in_the_symmetric_range_and_metadata_says_how():
    rng = np.random.default_rng(3)
    network = quantise(source(rng.normal(size=(50, 20))), Quantisation(weight_bits=4))
    weights = network.projections[0].weights
    assert weights.min() == -7 and weights.max() == 7
    assert network.metadata["weight_bits"] == 4
    assert network.metadata["float_equations"] == {"p": "v = 0.9375 v + I; s = [v >= 1]; v = v - 1 s"}
    assert network.metadata["integer_equations"]["p"].startswith("lif(leak=shift, leak_shift=4, ")


@pytest.mark.parametrize("model", ["lif", "cuba_lif"])
@pytest.mark.parametrize("rounding", ["floor", "toward_zero", "half_up"])
def test_a_width_that_is_proved_never_saturates(model, rounding):
    """Input that drives one neuron as far up, and one as far down, as it can: the same v as with 32 bits."""
    proved = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        weights = rng.normal(0, 1, (int(rng.integers(1, 6)), 3))
        parameters = {"keep": rng.choice([0.5, 0.75, 0.9]), "keep_u": 0.5, "bias": 0.2 * rng.normal(size=3)}
        parameters |= {"threshold": rng.uniform(0.5, 20), "v_init": 0.25, "bias_u": 0.2 * rng.normal(size=3)}
        network = source(weights, model, parameters=parameters, reset=str(rng.choice(["none", "subtract"])))
        how = Quantisation(weight_bits=int(rng.integers(2, 7)), rounding=rounding, fraction_bits=int(rng.integers(6)))
        integers = quantise(network, how)
        if "no input can saturate it" not in integers.metadata["notes"][-1]:
            continue
        x = np.repeat([(weights[:, 0] > 0), (weights[:, 1] < 0)], 60, axis=0).reshape(2, 60, -1).astype(np.uint8)
        values = [
            golden_network.run(replace(net, outputs=(Output("p", values=True),)), {"x": x}).values["p"]
            for net in (integers, quantise(network, replace(how, state_bits=32)))
        ]
        np.testing.assert_array_equal(*values)
        proved += 1
    assert proved > 10


def test_a_proved_width_is_not_much_too_wide():
    """``1 / (1 - 3/4)`` times 100, in one direction: 400 at most, and 10 bits hold it."""
    network = source(np.array([[100.0], [-50.0]]), parameters={"keep": 0.75, "threshold": 100.0})
    integers = quantise(network, Quantisation(fraction_bits=0))
    assert integers.projections[0].weights.tolist() == [[127], [-64]] or integers.metadata["scales"]["p"] == 50 / 63
    assert integers.populations[0].widths["v"] == 11


def test_a_readout_never_fires_and_keeps_its_value():
    rng = np.random.default_rng(3)
    network = source(rng.normal(size=(6, 4)), parameters={"keep": 0.96, "threshold": np.inf}, reset="none")
    network = replace(network, outputs=(Output("p", values=True),))
    integers = quantise(network, Quantisation(weight_bits=12))
    x = (rng.random((4, 200, 6)) < 0.5).astype(np.uint8)
    found = golden_network.run(integers, {"x": x}, record=["p"])
    assert found.spikes["p"].sum() == 0
    assert integers.populations[0].parameters["exponent"] == 6  # 1 / (1 - 0.96) steps of rounding, half a unit at most
    unit = integers.metadata["scales"]["p"] / 2**6
    wanted = reference.run(network, {"x": x}).values["p"]
    assert np.abs(wanted).max() > 5
    np.testing.assert_allclose(found.values["p"] * unit, wanted, atol=0.05)


def test_a_kernel_stays_a_kernel():
    rng = np.random.default_rng(3)
    kernel = Kernel(rng.normal(0, 0.5, (2, 1, 3, 3)), (1, 6, 6), (2, 4, 4))
    population = SourcePopulation("p", 32, "lif", {"keep": 0.9375, "threshold": 1.0})
    network = Source("s", (Input("x", 36),), (population,), (SourceProjection("x", "p", kernel),), (Output("p"),))
    unrolled = replace(network, projections=(SourceProjection("x", "p", kernel.matrix.toarray()),))
    integers, same = (quantise(net, Quantisation(weight_bits=6, clip="max")) for net in (network, unrolled))
    assert isinstance(integers.projections[0].weights, Kernel)
    np.testing.assert_array_equal(integers.projections[0].dense, same.projections[0].weights)
    assert integers.populations[0].widths == same.populations[0].widths


def test_a_sample_starts_where_its_framework_starts_it():
    network = source(np.array([[1.0]]), parameters={"keep": 1.0, "threshold": 4.0, "v_init": 3.0}, compare="ge")
    spikes = golden_network.run(quantise(network), {"x": np.ones((1, 2, 1), np.uint8)}).spikes["p"]
    assert spikes.ravel().tolist() == [1, 0]


@pytest.mark.parametrize(
    ("changes", "how", "text"),
    [
        ({"parameters": {"threshold": np.array([1.0, np.inf])}}, Quantisation(),
         "population 'p': some neurons spike and some do not; split it in two"),
        ({"parameters": {"threshold": 1e-4}}, Quantisation(weight_bits=4, fraction_bits=0),
         "population 'p': the threshold is less than one unit of weight; use more weight_bits or fraction_bits"),
        ({"parameters": {"threshold": 1e9}}, Quantisation(),
         "population 'p': the membrane needs 39 bits; 32 are possible"),
        ({"parameters": {"keep": 0.01}}, Quantisation(leak="shift"),
         "population 'p': no shift leak is near a factor of 0.01"),
        ({"model": "cuba_lif", "reset_timing": "snntorch_immediate"}, Quantisation(),
         "population 'p': a cuba_lif neuron cannot subtract with reset timing snntorch-immediate"),
        ({"model": "cuba_lif", "reset_timing": "delayed", "parameters": {"keep": 0.0}}, Quantisation(),
         "population 'p': a cuba_lif neuron cannot subtract with reset timing delayed and keep nothing"),
    ],
)  # fmt: skip
def test_what_integers_cannot_hold_is_refused(changes, how, text):
    with pytest.raises(InputError) as error:
        neurons = np.size(changes.get("parameters", {}).get("threshold", 1.0))
        quantise(source(np.ones((1, neurons)), **changes), how)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"weight_bits": 0}, "weight_bits is 1..16, not 0"),
        ({"weight_bits_of": {"conv1": 17}}, "weight_bits_of 'conv1' is 1..16, not 17"),
        ({"state_range": "all"}, "state_range is one of proof, observed, not 'all'"),
        ({"clip": "median"}, "clip is one of least_squares, max, percentile, not 'median'"),
        ({"leak": "log"}, "leak is one of auto, shift, multiply, not 'log'"),
        ({"rounding": "up"}, "rounding is one of floor, toward_zero, half_up, not 'up'"),
        ({"fraction_bits": 16}, "fraction_bits is 0..15, not 16"),
        ({"percentile": 0}, "percentile is above 0 and at most 100, not 0"),
    ],
)
def test_unknown_ways_to_quantise_are_refused(how, text):
    with pytest.raises(InputError) as error:
        Quantisation(**how)
    assert str(error.value) == text


def test_a_population_without_input_keeps_its_own_scale():
    alone = SourcePopulation("b", 2, "lif", {"keep": 0.5, "threshold": 2.0, "bias": 1.5})
    network = source(np.array([[1.0]]))
    both = replace(network, populations=(*network.populations, alone), outputs=(Output("p"), Output("b")))
    result = golden_network.run(quantise(both), {"x": np.zeros((1, 20, 1), np.uint8)})
    assert result.spikes["b"].sum() == 2 * 10  # 1.5, 2.25 fires, 1.625, 2.3 fires, ...
