"""The LIF neuron in hardware equals the golden model: everywhere when narrow, at random when wide."""

import numpy as np
import pytest

from neurogen.spec.config import NeuronConfig
from neurogen.spec.fixed import Compare, Leak, Overflow, Reset, ResetTiming, Rounding
from neurogen.spec.neurons import lif
from rtl_tests.sim.neuron_bench import all_rows, check, random_rows, whole

TABLES = {parameter.name: "per_neuron" for parameter in lif.PARAMETERS}


def config(bits, **parameters):
    return NeuronConfig.parse({"model": "lif", "state_bits": {"v": bits}, "parameters": parameters})


@pytest.mark.parametrize("leak", Leak)
def test_every_leak_of_every_narrow_membrane(leak):
    constant = {"leak": leak.name.lower(), "threshold": 7, "reset": "none"}
    rows = {"v": whole(4), "refractory": [0], "current": whole(4), "overflow": Overflow}
    if leak is Leak.SHIFT:
        rows |= {"leak_shift": range(6), "rounding": Rounding}
    if leak is Leak.MULTIPLY:
        rows |= {"decay": [0, 1, 1000, 2048, 4095, 4096], "rounding": Rounding}
    rows = all_rows(**rows)
    tables = dict.fromkeys(set(rows) & set(TABLES), "per_neuron")
    after = check(config(4, **constant, **tables), 4, rows)
    for mode, lowest in ((Overflow.SATURATE, -7), (Overflow.WRAP, -8)):
        assert {lowest, 7} == {f(after["v"][rows["overflow"] == mode]) for f in (min, max)}


def test_every_reset_of_every_narrow_membrane():
    tables = dict.fromkeys(("threshold", "reset", "reset_timing", "compare", "overflow"), "per_neuron")
    rows = all_rows(
        v=whole(3), refractory=[0], current=whole(4), threshold=whole(3),
        reset=Reset, reset_timing=ResetTiming, compare=Compare, overflow=Overflow,
    )  # fmt: skip
    after = check(config(3, leak="none", reset_value=-2, **tables), 4, rows)
    for reset in Reset:
        for timing in ResetTiming:
            spike = after["spike"][(rows["reset"] == reset) & (rows["reset_timing"] == timing)]
            assert 0.2 < spike.mean() < 0.9


@pytest.mark.parametrize("bits", [16, 24])
def test_random_rows_with_every_parameter_in_a_table(bits):
    rng = np.random.default_rng(seed := 11 + bits)
    print(f"seed {seed}")
    rows = random_rows(config(bits, **TABLES), 12, 6000, rng)
    after = check(config(bits, **TABLES), 12, rows)
    limit = (1 << (bits - 1)) - 1
    saturates = rows["overflow"] == Overflow.SATURATE
    assert (after["v"][saturates] == limit).sum() > 50 and (after["v"][saturates] == -limit).sum() > 50
    assert (rows["refractory"] > 0).sum() > 500 and (after["refractory"] > rows["refractory"]).sum() > 200
    for timing in ResetTiming:
        for leak in Leak:
            assert after["spike"][(rows["reset_timing"] == timing) & (rows["leak"] == leak)].sum() > 50


@pytest.mark.parametrize("timing", [timing.name.lower() for timing in ResetTiming])
@pytest.mark.parametrize("reset", [reset.name.lower() for reset in Reset])
def test_constants_fold_into_the_same_neuron(reset, timing):
    rng = np.random.default_rng(seed := 7 * len(reset) + len(timing))
    print(f"seed {seed}")
    for leak in Leak:
        for overflow in Overflow:
            constants = {
                "leak": leak.name.lower(), "leak_shift": int(rng.integers(0, 12)), "decay": int(rng.integers(4097)),
                "rounding": int(rng.integers(3)), "overflow": int(overflow), "compare": int(rng.integers(2)),
                "exponent": int(rng.integers(6)), "threshold": int(rng.integers(1, 500)), "reset": reset,
                "reset_timing": timing, "refractory_ticks": int(rng.integers(0, 4)), "bias": int(rng.integers(-50, 50)),
                "reset_value": int(rng.integers(-99, 99)),
            }  # fmt: skip
            neuron = config(10, **constants)
            rows = random_rows(neuron, 10, 250, rng)
            after = check(neuron, 10, rows)
            assert after["spike"].any() and not after["spike"].all()
