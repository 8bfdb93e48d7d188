"""The overflow proof, against the worst inputs that can be drawn."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurogen.compiler.accumulator import accumulator_bits, extremes, payloads, prove
from neurogen.spec.errors import InputError
from neurogen.spec.fixed import signed_range
from neurogen.spec.network import Input, Network, Output, Population, Projection


def network(feed: np.ndarray, back: np.ndarray, payload_bits: int) -> Network:
    size = feed.shape[1]
    return Network(
        "n",
        (Input("x", len(feed), payload_bits),),
        (Population("p", size, "lif", {}),),
        (Projection("x", "p", feed), Projection("p", "p", back, 1)),
        (Output("p"),),
    )


@given(st.integers(0, 1 << 32), st.integers(0, 3), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_extremes_are_reached_and_never_passed(seed, payload_bits, lines, size):
    rng = np.random.default_rng(seed)
    feed, back = rng.integers(-8, 8, (lines, size)), rng.integers(-8, 8, (size, size))
    found = extremes(network(feed, back, payload_bits), "p")
    largest = max(1, (1 << payload_bits) - 1)
    events = np.array(list(itertools.product((0, largest), repeat=lines)))
    spikes = np.array(list(itertools.product((0, 1), repeat=size)))
    sums = (events @ feed)[:, None] + (spikes @ back)[None]
    np.testing.assert_array_equal(found.positive, np.maximum(sums.max(axis=(0, 1)), 0))
    np.testing.assert_array_equal(found.negative, np.minimum(sums.min(axis=(0, 1)), 0))


def test_the_proof_names_the_neuron_and_the_width_it_needs():
    n = network(np.array([[7, 7], [7, -8]]), np.array([[0, 7], [0, 7]]), 2)
    assert extremes(n, "p").positive.tolist() == [42, 35] and extremes(n, "p").negative.tolist() == [0, -24]
    assert accumulator_bits(n) == 7
    prove(n, 7)
    with pytest.raises(InputError) as error:
        prove(n, 6)
    assert str(error.value) == "the accumulator is too narrow: neuron 0 of 'p' needs 7 bits, accumulator_bits is 6"


@pytest.mark.parametrize("bits", [4, 7, 12])
def test_the_range_is_used_to_its_last_value(bits):
    low, high = signed_range(bits)
    exact = network(np.array([[high, low]]), np.zeros((2, 2), int), 0)
    assert accumulator_bits(exact) == bits
    with pytest.raises(InputError):
        prove(network(np.array([[high + 1, 0]]), np.zeros((2, 2), int), 0), bits)


def test_values_reach_as_far_as_their_register_in_both_directions():
    column = np.array([[3], [-2]])
    net = Network(
        "graded",
        (Input("x", 2),),
        (Population("v", 2, "lif", {}, {"v": 5}, graded=True), Population("p", 1, "lif", {})),
        (Projection("x", "v", np.eye(2, dtype=np.int64)), Projection("v", "p", column)),
        (Output("p"),),
    )
    found = extremes(net, "p")
    assert (found.positive.tolist(), found.negative.tolist()) == ([3 * 15 + 2 * 16], [-3 * 16 - 2 * 15])


def test_sums_that_are_passed_on_are_bounded_by_their_own_weights():
    net = Network(
        "relayed",
        (Input("x", 3, payload_bits=2),),
        (Population("s", 2, "sum", {}, {"v": 9}, graded=True), Population("p", 1, "lif", {})),
        (
            Projection("x", "s", np.array([[1, -1], [2, 0], [-4, 0]])),
            Projection("s", "p", np.array([[1], [-5]])),
        ),
        (Output("p"),),
    )
    low, high = payloads(net, "s")
    assert (low.tolist(), high.tolist()) == ([-12, -3], [9, 0])
    found = extremes(net, "p")
    assert (found.positive.tolist(), found.negative.tolist()) == ([9 + 15], [-12])
