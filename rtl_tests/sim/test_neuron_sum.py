"""The sum in hardware equals the golden model, for every narrow input."""

from neurogen.spec.config import NeuronConfig
from rtl_tests.sim.neuron_bench import all_rows, check, whole


def test_every_input_becomes_the_state_whatever_it_was():
    rows = all_rows(v=whole(4), current=whole(6))
    after = check(NeuronConfig.parse({"model": "sum", "state_bits": {"v": 4}, "parameters": {}}), 6, rows)
    assert set(after["v"]) == set(whole(4)) and {True, False} == set(after["spike"])


def test_a_wide_state_holds_every_sum():
    rows = all_rows(v=[0, -9], current=whole(5))
    after = check(NeuronConfig.parse({"model": "sum", "state_bits": {"v": 8}, "parameters": {}}), 5, rows)
    assert (after["v"] == rows["current"]).all()
