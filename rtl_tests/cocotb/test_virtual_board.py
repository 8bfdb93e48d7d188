"""The board's top, driven at its UART pins by the host's own driver: outputs, states, counters, and what goes wrong."""

import socket
import time

import numpy as np
import pytest

from golden import network
from golden.fabric import Fabric
from neurogen import cli
from neurogen.flow import simulators
from neurogen.flow.target import SHIPPED_SAMPLES, resolve
from neurogen.flow.virtual_board import Noise, VirtualBoard
from neurogen.host import codec
from neurogen.host.device import Device
from neurogen.host.link import Frame
from neurogen.spec.errors import CheckError, InputError, ToolError
from neurogen.spec.words import Register, Response
from rtl_tests import shipped
from rtl_tests.cocotb.simulators import needs

NOISE = Noise(flip=1e-4, drop=3e-4, insert=3e-4, seed=5)
SAMPLES = 3


@pytest.fixture(scope="module")
def target():
    """The shipped network on an overlay: its image has to be loaded."""
    needs("verilator")
    return resolve(None, {"size": {"programmable": True}})


@pytest.fixture(scope="module")
def board(target):
    with VirtualBoard(target) as board:
        yield board


@pytest.fixture(scope="module")
def inputs(target):
    with np.load(SHIPPED_SAMPLES) as found:
        return {target.network.inputs[0].name: found["spikes"][:SAMPLES]}


@pytest.fixture
def device(board, target):
    with Device.at(board.url, target.image, target.build_digest) as device:
        yield device


def test_the_board_says_what_it_is(device, target):
    assert device.identity.device == "virtual" and device.identity.build == target.build_digest
    assert device.register(Register.IDENTITY) == device.identity.config == int(target.config.digest, 16) & 0xFFFFFFFF


def test_loaded_memories_read_back_and_damage_is_found(device, target):
    device.load()
    assert device.verify_loaded() == sum(len(block) for _, _, block in target.image.config_writes())
    core, address, block = target.image.config_writes()[0]
    wrong = codec.command(target.config, codec.Command.WRITE, count=1), np.array([int(block[0]) ^ 1], np.uint32)
    setup = codec.target(target.config, core), codec.command(target.config, codec.Command.SETADDR, address=address)
    device.exchange(np.concatenate([*setup, *wrong]))
    with pytest.raises(CheckError, match=rf"core {core}, memory at {address:#x}, word 0: expected {block[0]}, got"):
        device.verify_loaded()
    device.load()


def test_outputs_are_the_networks(device, target, inputs):
    device.load()
    expected, found = network.run(target.network, inputs), device.run(inputs)
    for name, spikes in found.spikes.items():
        assert np.array_equal(spikes, expected.spikes[name]) and spikes.sum() > 20
    parts = [{name: values[i : i + 1] for name, values in inputs.items()} for i in range(SAMPLES)]
    for i, part in enumerate(device.run_parts(parts)):
        assert all(np.array_equal(part.spikes[n][0], found.spikes[n][i]) for n in found.spikes)


def test_every_tick_every_state_and_counter_is_the_golden_models(device, target, inputs):
    device.load()
    golden = Fabric(target.image)
    steps = next(iter(inputs.values())).shape[1]
    device.begin(steps)
    golden.reset()
    golden.registers |= {Register.SAMPLE_TICKS: steps * target.image.step_ticks}
    start, fired = device.status(0).counters, 0
    for tick, events in enumerate(codec.arrivals(target.image, {name: v[0] for name, v in inputs.items()})[:6]):
        golden.events(tick, events.rectangles, events.axons, events.payloads)
        records, expected = device.step({tick: events}), golden.tick()
        assert np.array_equal(np.sort(records.of(Response.SPIKE).value), expected.spikes)
        state, golden_state = device.state(0), golden.state(0)
        used = len(next(iter(state.values())))
        assert all(np.array_equal(values, golden_state[name][:used]) for name, values in state.items())
        fired += len(expected.emitted)
    assert fired > 20
    spikes = codec.Status.SPIKES
    assert device.status(0).counters[spikes] - start[spikes] == golden.counters(0)[spikes]


def test_ticks_of_real_time(device):
    device.load()
    device.begin(steps=0)
    device.real_time(tick_cycles=2000)
    ticks = device.receive(seconds=0.5).of(Response.TICK_DONE)
    assert len(ticks) > 3 and (np.diff(ticks.value) == 1).all()
    device.real_time(0)
    assert device.register(Register.LATE) == 0


def test_a_host_that_vanishes_in_the_middle_of_everything(board, target, inputs):
    """The image stays, the fabric starts anew, and the next host gets what it asks for."""
    with Device.at(board.url, target.image) as device:
        device.load()
    gone = Device.at(board.url, target.image)
    gone.open()
    gone.send(codec.samples(target.image, inputs))
    for _ in range(3):
        gone._exchange_bytes()
    gone._line.write(Frame(0, 0, 1, words=bytes(200)).encode()[:100])
    gone._line.close()
    with Device.at(board.url, target.image) as device:
        expected, found = network.run(target.network, inputs), device.run(inputs)
        assert all(np.array_equal(spikes, expected.spikes[name]) for name, spikes in found.spikes.items())


def test_rubbish_on_the_line_changes_nothing(board, target):
    with Device.at(board.url, target.image) as device:
        device.load()
        before = device.register(Register.TICK), device.register(Register.ERRORS)
        device._line.write(np.random.default_rng(1).bytes(2000))
        assert (device.register(Register.TICK), device.register(Register.ERRORS)) == before
        assert device.verify_loaded()


def test_a_board_with_another_build_is_refused(board, target):
    with pytest.raises(InputError, match=r"virtual holds build [0-9a-f]{16}, not 0000000000000001; flash this build"):
        Device.at(board.url, target.image, build=1).open()
    time.sleep(0.1)  # the board takes one host at a time


def test_a_port_that_is_not_there(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=rf"socket://127.0.0.1:{port}: cannot be opened: Connection refused"):
        Device.at(f"socket://127.0.0.1:{port}", target.image)
    with pytest.raises(InputError, match="/dev/nothing: cannot be opened: No such file or directory"):
        Device.at("/dev/nothing", target.image)


def test_a_simulation_that_ends_early_is_not_waited_for(target, monkeypatch):
    monkeypatch.setattr(simulators, "compile", lambda *_: None)
    monkeypatch.setattr(simulators, "run", lambda *_, seed: None)
    with pytest.raises(ToolError, match="the virtual board ended before a host could connect"), VirtualBoard(target):
        pass


def test_a_noisy_line_changes_nothing(target, inputs):
    expected = network.run(target.network, inputs)
    with VirtualBoard(target, NOISE) as board, Device.at(board.url, target.image, target.build_digest) as device:
        device.load()
        found = device.run(inputs)
        assert device.resent + device.damaged > 3
    assert board.damage > 10
    assert all(np.array_equal(spikes, expected.spikes[name]) for name, spikes in found.spikes.items())


def test_run_writes_what_simulate_writes(tmp_path, capsys):
    needs("verilator")
    x = ["--input", str(shipped.first(3, tmp_path))]
    assert cli.main(["run", "--port", "sim", *x, "-o", str(tmp_path / "run.npz"), "-P", "size.programmable=true"]) == 0
    out = capsys.readouterr().out
    assert "3 samples on sim" in out and "board: virtual, 4 MHz" in out and "samples per second" in out
    assert cli.main(["simulate", *x, "-o", str(tmp_path / "simulate.npz")]) == 0
    assert (tmp_path / "run.npz").read_bytes() == (tmp_path / "simulate.npz").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"x.npz", "run.npz", "simulate.npz"}
