"""A board with its synapses in SPRAM boots from its flash, or is loaded by the host, and computes what it should."""

import numpy as np
import pytest

from golden import network
from neurogen.flow.target import SHIPPED_SAMPLES, resolve
from neurogen.flow.verify import verify
from neurogen.flow.virtual_board import VirtualBoard
from neurogen.host.boot import boot_image
from neurogen.host.device import Device
from neurogen.spec.boot import HEADER_BYTES
from neurogen.spec.config import FabricConfig
from neurogen.spec.words import Register
from rtl_tests.cocotb.simulators import needs

SIZE = {"size": {"lanes": 4, "banks": 2, "update_lanes": 1, "synapse_memory": "spram"}}
FOUR_BITS = {"quantise": {"weight_bits": 4}}
SAMPLES = 2


@pytest.fixture(scope="module")
def target():
    """The shipped network on two banks in SPRAM, behind a small host port."""
    sized = resolve(None, SIZE | FOUR_BITS).config
    return resolve(None, FOUR_BITS | {"fabric": FabricConfig.parse(sized.model_dump() | {"host_port": "small"})})


@pytest.fixture(scope="module")
def image(target) -> bytes:
    return boot_image(target.image, target.build_digest)


@pytest.fixture
def board(target):
    """A virtual board with something in its flash, and a device that is open when it has booted."""
    needs("verilator")
    opened = []

    def start(flash: bytes) -> Device:
        virtual = VirtualBoard(target, flash=flash)
        opened.append(virtual)
        device = Device.at(virtual.__enter__().url, target.image, target.build_digest)
        opened.append(device)
        return device.__enter__()

    yield start
    for context in reversed(opened):
        context.__exit__(None, None, None)


def classifies(device: Device, target) -> None:
    with np.load(SHIPPED_SAMPLES) as samples:
        inputs = {target.network.inputs[0].name: samples["spikes"][:SAMPLES]}
    expected = network.run(target.network, inputs).spikes
    found = device.run(inputs).spikes
    assert expected["lif2"].any()
    for name, spikes in expected.items():
        np.testing.assert_array_equal(found[name], spikes)


def test_a_board_boots_from_its_flash(board, image, target):
    device = board(image)
    assert device.has_image
    assert device.register(Register.ERRORS) == 0
    device.verify_loaded()
    classifies(device, target)


@pytest.mark.parametrize("case", ["erased", "another build's", "cut off"])
def test_what_is_no_whole_image_counts_as_none(case, board, image, target):
    flash = {
        "erased": b"",
        "another build's": boot_image(target.image, target.build_digest ^ 1),
        "cut off": image[: HEADER_BYTES + len(image) // 2],
    }[case]
    device = board(flash)
    assert not device.has_image and device.register(Register.LOADED) == 0


def test_the_host_loads_what_came_damaged_from_the_flash(board, image, target):
    middle = len(image) // 2
    device = board(image[:middle] + bytes([image[middle] ^ 4]) + image[middle + 1 :])
    assert not device.has_image and device.register(Register.LOADED) == 0
    device.load()
    assert device.has_image
    device.verify_loaded()
    classifies(device, target)


def test_verify_loads_what_the_verilog_cannot_hold(target):
    assert not target.folded and "ram_style" in target.emitted.verilog
    (found,) = verify(target, simulators=[needs("icarus")], samples=1, allow_silent=True)
    assert found.statistics.spikes > 100
