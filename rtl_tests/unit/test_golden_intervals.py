"""Updates in narrow integers: the same as in int64 up to the last input that is proved, and no longer far beyond it."""

from collections import Counter

import numpy as np
import pytest

from golden import intervals, neurons
from golden import network as golden_network
from neurogen.spec import neurons as spec_neurons
from rtl_tests.random_networks import FABRICS, random_events, random_network

NEURONS = 64
SEEDS = range(120)


def random_parameters(model: str, widths: dict[str, int], rng) -> dict[str, int | np.ndarray]:
    """Each for all neurons or for one; ends of the range, small values and any others."""
    found = {}
    for parameter in spec_neurons.model(model).PARAMETERS:
        low, high = parameter.field(widths).range
        high = min(high, parameter.maximum if parameter.maximum is not None else high)
        values = [int(c) for c in parameter.choices or ()] or [
            low,
            high,
            min(1, high),
            int(rng.integers(low, high + 1)),
        ]
        drawn = rng.choice(np.array(values), NEURONS)
        found[parameter.name] = drawn if rng.random() < 0.3 else int(drawn[0])
        if parameter.name in ("exponent", "leak_shift") and rng.random() < 0.7:
            found[parameter.name] = int(rng.integers(0, 5))
    return found


def random_state(model: str, widths: dict[str, int], rng) -> dict[str, np.ndarray]:
    """Both ends of every register, 0, and anything between."""
    found = {}
    for register in spec_neurons.model(model).STATE:
        half = 1 << (widths[register.name] - register.signed)
        low, high = (-half if register.signed else 0), half - 1
        values = rng.integers(low, high + 1, (8, NEURONS))
        found[register.name] = np.where(
            rng.random(values.shape) < 0.5, rng.choice([low, high, 0], values.shape), values
        )
    return found


def last_proved(dtype: type, *arguments) -> int | None:
    """The largest input for which ``dtype`` or a narrower type is proved."""

    def fits(largest: int) -> bool:
        return np.iinfo(intervals.narrowest(*arguments, largest)).max <= np.iinfo(dtype).max

    if not fits(0):
        return None
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def differs(dtype: type, model, parameters, widths, largest: int, rng) -> bool:
    """Whether a few updates in ``dtype`` are not those in int64."""
    typed = {name: np.asarray(value, dtype)[()] for name, value in parameters.items()}
    wide = random_state(model.NAME, widths, rng)
    narrow = {name: values.astype(dtype) for name, values in wide.items()}
    for _ in range(3):
        current = rng.choice([-largest, largest, 0, int(rng.integers(-largest, largest + 1))], (8, NEURONS))
        with np.errstate(over="ignore"):
            narrow, spikes = model.step(narrow, typed, current.astype(dtype), widths)
        wide, expected = model.step(wide, parameters, current, widths)
        assert {values.dtype for values in narrow.values()} == {np.dtype(dtype)}
        if not np.array_equal(spikes, expected) or any(not np.array_equal(narrow[k], wide[k]) for k in wide):
            return True
    return False


@pytest.mark.parametrize("name", list(neurons.models()))
def test_narrow_updates_are_exact_up_to_the_last_proved_input(name):
    model, seen = neurons.model(name), Counter()
    for seed in SEEDS:
        rng = np.random.default_rng([seed, *name.encode()])
        for dtype, bits in ((np.int16, (3, 15)), (np.int32, (10, 31))):
            widths = {s.name: int(rng.integers(*bits)) if s.signed else s.bits for s in spec_neurons.model(name).STATE}
            parameters = random_parameters(name, widths, rng)
            largest = last_proved(dtype, model, parameters, widths)
            seen[dtype.__name__, largest is not None] += 1
            if largest is not None:
                assert not differs(dtype, model, parameters, widths, largest, rng), (seed, parameters, widths, largest)
                beyond = 2 * largest + 3
                seen["beyond", dtype.__name__] += differs(dtype, model, parameters, widths, beyond, rng)
    print(seen)
    for dtype in ("int16", "int32"):
        assert seen[dtype, True] >= 20, seen
        assert seen["beyond", dtype] >= 5 or name == "sum", seen  # a sum wraps, so it may do so earlier
        assert seen[dtype, False] >= 5 or name in ("if", "sum"), seen  # without products, some input always fits


def test_networks_are_the_same_in_int64(monkeypatch):
    seen = Counter()
    proved = intervals.narrowest

    def noted(*arguments):
        seen[proved(*arguments).__name__] += 1
        return proved(*arguments)

    monkeypatch.setattr(intervals, "narrowest", noted)
    for name in ("lif_1x1", "cuba_3x2", "cuba_1x1_block", "relays_2x2", "lif_2x2_values"):
        for seed in range(6):
            rng = np.random.default_rng([seed, *name.encode()])
            net = random_network(FABRICS[name], rng)
            events = {item.name: random_events(item, rng, 3, 9, density=0.4) for item in net.inputs}
            found = []
            for types in (intervals.TYPES, (np.int64,)):
                with monkeypatch.context() as patch:
                    patch.setattr(intervals, "TYPES", types)
                    found.append(golden_network.run(net, events, record=net.order))
            narrow, wide = found
            assert (narrow.counts, narrow.operations) == (wide.counts, wide.operations)
            for a, b in ((narrow.spikes, wide.spikes), (narrow.values, wide.values)):
                assert a.keys() == b.keys()
                assert all(np.array_equal(a[population], b[population]) for population in a), seed
            seen["spikes"] += sum(wide.counts.values())
    print(seen)
    assert min(seen[name] for name in ("int16", "int32", "int64")) >= 10, seen
    assert seen["spikes"] > 1000, seen


def test_a_step_that_branches_between_neurons_is_refused():
    with pytest.raises(TypeError, match="a step must not branch on what is not the same for all neurons"):
        bool(intervals.Interval(0, 1, set()))
