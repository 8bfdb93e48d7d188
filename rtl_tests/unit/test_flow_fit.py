"""Fabrics for devices: what fits is estimated as it was measured, the fastest or the smallest is chosen, or none."""

import json

import numpy as np
import pytest

import boards
from neurogen import compiler
from neurogen.compiler.sizing import ANYTHING, Wishes
from neurogen.flow import fit
from neurogen.flow.families import families, family
from neurogen.spec.errors import InputError
from neurogen.spec.network import Input, Network, Output, Population, Projection

CALIBRATION = json.loads(fit.CALIBRATION.read_text())


@pytest.fixture(scope="module")
def digits() -> Network:
    return compiler.quantise(compiler.read(fit.Path(compiler.__file__).parents[1] / "data" / "digits.nir"))


def layer(inputs: int, neurons: int) -> Network:
    """One fully connected layer with random 8-bit weights."""
    weights = np.random.default_rng(3).integers(-127, 128, (inputs, neurons))
    population = Population("out", neurons, "lif", {"threshold": 500}, {"v": 20})
    return Network(
        "layer", (Input("in", inputs),), (population,), (Projection("in", "out", weights),), (Output("out"),)
    )


@pytest.mark.parametrize("name", families())
def test_estimate_is_what_was_measured(name):
    record = CALIBRATION[name]
    assert len(record["designs"]) > len(record["lut"]) - 1 and record["largest_unseen_error"] < 0.15
    for design in record["designs"]:
        estimate = np.dot(record["lut"], design["features"])
        assert estimate == pytest.approx(design["lut"], rel=0.1)
        assert design["ram"] <= design["estimated_ram"] <= 1.5 * design["ram"]


@pytest.mark.parametrize("name", boards.boards())
def test_shipped_network_fits_every_board(name, digits):
    board = boards.board(name)
    found = family(board.platform())
    sizing = fit.fit(digits, ANYTHING, board, name)
    need, device = fit.estimate(sizing.config, found.NAME), found.DEVICES[board.device]
    assert need["lut"] <= device.lut_share * device.lut and need["ram"] <= device.ram
    assert sizing.config.core.image_memories == "block"
    assert any(reason.startswith(f"for {name}, throughput first: about ") for reason in sizing.reasons)


def test_throughput_and_area_are_what_they_say(digits):
    board = boards.board("ulx3s_25f")
    fast, small = (fit.fit(digits, ANYTHING, board, "ulx3s_25f", wish).config for wish in ("throughput", "area"))
    assert fit.cycles(digits, fast) < fit.cycles(digits, small)
    assert fit.estimate(fast, "ecp5")["lut"] > fit.estimate(small, "ecp5")["lut"]


def test_wishes_are_kept(digits):
    board = boards.board("hx8k_breakout")
    core = fit.fit(digits, Wishes(lanes=4, banks=2), board, "hx8k_breakout").config.core
    assert (core.lanes, core.banks) == (4, 2)


def test_counters_give_way_on_a_small_device(digits):
    sizing = fit.fit(digits, ANYTHING, boards.board("icebreaker"), "icebreaker")
    assert sizing.config.core.counter_bits < fit.EXTRAS[0][0]
    assert any("activity counters: the device has no room for wider ones" in reason for reason in sizing.reasons)


def test_network_that_is_too_large_is_refused():
    message = r"^the smallest fabric for layer does not fit icebreaker: \d+ block RAMs of 30, \d[\d,]*% too many;"
    message += r" fewer weight bits may, or tang_nano_9k or tang_primer_20k or colorlight_5a75b$"
    with pytest.raises(InputError, match=message):
        fit.fit(layer(600, 64), Wishes(synapse_memory="block"), boards.board("icebreaker"), "icebreaker")
    assert fit.fit(layer(600, 64), ANYTHING, boards.board("ulx3s_85f"), "ulx3s_85f").config.core.axons == 600


def test_synapses_go_into_spram_where_block_ram_cannot_hold_them(digits):
    sizing = fit.fit(layer(600, 64), ANYTHING, boards.board("icebreaker"), "icebreaker")
    core, need = sizing.config.core, fit.estimate(sizing.config, "ice40")
    assert core.synapse_memory == "spram" and core.image_memories == "any"
    assert 1 <= need["spram"] <= 4 and need["ram"] <= 30
    assert sizing.reasons[-1].startswith(
        "synapses in SPRAM, for the 30 block RAMs cannot hold them; loaded from the board"
    )
    assert fit.fit(digits, ANYTHING, boards.board("icebreaker"), "icebreaker").config.core.synapse_memory == "block"


def test_what_is_asked_for_in_full_is_tried_where_it_may_fit():
    board = boards.board("icebreaker")
    sizing = fit.fit(layer(784, 128), Wishes(lanes=8, banks=1, update_lanes=1), board, "icebreaker")
    core, need = sizing.config.core, fit.estimate(sizing.config, "ice40")["lut"]
    assert 0.9 < need / 5280 <= fit.ASKED
    assert (core.lanes, sizing.config.host_port, core.counter_bits) == (8, "small", 0)
    with pytest.raises(InputError, match=r" LUTs of 4,752, "):
        fit.fit(layer(784, 128), Wishes(lanes=8, banks=1, update_lanes=4), board, "icebreaker")


def test_more_synapses_than_spram_holds_are_refused():
    with pytest.raises(InputError, match=r"^the smallest fabric for layer does not fit upduino_v3: \d+ SPRAMs of 4, "):
        fit.fit(layer(4000, 64), ANYTHING, boards.board("upduino_v3"), "upduino_v3")
