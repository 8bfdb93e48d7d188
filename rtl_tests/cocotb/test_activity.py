"""Clocks and toggles as the curves of docs/performance.md measure them, and the clocks of an image, on a small core."""

import numpy as np
import pytest

from neurogen import compiler
from neurogen.flow import activity
from neurogen.flow.bench import clocks, designs
from neurogen.flow.target import Target
from neurogen.spec.config import CoreConfig, FabricConfig
from rtl_tests.cocotb.simulators import needs

CORE, SEED = CoreConfig(axons=16, neurons=16, lanes=4, banks=2, update_lanes=2, delay_slots=4), 1


def test_clocks_are_the_model_s_and_toggles_grow_with_events():
    needs("verilator")
    image = activity.image_of(CORE)
    silent, some, all_ = (activity.point(image, part, SEED, True, toggles=True) for part in (0, 0.25, 1))
    for point in (silent, some, all_):
        assert point.simulated_clocks == point.clocks
    assert (silent.events, some.events, all_.events) == (0, 4, 16) and all_.spikes > 1
    assert silent.clocks < some.clocks < all_.clocks
    assert 20 * silent.toggles < some.toggles < all_.toggles, "a core without events hardly toggles"


def test_clocks_of_an_image_are_those_of_its_ticks_and_little_more():
    needs("verilator")
    image, network = activity.image_of(CORE), clocks.crossbar(CORE)
    target = Target("crossbar", "", network, image)
    spikes = (np.random.default_rng(SEED).random((2, designs.STEPS, CORE.axons)) < 0.1).astype(np.uint8)
    found = designs.image_cycles(target, spikes)
    words = spikes.sum() / 2 + 2 * designs.STEPS
    assert words < found < 100 * designs.STEPS


def test_copies_of_a_network_take_fewer_clocks_an_image_together():
    needs("verilator")
    network, (width, height) = clocks.crossbar(CORE), (2, 1)
    spikes = (np.random.default_rng(SEED).random((4, designs.STEPS, CORE.axons)) < 0.1).astype(np.uint8)
    mesh = FabricConfig(width=width, height=height, lines=2 * CORE.neurons, core=CORE)
    one, two = (
        Target("copies", "", network, compiler.compile(network, config))
        for network, config in ((network, clocks.alone(mesh)), (designs.copies(network, 2), mesh))
    )
    assert [item.name for item in two.network.inputs] == ["axons_0", "axons_1"]
    assert designs.overlapped_cycles(two, spikes) < 0.8 * designs.overlapped_cycles(one, spikes)


def test_clocks_that_differ_from_the_model_s_are_an_error(monkeypatch):
    needs("verilator")
    image = activity.image_of(CORE)
    right = activity.Fabric

    class Slow(right):
        def tick(self):
            tick = super().tick()
            monkeypatch.setattr(type(tick), "tick_cycles", lambda self: 1)
            return tick

    monkeypatch.setattr(activity, "Fabric", Slow)
    with pytest.raises(activity.CheckError, match=r"^activity 0.25, tick 0: \d+ clocks in Verilog, 1 by the model$"):
        activity.point(image, 0.25, SEED, True)
