"""The digits network as the tools implement it, the bitstream of an HX8K included: equal to the golden model."""

import random
import re
import shutil
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

import boards
from golden import network
from neurogen.flow import fit, netlist
from neurogen.flow.emit import Emitted
from neurogen.flow.families import family
from neurogen.flow.target import SHIPPED_SAMPLES, resolve
from neurogen.flow.verify import verify
from neurogen.flow.virtual_board import Noise, VirtualBoard
from neurogen.host.device import Device
from neurogen.spec.errors import CheckError, ToolError
from rtl_tests.cocotb.simulators import needs as simulator
from rtl_tests.netlists import BOARDS, SEED, small

NOISE = Noise(flip=1e-4, drop=3e-4, insert=3e-4, seed=5)
OPTIONS = {"quantise": {"weight_bits": 4}, "size": {"lanes": 4, "banks": 1}}
STAGES = (("ice40", "routed"), ("ice40", "unpacked"), ("ecp5", "routed"), ("gowin", "routed"))


@pytest.mark.parametrize(("family", "stage"), STAGES)
def test_digits_equal_the_golden_model(family, stage):
    if stage == "unpacked" and shutil.which(netlist.UNPACKER) is None:
        pytest.skip(f"{netlist.UNPACKER} (fpga-icestorm) is not installed")
    target = netlist.implemented(resolve(None, OPTIONS), BOARDS[family], stage)
    (found,) = verify(target, simulators=[simulator("verilator")], samples=6, seed=SEED)
    assert found.statistics.spikes > 1_000 and found.statistics.states > 5_000
    print(found)


@pytest.mark.parametrize("board", ["hx8k_breakout", "tang_nano_9k"])
def test_a_routed_board_at_its_pins_classifies_digits(board):
    """UART, link and fabric on the board's device, driven at rx and tx by the host's own driver."""
    simulator("verilator")
    name = family(boards.board(board).platform()).NAME
    config = fit.adapted(resolve(None, OPTIONS).config, name, counter_bits=0, host_port="small")
    target = resolve(None, {"quantise": OPTIONS["quantise"], "fabric": config})
    with np.load(SHIPPED_SAMPLES) as samples:
        inputs = {target.network.inputs[0].name: samples["spikes"][:6]}
    expected = network.run(target.network, inputs).spikes
    virtual = VirtualBoard(target, NOISE, implemented=(board, "routed"))
    with virtual, Device.at(virtual.url, target.image, target.build_digest) as device:
        found = device.run(inputs).spikes
    for name, spikes in found.items():
        assert np.array_equal(spikes, expected[name]) and spikes.sum() > 40
    assert virtual.damage > 10
    print(f"{virtual.clocks} clocks, {virtual.damage} bits or bytes damaged, {device.resent} times sent again")


@dataclass(frozen=True)
class Damaged(netlist.Implemented):
    """A netlist with some LUTs that say the opposite, drawn by ``seed``."""

    seed: int = 0
    luts: int = 4

    @cached_property
    def emitted(self) -> Emitted:
        whole = super().emitted
        found = list(re.finditer(r"LUT_INIT\(16'h([0-9a-f]{4})\)", whole.verilog))
        verilog = whole.verilog
        for match in random.Random(self.seed).sample(found, self.luts):
            opposite = f"{int(match[1], 16) ^ 0xFFFF:04x}"
            verilog = f"{verilog[: match.start(1)]}{opposite}{verilog[match.end(1) :]}"
        return Emitted(whole.top, verilog, whole.ports)


@pytest.mark.parametrize("seed", range(3))
def test_wrong_luts_are_found(seed):
    target = netlist.implemented(small(), BOARDS["ice40"])
    with pytest.raises((CheckError, ToolError)) as error:
        verify(Damaged(**vars(target), seed=seed), simulators=[simulator("verilator")], samples=3, seed=SEED)
    print(error.value)


def test_spram_after_synthesis_equals_the_golden_model():
    """An UP5K has too few pins for a fabric's words, so here the netlist is Yosys'."""
    sized = resolve(None, OPTIONS | {"size": OPTIONS["size"] | {"synapse_memory": "spram"}}).config
    config = fit.adapted(sized, "ice40", 16, "small")
    target = resolve(None, {"quantise": OPTIONS["quantise"], "fabric": config})
    implemented = netlist.implemented(target, "icebreaker", "synthesised")
    assert len(re.findall(r"^  SB_SPRAM256KA ", implemented.emitted.verilog, re.MULTILINE)) == 1
    (found,) = verify(implemented, simulators=[simulator("icarus")], samples=1, seed=SEED, allow_silent=True)
    assert found.statistics.spikes > 100 and found.statistics.states > 1_000
