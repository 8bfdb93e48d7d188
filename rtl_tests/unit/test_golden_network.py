"""The batched golden network against the scalar twin, and what it refuses."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from golden import network as golden_network
from neurogen.spec.errors import InputError
from neurogen.spec.fixed import Reset
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests import scalar_twin
from rtl_tests.random_networks import FABRICS, STORES, Sizes, random_events, random_network

SEEDS = range(30)
ALL = FABRICS | {name: STORES[name] for name in ("conv_2x2", "conv_3x1")}


@pytest.fixture(params=["as it comes", "one by one", "all at once"])
def adding(request, monkeypatch):
    """How a matrix's rows are added, whatever the share of sources with an event."""
    few = {"as it comes": golden_network._FEW, "one by one": 0, "all at once": 1 << 40}[request.param]
    monkeypatch.setattr(golden_network, "_FEW", few)


@pytest.mark.parametrize("name", ALL)
def test_network_is_the_scalar_twin(name, adding):
    spikes = graded = delayed = kernels = 0
    for seed in SEEDS:
        rng = np.random.default_rng([seed, *name.encode()])
        net = random_network(ALL[name], rng, Sizes(populations=3, neurons=6, inputs=5))
        events = {item.name: random_events(item, rng, 2, 7, density=0.35) for item in net.inputs}
        result = golden_network.run(net, events, record=net.order)
        expected = [scalar_twin.run(net, {k: v[b].tolist() for k, v in events.items()}) for b in range(2)]
        for population in net.order:
            assert result.spikes[population].tolist() == [
                np.not_equal(twin[0][population], 0).tolist() for twin in expected
            ], seed
        for population, values in result.values.items():
            assert values.tolist() == [twin[1][population] for twin in expected], seed
            graded += 1
        for projection, operations in zip(net.projections, result.operations, strict=True):
            assert operations == effective_operations(projection, [twin[0] for twin in expected])
            delayed += projection.delay > 0
            kernels += isinstance(projection.weights, Kernel) and operations > 0
        assert result.counts == {k: int(np.count_nonzero([twin[0][k] for twin in expected])) for k in result.counts}
        spikes += sum(result.counts[population] for population in net.order)
    assert spikes > 250
    assert delayed > 0
    assert graded > 0 or not ALL[name].core.values
    assert kernels > 5 or name in FABRICS


def effective_operations(projection: Projection, samples: list[dict]) -> int:
    """Events that met a synapse whose weight is not 0, counted one by one."""
    return sum(
        int(np.count_nonzero(projection.dense[line]))
        for spikes in samples
        for row in spikes[projection.source][: 7 - projection.delay]
        for line, event in enumerate(row)
        if event
    )


def small(weight: int = 1, payload_bits: int = 0, **parameters) -> Network:
    return Network(
        "small",
        (Input("in", 2, payload_bits),),
        (Population("p", 1, "if", parameters, {"v": 32}),),
        (Projection("in", "p", np.array([[weight], [-weight + 1]])),),
        (Output("p", values=True),),
    )


@pytest.mark.parametrize("weight", [3, (1 << 24) + 1, (1 << 27) + 1, (1 << 45) + 4])
def test_sums_are_exact_whatever_the_weights(weight, adding):
    """w - (w - 1) = 1 for every width: through float32, through float64, and beyond both in int64."""
    net = small(weight, payload_bits=12 if weight > 1 << 25 else 0, threshold=(1 << 31) - 1, reset=int(Reset.NONE))
    scale = 4095 if net.inputs[0].payload_bits else 1
    result = golden_network.run(net, {"in": np.full((3, 5, 2), scale)})
    assert result.values["p"].tolist() == [[[scale * (step + 1)] for step in range(5)]] * 3


def test_places_are_those_of_all_events():
    rng, pairs = np.random.default_rng(3), 0
    for width, density in itertools.product((1, 16, 24, 49, 1000), (0, 0.003, 0.02, 0.06, 0.3, 1)):
        events = rng.random((40, 2 * width)) < density
        for some in (events, events[:, ::2], events[:7], events.astype(np.int64) * -3):
            assert np.array_equal(golden_network._places(some), np.flatnonzero(some))
            pairs += some.dtype == bool and some.size % 16 == 0 and 0 < np.count_nonzero(some) * 32 < some.size
    assert pairs > 10


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.uint16, np.int64])
def test_inputs_of_any_integer_type_are_the_same(dtype, adding):
    events = np.random.default_rng(5).integers(0, 2, (4, 6, 4))
    strided = np.zeros((4, 6, 8), dtype)[:, :, ::2]
    strided[...] = events
    weights = np.array([[1], [-2], [3], [1]])
    net = replace(small(threshold=2), inputs=(Input("in", 4),), projections=(Projection("in", "p", weights),))
    found, expected = (golden_network.run(net, {"in": some}) for some in (strided, events))
    assert np.array_equal(found.values["p"], expected.values["p"])
    assert found.counts == expected.counts
    assert found.operations == expected.operations
    assert found.counts["p"] > 3


def test_delayed_input_starts_with_silence():
    net = small(threshold=1000)
    net = replace(net, projections=(replace(net.projections[0], delay=2),))
    events = np.zeros((1, 5, 2), int)
    events[0, [0, 3, 4], 0] = 1
    result = golden_network.run(net, {"in": events})
    assert result.values["p"][0, :, 0].tolist() == [0, 0, 1, 1, 1]
    assert (result.operations, result.counts["in"]) == ((1,), 3)


def test_sums_beyond_62_bits_are_refused():
    with pytest.raises(InputError, match=r"projection in -> p: its sums reach .*, more than 62 bits hold"):
        golden_network.run(small(1 << 62), {"in": np.zeros((1, 1, 2), int)})
    with pytest.raises(InputError, match=r"population 'p': its input reaches .*, more than 62 bits hold"):
        golden_network.run(small(1 << 50, exponent=15), {"in": np.zeros((1, 1, 2), int)})


def test_chunks_and_functions_change_nothing():
    rng = np.random.default_rng(7)
    net = small(2, threshold=1)
    events = rng.integers(0, 2, (2500, 3, 2))
    whole = golden_network.run(net, {"in": events}, record=["p"])
    progress, slices = [], []

    def feed(start: int, stop: int) -> np.ndarray:
        slices.append((start, stop))
        return events[start:stop]

    fed = golden_network.run(net, {"in": feed}, record=["p"], samples=2500, progress=lambda *at: progress.append(at))
    assert np.array_equal(whole.spikes["p"], fed.spikes["p"])
    assert whole.counts == fed.counts
    assert fed.counts["p"] == int(fed.spikes["p"].sum()) > 0
    assert progress == [(1024, 2500), (2048, 2500), (2500, 2500)]
    assert len(slices) == 4
    one = [golden_network.run(net, {"in": events[[k]]}, record=["p"]).spikes["p"][0] for k in (0, 1500, 2499)]
    assert np.array_equal(np.stack(one), whole.spikes["p"][[0, 1500, 2499]])


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ({}, "input 'in' is missing; 'small' has in"),
        ({"in": np.zeros((1, 1, 2), int), "im": 0}, "input 'im' is unknown; 'small' has in"),
        ({"in": np.zeros((1, 2), int)}, r"inputs have shape (samples, steps, n), not (1, 2)"),
        ({"in": np.zeros((1, 4, 3), int)}, r"input 'in' has shape (1, 4, 3), not (samples, steps, n) = (1, 4, 2)"),
        ({"in": np.full((1, 1, 2), 2)}, "input 'in' holds 0..1, not 2"),
        ({"in": np.full((1, 1, 2), -1)}, "input 'in' holds 0..1, not -1"),
        ({"in": np.zeros((1, 1, 2))}, "input 'in' holds float64, not integers"),
        ({"in": lambda a, b: np.zeros((b - a, 1, 2), int)}, "the number of samples is not known: no input is an array"),
    ],
)
def test_wrong_inputs_are_refused(events, message):
    with pytest.raises(InputError) as error:
        golden_network.run(small(), events)
    assert str(error.value) == message


def test_unknown_population_to_record_is_refused():
    with pytest.raises(InputError, match="there is no population 'q' to record; there are p"):
        golden_network.run(small(), {"in": np.zeros((1, 1, 2), int)}, record=["q"])
