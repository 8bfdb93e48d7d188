"""Whole fabrics as emitted Verilog: equal to the golden model, clean under every tool, and damage is found."""

import re

import numpy as np
import pytest

from neurogen.flow import lint
from neurogen.flow.build import build
from neurogen.flow.emit import Emitted, overlay
from neurogen.flow.simulate import engines, simulate
from neurogen.flow.target import resolve
from neurogen.flow.verify import verify
from neurogen.spec.config import FabricConfig
from neurogen.spec.errors import CheckError
from rtl_tests import shipped
from rtl_tests.cocotb.simulators import SIMULATORS, needs
from rtl_tests.random_networks import STORES

SEED = 3
FOUR_BITS = {"quantise": {"weight_bits": 4}}
MESH = {"quantise": {"weight_bits": 4}, "size": {"width": 2, "height": 1, "programmable": True}}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return build(None, tmp_path_factory.mktemp("build") / "digits", FOUR_BITS).directory


@pytest.mark.parametrize("name", SIMULATORS)
def test_digits_equal_the_golden_model(digits, name):
    (found,) = verify(digits, simulators=[needs(name)], samples=2 if name == "icarus" else 20, seed=SEED)
    assert re.fullmatch(r"verified: \d+ ticks, \d+ spikes, \d+ states, 0 mismatches", str(found))
    s = found.statistics
    assert s.ticks > 60 and s.spikes > 500 and s.outputs > 50 and s.states > 5000 and s.counters


def test_digits_loaded_into_a_mesh_equal_the_golden_model():
    (found,) = verify(None, simulators=[needs("verilator")], samples=4, seed=SEED, options=MESH)
    assert found.statistics.spikes > 500


def test_all_engines_write_the_same(digits, tmp_path):
    x = shipped.first(6, tmp_path)
    for engine in engines():
        if engine in SIMULATORS:
            needs(engine)
        simulate(digits, x, tmp_path / f"{engine}.npz", engine, seed=SEED)
    written = {(tmp_path / f"{engine}.npz").read_bytes() for engine in engines()}
    assert len(written) == 1 and len(engines()) == 4
    with np.load(tmp_path / "network.npz") as found:
        assert found["spikes"].shape == (6, 16, 10) and found["spikes"].sum() > 30


@pytest.mark.parametrize("options", [FOUR_BITS, MESH])
def test_emitted_verilog_is_accepted_without_a_warning(options):
    for name in SIMULATORS:
        needs(name)
    lint.lint(resolve(None, options).emitted)


@pytest.mark.parametrize("name", ["conv_2x2", "sparse_2x2"])
def test_every_synapse_store_is_accepted_without_a_warning(name):
    lint.lint(overlay(STORES[name]))


@pytest.mark.parametrize("store", ["dense", "conv", "sparse"])
def test_one_neuron_with_one_synapse_is_emitted(store):
    one = dict.fromkeys(("axons", "neurons", "lanes", "banks", "update_lanes", "routes"), 1)
    found = overlay(FabricConfig.parse({"lines": 1, "core": {**one, "store": store}}))
    assert "endmodule" in found.verilog


def test_the_linter_sees_warnings():
    port = {"name": "a", "direction": "in", "width": 1}
    top = "module top (a);\n  input a;\n  wire a;\n  wire b;\nendmodule\n"
    with pytest.raises(CheckError, match=r"^top: verilator: %Warning-UNUSEDSIGNAL"):
        lint.lint(Emitted("top", top, (port,)), ["verilator"])
    with pytest.raises(CheckError, match=r"^top: icarus: "):
        lint.lint(Emitted("top", top.replace("wire b", "assign c = a"), (port,)), [needs("icarus")])
    with pytest.raises(CheckError, match=r"^top: yosys: .*absent"):
        lint.lint(Emitted("top", top.replace("wire b", "absent x ()"), (port,)), ["yosys"])


def test_damage_is_reported_with_place_seed_and_command(digits, tmp_path):
    """The last bit of the weights of lane 0 differs in the Verilog."""
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in digits.rglob("*"):
        if path.is_file():
            (damaged / path.relative_to(digits)).parent.mkdir(parents=True, exist_ok=True)
            (damaged / path.relative_to(digits)).write_bytes(path.read_bytes())
    verilog = (damaged / "rtl" / "digits.v").read_text()
    flipped = re.sub(r"(\] = 128'h[0-9a-f]*)([0-9a-f])\b", lambda m: f"{m[1]}{int(m[2], 16) ^ 1:x}", verilog)
    assert flipped != verilog
    (damaged / "rtl" / "digits.v").write_text(flipped)
    with pytest.raises(CheckError) as error:
        verify(damaged, simulators=[needs("verilator")], samples=5, seed=SEED)
    pattern = (
        r"verilator: .* differ: sample \d+, tick \d+, core 0, (neuron \d+, )?(output \S+, )?"
        r"expected -?\d+, got -?\d+, seed 3; "
    )
    command = f"repeat: python -m neurogen verify {damaged} --samples 5 --seed 3 --simulators verilator"
    assert re.fullmatch(pattern + re.escape(command), str(error.value)), str(error.value)


def test_silent_runs_fail_unless_allowed(digits, tmp_path):
    np.savez(tmp_path / "x.npz", spikes=np.zeros((2, 4, 64), dtype=np.uint8))
    with pytest.raises(CheckError, match=r"^verilator: nothing differs, but the run shows little: no neuron fired; "):
        verify(digits, tmp_path / "x.npz", [needs("verilator")])
    (found,) = verify(digits, tmp_path / "x.npz", [needs("verilator")], allow_silent=True)
    assert found.statistics.spikes == 0 and found.statistics.ticks > 8
