"""The CUBA-LIF neuron in hardware equals the golden model: everywhere when narrow, at random when wide."""

import numpy as np
import pytest

from neurogen.spec.config import NeuronConfig
from neurogen.spec.fixed import Compare, Overflow, Reset, Rounding
from neurogen.spec.neurons import cuba_lif
from rtl_tests.sim.neuron_bench import all_rows, check, random_rows, whole

TABLES = {parameter.name: "per_neuron" for parameter in cuba_lif.PARAMETERS}


def config(u, v, **parameters):
    return NeuronConfig.parse({"model": "cuba_lif", "state_bits": {"u": u, "v": v}, "parameters": parameters})


def test_every_narrow_current_and_membrane():
    tables = dict.fromkeys(("u_overflow", "v_overflow", "rounding", "reset"), "per_neuron")
    rows = all_rows(
        u=whole(3), v=whole(4), refractory=[0], current=whole(4),
        u_overflow=Overflow, v_overflow=Overflow, rounding=Rounding, reset=[Reset.NONE, Reset.ZERO],
    )  # fmt: skip
    after = check(config(3, 4, decay_u=1500, decay_v=800, threshold=3, **tables), 4, rows)
    for mode, lowest in ((Overflow.SATURATE, -3), (Overflow.WRAP, -4)):
        assert {lowest, 3} == {f(after["u"][rows["u_overflow"] == mode]) for f in (min, max)}
    for mode, lowest in ((Overflow.SATURATE, -7), (Overflow.WRAP, -8)):
        assert {lowest, 7} == {f(after["v"][rows["v_overflow"] == mode]) for f in (min, max)}
    assert 0.1 < after["spike"].mean() < 0.9


def test_the_lowest_code_of_a_wrapping_current_drives_the_membrane_upwards():
    neuron = config(8, 12, decay_u=0, threshold=2000, reset="none")
    rows = all_rows(u=[0, 100, -128], v=[0], refractory=[0], current=[0, 28])
    after = check(neuron, 8, rows)
    at = {(int(u), int(i)): index for index, (u, i) in enumerate(zip(rows["u"], rows["current"], strict=True))}
    assert after["u"][at[100, 28]] == -128 and after["v"][at[100, 28]] == 128
    assert after["u"][at[-128, 0]] == -128 and after["v"][at[-128, 0]] == 128
    assert after["u"][at[-128, 28]] == -100 and after["v"][at[-128, 28]] == -100


@pytest.mark.parametrize(("u", "v"), [(24, 24), (16, 20), (20, 16)])
def test_random_rows_with_every_parameter_in_a_table(u, v):
    rng = np.random.default_rng(seed := u * v)
    print(f"seed {seed}")
    rows = random_rows(config(u, v, **TABLES), 12, 4000, rng)
    after = check(config(u, v, **TABLES), 12, rows)
    limit = (1 << (v - 1)) - 1
    saturates = rows["v_overflow"] == Overflow.SATURATE
    assert (after["v"][saturates] == limit).sum() > 30 and (after["v"][saturates] == -limit).sum() > 30
    assert (rows["u"] == -1 << (u - 1))[rows["u_overflow"] == Overflow.WRAP].sum() > 30
    for reset in Reset:
        for compare in Compare:
            assert after["spike"][(rows["reset"] == reset) & (rows["compare"] == compare)].sum() > 50
    assert (after["refractory"] > rows["refractory"]).sum() > 100


@pytest.mark.parametrize("reset", [reset.name.lower() for reset in Reset])
def test_constants_fold_into_the_same_neuron(reset):
    rng = np.random.default_rng(seed := len(reset))
    print(f"seed {seed}")
    for decay_u, decay_v in ((4096, 0), (0, 4096), (1024, 128), (3000, 2500)):
        for overflow in Overflow:
            neuron = config(
                12, 14, decay_u=decay_u, decay_v=decay_v, rounding=int(rng.integers(3)), u_overflow=int(overflow),
                v_overflow=int(rng.integers(2)), compare=int(rng.integers(2)), exponent=int(rng.integers(7)),
                threshold=int(rng.integers(1, 3000)), reset=reset, reset_value=int(rng.integers(-99, 99)),
                refractory_ticks=int(rng.integers(0, 4)), bias=int(rng.integers(-50, 50)),
            )  # fmt: skip
            after = check(neuron, 8, random_rows(neuron, 8, 250, rng))
            assert after["spike"].any() and not after["spike"].all()
