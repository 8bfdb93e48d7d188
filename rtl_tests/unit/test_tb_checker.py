"""The checker passes what the golden model says, and names what is different: every kind of damage is found."""

import numpy as np
import pytest

from neurogen.host import codec
from neurogen.spec.words import Response
from neurogen.tb.checker import Checker, Mismatch
from neurogen.tb.plan import MODES, Planner, silence
from rtl_tests import property_cases
from rtl_tests.golden_port import GoldenPort
from rtl_tests.random_cases import Case, random_case
from rtl_tests.random_networks import FABRICS

SEED = 3


def answers(case: Case, mode: str = "stepped", seed: int | None = None):
    """A checker, a plan for one sample (all where they overlap) and a right fabric's answers."""
    planner = Planner(case.image, seed=seed)
    inputs = case.inputs if mode == "overlapped" else {name: values[0] for name, values in case.inputs.items()}
    plan = planner.plan(inputs, mode)
    return (
        Checker(case.image),
        plan,
        codec.Decoder(case.image.config).decode(GoldenPort(case.image).execute(plan.words)),
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FABRICS)
def test_a_right_fabric_passes(name, mode):
    case = next(c for c in (random_case(name, s) for s in range(50)) if c.image.overlappable or mode != "overlapped")
    checker, plan, records = answers(case, mode)
    found = checker.check(plan, records)
    steps = 18 if mode == "overlapped" else 6
    assert found.ticks == steps * case.image.step_ticks + case.image.depth
    assert found.states and found.counters and found.tick_cycles >= found.bound_cycles > 0


def test_offsets_of_counters_are_learnt_once():
    case = random_case("lif_1x1", SEED)
    planner, checker = Planner(case.image), Checker(case.image)
    port, decoder = GoldenPort(case.image), codec.Decoder(case.image.config)
    port.fabric.count_flits((0, 0, 0, 0), 1000)  # loading took some
    for sample in range(3):
        plan = planner.plan({name: values[sample] for name, values in case.inputs.items()})
        assert checker.check(plan, decoder.decode(port.execute(plan.words))).ticks


@pytest.mark.parametrize("mode", MODES)
def test_events_sent_early_change_no_answer(mode, monkeypatch):
    """Some are sent as early as the fabric takes them, some right before their tick."""
    cases = (property_cases.case("lif_2x2_values", SEED, index) for index in range(50))
    case = next(
        c for c in cases if c.mode == "overlapped" and sum(np.count_nonzero(v[0]) for v in c.inputs.values()) > 20
    )
    leads, ordered, events, advance = [], [], codec.events, codec.advance
    monkeypatch.setattr(codec, "advance", lambda config: ordered.append(0) or advance(config))
    monkeypatch.setattr(codec, "events", lambda c, due, f: leads.append(due - len(ordered)) or events(c, due, f))
    checker, plan, records = answers(case, mode, seed=SEED)
    assert checker.check(plan, records).ticks
    assert max(leads) == case.image.config.core.delay_slots - 2 and 0 in leads


def damage(records: codec.Records, kind: Response, pick: int, column: str, change) -> codec.Records:
    columns = {name: values.copy() for name, values in vars(records).items()}
    at = np.flatnonzero(records.kind == kind)[pick]
    columns[column][at] = change(columns[column][at])
    return codec.Records(**columns)


def without(records: codec.Records, kind: Response, pick: int) -> codec.Records:
    return records[np.delete(np.arange(len(records)), np.flatnonzero(records.kind == kind)[pick])]


@pytest.fixture(scope="module")
def spiking():
    for seed in range(50):
        case = random_case("lif_1x1", seed)
        parts = answers(case)
        if (parts[2].kind == Response.SPIKE).sum() > 3:
            return parts
    raise AssertionError("no random case spikes")


DAMAGE = {
    "lost spike": (lambda r: without(r, Response.SPIKE, 2), "output spikes"),
    "doubled spike": (lambda r: r[np.sort(np.append(np.arange(len(r)), np.flatnonzero(r.kind == Response.SPIKE)[1]))],
                      "output spikes"),
    "wrong line": (lambda r: damage(r, Response.SPIKE, 0, "value", lambda v: v ^ 1), "output spikes"),
    "wrong tick": (lambda r: damage(r, Response.TICK_DONE, 3, "value", lambda v: v + 1), "tick number"),
    "too fast": (lambda r: damage(r, Response.TICK_DONE, 3, "extra", lambda v: 0), "clocks of the tick"),
    "lost tick": (lambda r: without(r, Response.TICK_DONE, -1), "answer"),
    "lost reply": (lambda r: without(r, Response.REPLY, 100), None),
    "no reset": (lambda r: without(r, Response.RESET_DONE, 1), "answer"),
    "refused event": (lambda r: damage(r, Response.PEEKED, 0, "extra", lambda v: 1), "REFUSED"),
    "extra word": (lambda r: r[np.append(np.arange(len(r)), 0)], "words after the last answer"),
    "cut off": (lambda r: r[: len(r) // 2], None),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(spiking, name):
    checker, plan, records = spiking
    change, what = DAMAGE[name]
    with pytest.raises(Mismatch) as error:
        checker.check(plan, change(records), sample=7)
    assert error.value.where["sample"] == 7 and what in (None, error.value.where["what"])


def test_one_core_takes_exactly_its_clocks_unless_words_were_stalled(spiking):
    checker, plan, records = spiking
    found = checker.check(plan, records, stalled=False)
    assert found.exact_ticks == found.ticks > 0
    slow = damage(records, Response.TICK_DONE, 3, "extra", lambda v: v + 1)
    assert checker.check(plan, slow).exact_ticks == 0
    with pytest.raises(Mismatch, match=r"^what clocks of the tick, sample 0, tick 3, expected \d+, got \d+$"):
        checker.check(plan, slow, stalled=False)


def test_every_flipped_bit_of_states_and_counters_in_use_is_found(spiking):
    checker, plan, records = spiking
    rng = np.random.default_rng(SEED)
    found = {"state": 0, "counter": 0, "initial": 0, "nothing": 0}
    for pick in rng.integers((records.kind == Response.REPLY).sum() // 2, (records.kind == Response.REPLY).sum(), 150):
        changed = damage(records, Response.REPLY, pick, "value", lambda v: v ^ 1 << int(rng.integers(16)))
        try:
            checker.check(plan, changed)
            found["nothing"] += 1  # a bit that no neuron in use owns
        except Mismatch as mismatch:
            found[mismatch.where["what"].split()[0]] += 1
    assert found["state"] > 5 and found["counter"] > 20 and found["initial"] and found["nothing"] < 110, found


def test_silence_is_explained():
    case = random_case("lif_1x1", SEED)
    config, image = case.image.config, case.image
    lanes = config.core.groups * config.core.lanes
    everything, reached = np.ones(lanes, dtype=bool), np.ones(1, dtype=bool)
    assert silence(image, everything, reached) is None
    assert silence(image, ~everything, reached) == "no neuron fired"
    assert silence(image, everything, ~reached) == "no event reached core 0"
    place = max(image.placements, key=lambda p: p.count)
    few = everything.copy()
    few[place.places[2:]] = False
    assert silence(image, few, reached) == f"only 2 of {place.count} neurons of population {place.population!r} fired"
