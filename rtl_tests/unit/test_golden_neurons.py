"""Golden neurons against other people's emulators and against a scalar twin."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import golden
from golden import neurons
from neurogen.spec import neurons as spec_neurons
from neurogen.spec.errors import InputError
from neurogen.spec.fixed import Leak, Overflow, Reset
from rtl_tests import scalar_twin
from rtl_tests.shared import shared

RECORDS = {
    "loihi_lava": "cuba_lif",
    "loihi_nengo": "cuba_lif",
    "loihi_nengo_refractory3": "cuba_lif",
    "truenorth_paibox_hard_saturate": "truenorth",
    "truenorth_paibox_linear_reset": "truenorth",
    "truenorth_paibox_none_saturate": "truenorth",
    "truenorth_ranc_hard": "truenorth",
}


@pytest.mark.parametrize("name", RECORDS)
def test_published_traces_are_reproduced(name):
    record = json.loads(shared(f"references/{name}.json").read_text())
    assert record["model"] == RECORDS[name]
    if record["model"] not in neurons.models():
        with pytest.raises(
            InputError, match=f"there is no neuron model '{record['model']}'; there are cuba_lif, if, lif"
        ):
            golden.replay(record)
        return
    traces = golden.replay(record)
    assert sum(traces["spike"]) >= 5
    for register, expected in record["expected"].items():
        assert traces[register] == expected


def test_every_published_trace_is_listed():
    assert sorted(path.stem for path in shared("references").glob("*.json")) == sorted(RECORDS)


def test_models_are_those_of_the_specification():
    assert list(neurons.models()) == list(spec_neurons.models()) != []


def test_replay_names_an_unknown_parameter():
    record = {"model": "if", "parameters": {"treshold": 3}, "synaptic_input": [1]}
    with pytest.raises(InputError, match="record: if has no parameter 'treshold'; it has exponent, bias, threshold"):
        golden.replay(record)


WIDTHS = {"u": 6, "v": 7, "refractory": 8}


@st.composite
def neuron_cases(draw, model: str):
    """Parameters, each for all neurons or for one, states from the whole range, and inputs beyond it."""
    count = draw(st.integers(1, 4))
    parameters = {}
    for parameter in spec_neurons.model(model).PARAMETERS:
        low, high = parameter.field(WIDTHS).range
        high = min(high, parameter.maximum if parameter.maximum is not None else high, 5000)
        values = st.sampled_from(list(parameter.choices)).map(int) if parameter.choices else st.integers(low, high)
        if draw(st.booleans()):
            parameters[parameter.name] = draw(values)
        else:
            parameters[parameter.name] = np.array(draw(st.lists(values, min_size=count, max_size=count)))
    state = {
        register.name: np.array(draw(st.lists(st.integers(*register_range(register)), min_size=count, max_size=count)))
        for register in spec_neurons.model(model).STATE
    }
    currents = st.lists(st.integers(-90, 90), min_size=count, max_size=count).map(np.array)
    return parameters, state, draw(st.lists(currents, min_size=1, max_size=8))


def at_the_lowest(model: str):
    """A neuron that stays for four steps at the one value that only wrapping reaches."""
    spec = spec_neurons.model(model)
    wanted = {"leak": Leak.NONE, "decay_v": 0, "threshold": 63, "reset": Reset.NONE}
    wanted |= {"overflow": Overflow.WRAP, "v_overflow": Overflow.WRAP}
    parameters = {p.name: int(wanted.get(p.name, p.default)) for p in spec.PARAMETERS}
    state = {register.name: np.array([-64 if register.name == "v" else 0]) for register in spec.STATE}
    return parameters, state, [np.array([0])] * 4


def register_range(register) -> tuple[int, int]:
    half = 1 << (WIDTHS[register.name] - 1)
    return (-half, half - 1) if register.signed else (0, 3)


@pytest.mark.parametrize("model", list(neurons.models()))
def test_step_is_the_equation(model):
    seen = dict.fromkeys(("spike", "top", "bottom", "lowest"), 0)
    if "refractory" in [state.name for state in spec_neurons.model(model).STATE]:
        seen["held"] = 0

    @settings(max_examples=400, deadline=None, derandomize=True)
    @example(at_the_lowest(model))
    @given(neuron_cases(model))
    def check(case):
        parameters, state, currents = case
        for current in currents:
            after, spike = neurons.model(model).step(state, parameters, current.astype(np.int64), WIDTHS)
            for i in range(len(current)):
                own = {k: int(v[i]) if np.ndim(v) else int(v) for k, v in parameters.items()}
                twin, fired = scalar_twin.STEP[model](
                    {k: int(v[i]) for k, v in state.items()}, own, int(current[i]), WIDTHS
                )
                assert {k: int(v[i]) for k, v in after.items()} == {k: twin[k] for k in after}
                assert bool(spike[i]) == fired
            seen["spike"] += int(spike.sum())
            if "held" in seen:
                seen["held"] += int((state["refractory"] > 0).sum())
            seen["top"] += int((after["v"] == 63).sum())
            seen["bottom"] += int((after["v"] == -63).sum())
            seen["lowest"] += int((after["v"] == -64).sum())
            state = after

    check()
    print(seen)
    assert min(seen.values()) >= 3, seen


def test_current_wraps_to_plus_half_the_range():
    parameters = {p.name: p.default for p in spec_neurons.model("cuba_lif").PARAMETERS} | {"decay_u": 0}
    state = neurons.model("cuba_lif").initial(parameters, (1,))
    widths = {"u": 4, "v": 8, "refractory": 0}
    for current, v in ((8, 8), (0, 16), (1, 9)):  # u = 8, 8, then 9 - 16 = -7
        parameters["threshold"] = 100
        state, _ = neurons.model("cuba_lif").step(state, parameters, np.array([current]), widths)
        assert state["v"].tolist() == [v]
    assert state["u"].tolist() == [-7]
