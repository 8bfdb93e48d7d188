"""A tick of one core takes exactly the clocks that the cycle model says; one of a mesh never takes fewer."""

from collections import Counter

import pytest

from golden.cycles import CoreActivity
from neurogen.flow import simulators
from neurogen.tb.checker import Checker
from rtl_tests.property_cases import case
from rtl_tests.property_run import build, run

SEED = 5
CASES = {"lif_1x1": 16, "cuba_1x1_block": 16, "if_1x1_values": 20}
REACHED = {
    "lif_1x1": ("encoder full", "idle", "several ranges", "neurons without routes"),
    "cuba_1x1_block": ("idle", "several ranges"),
    "if_1x1_values": ("values", "host slower than routes", "encoder full"),
}
"""What each fabric's ticks must have reached, beyond what those of all must."""


def features(activity: CoreActivity) -> dict[str, bool]:
    """What is remarkable about a tick."""
    packets, words = activity.packets, activity.words
    return {
        "no events": not len(activity.passes),
        "idle": not len(activity.passes) and not len(activity.visited),
        "several ranges": len(set(activity.passes.tolist())) > 1,
        "spikes": len(packets) > 0,
        "several routes": (packets > 1).any(),
        "neurons without routes": (packets == 0).any(),
        "packets to core and host": 0 in words and 1 in words,
        "values": 2 in words,
        "encoder full": len(activity.vectors) > 3 and activity.emit_cycles > activity.update_cycles + 3,
        "host slower than routes": words.sum() > activity.emit_cycles + 12,
    }


def reached(fabric: str, count: int) -> Counter:
    """The ticks of the first ``count`` cases, and how many of them have each feature."""
    found = Counter()
    for index in range(count):
        drawn = case(fabric, SEED, index)
        samples = len(next(iter(drawn.inputs.values())))
        whole = drawn.mode == "overlapped"
        parts = [drawn.inputs] if whole else [{k: v[i] for k, v in drawn.inputs.items()} for i in range(samples)]
        checker = Checker(drawn.image)
        ticks = [e.tick for part in parts for e in checker.plan(part, drawn.mode).expectations if e.tick]
        found["ticks"] += len(ticks)
        for tick in ticks:
            found.update(name for name, is_so in features(tick.activity(0)).items() if is_so)
    return found


@pytest.mark.parametrize("fabric", CASES)
def test_a_tick_of_one_core_takes_the_clocks_of_the_model(fabric, tmp_path):
    found = reached(fabric, CASES[fabric])
    print(f"seed {SEED}: {dict(found)}")
    simulator = "icarus" if "icarus" in simulators.installed() else simulators.installed()[0]
    counts = run(build(fabric), simulator, SEED, 0, CASES[fabric], tmp_path / "run", disturbed=False)
    assert counts["exact ticks"] == found["ticks"] > 150
    common = ("no events", "spikes", "several routes", "packets to core and host")
    for name in (*common, *REACHED[fabric]):
        assert found[name] > 5, f"{name}: only {found[name]} ticks; {dict(found)}"
