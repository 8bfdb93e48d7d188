"""The IF neuron in hardware equals the golden model: everywhere when narrow, at random when wide."""

import numpy as np

from neurogen.spec.config import NeuronConfig
from neurogen.spec.fixed import Compare, Overflow, Reset, ResetTiming
from neurogen.spec.neurons import if_
from rtl_tests.sim.neuron_bench import all_rows, check, random_rows, whole

TABLES = {parameter.name: "per_neuron" for parameter in if_.PARAMETERS}


def config(bits, **parameters):
    return NeuronConfig.parse({"model": "if", "state_bits": {"v": bits}, "parameters": parameters})


def test_every_narrow_membrane_in_and_out_of_its_refractory_period():
    tables = dict.fromkeys(("reset", "compare", "overflow", "bias", "refractory_ticks"), "per_neuron")
    rows = all_rows(
        v=whole(3), refractory=[0, 1, 3], current=whole(3), bias=[-4, 0, 2], refractory_ticks=[0, 1, 2],
        reset=Reset, compare=Compare, overflow=Overflow,
    )  # fmt: skip
    after = check(config(3, threshold=2, reset_value=-4, **tables), 3, rows)
    held = rows["refractory"] > 0
    assert not after["spike"][held].any() and after["spike"][~held].mean() > 0.15
    assert set(after["refractory"]) == {0, 1, 2}


def test_random_rows_with_every_parameter_in_a_table():
    rng = np.random.default_rng(seed := 5)
    print(f"seed {seed}")
    rows = random_rows(config(16, **TABLES), 12, 4000, rng)
    after = check(config(16, **TABLES), 12, rows)
    saturates = rows["overflow"] == Overflow.SATURATE
    assert {-32767, 32767} <= set(after["v"][saturates]) and -32768 in after["v"][~saturates]
    for timing in ResetTiming:
        assert after["spike"][rows["reset_timing"] == timing].sum() > 100
