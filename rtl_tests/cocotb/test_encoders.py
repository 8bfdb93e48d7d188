"""Encoders in emitted Verilog: whole fabrics against the golden model, and images over the board's UART pins."""

import numpy as np
import pytest

from golden import network as golden_network
from neurogen import compiler
from neurogen.flow.simulate import engines, simulate
from neurogen.flow.target import SHIPPED_SAMPLES, Target, resolve
from neurogen.flow.verify import verify
from neurogen.flow.virtual_board import VirtualBoard
from neurogen.host import codec
from neurogen.host.device import Device
from neurogen.host.link import Deframer
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.cocotb.simulators import SIMULATORS, needs
from rtl_tests.encoded_networks import branching

SEED = 11
LATENCY = {"encoder": "latency", "encoder_steps": 12, "encoder_parameters": {"full": 16, "least": 1}}
FRAME_BYTES = 8 + 4 + 2
"""Header, CRC and the two ENDs."""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Five of the shipped samples as pixels 0..16: of these the shipped spikes are the even coding."""
    path = tmp_path_factory.mktemp("x") / "x.npz"
    with np.load(SHIPPED_SAMPLES) as found:
        np.savez(path, pixels=found["spikes"][::90].sum(axis=1).reshape(-1, 8, 8), labels=found["labels"][::90])
    return path


def test_digits_by_latency_equal_the_golden_model_and_all_engines_agree(digits, tmp_path):
    target = resolve(None, {"quantise": {"weight_bits": 4}, "size": LATENCY})
    (found,) = verify(target, digits, [needs("verilator")], samples=4, seed=SEED)
    s = found.statistics
    assert s.spikes > 80 and s.outputs > 10 and s.exact_ticks >= 12 and s.counters
    for engine in engines():
        if engine in SIMULATORS:
            needs(engine)
        simulate(target, digits, tmp_path / f"{engine}.npz", engine, seed=SEED)
    written = {(tmp_path / f"{engine}.npz").read_bytes() for engine in engines()}
    assert len(written) == 1 and len(engines()) == 4
    with np.load(tmp_path / "network.npz") as outputs:
        assert outputs["spikes"].shape == (5, 12, 10) and outputs["spikes"].sum() > 10


def test_lines_that_go_to_several_places_in_a_loaded_mesh():
    """Currents; two cores, depths and ticks per step; the encoder's table is written by the host; random pixels."""
    network = branching(SEED, 13, 6, 5, loop=True)
    wishes = compiler.Wishes(name="paths", encoder="current", width=2, height=1, lanes=4, programmable=True)
    image = compiler.compile(network, compiler.size(network, wishes).config)
    assert image.config.encoder.ways > 1 and image.step_ticks > 1
    target = Target("paths", "", network, image, folded=False)
    (found,) = verify(target, None, [needs("icarus")], samples=4, seed=SEED)
    assert found.statistics.spikes > 30 and found.statistics.outputs > 30


class Counted:
    """A line that keeps what the host wrote."""

    def __init__(self, line):
        self._line, self.written = line, b""

    def write(self, data):
        self.written += data
        return self._line.write(data)

    def __getattr__(self, name):
        return getattr(self._line, name)


def test_an_image_costs_its_bytes_and_the_frames_on_the_wire():
    """784 pixels over the UART: what the host writes, frame by frame, and outputs that equal the golden network's."""
    needs("verilator")
    rng, count = np.random.default_rng(SEED), 4
    neuron = {"threshold": 9, "leak_shift": 3}
    network = Network(
        "wide",
        (Input("in", 784),),
        (Population("a", 16, "lif", neuron),),
        (Projection("in", "a", rng.integers(-3, 4, (784, 16))),),
        (Output("a"),),
    )
    image = compiler.compile(network, compiler.size(network, compiler.Wishes(encoder="latency")).config)
    target = Target("wide", "", network, image)
    pixels = (rng.integers(1, 256, (count, 784)) * (rng.random((count, 784)) < 0.2)).astype(np.uint8)
    wanted = golden_network.run(network, {"in": target.coder.events(pixels)}).spikes["a"]
    with VirtualBoard(target) as board, Device.at(board.url, image, target.build_digest) as device:
        device._line = line = Counted(device._line)
        found = device.run({"in": pixels})
        assert device.resent == 0
    assert np.array_equal(found.spikes["a"], wanted) and wanted.sum() > 20
    frames = [frame for frame in Deframer().feed(line.written) if frame is not None]
    words = np.frombuffer(b"".join(frame.words for frame in frames), dtype="<u4")
    assert np.array_equal(words[:-1], codec.samples(image, {"in": pixels}))
    carrying = [frame for frame in frames if frame.words]
    escapes = line.written.count(0xDB)
    assert len(line.written) == 4 * len(words) + FRAME_BYTES * len(frames) + escapes
    each = sum(len(frame.encode()) for frame in carrying) / count
    polls = len(frames) - len(carrying)
    print(f"{each:.0f} bytes an image in {len(carrying) / count:.1f} frames, {polls} polls, {escapes} escapes")
    assert 784 + 12 <= each <= 784 + 12 + 40 // count + 16 * FRAME_BYTES + escapes / count
