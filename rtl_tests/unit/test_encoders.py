"""Encoders: the golden model against slow arithmetic and the shared networks' coding; images, words, files."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import network as golden_network
from golden import samples as golden_samples
from golden.encoders import Coder
from golden.encoders import encoders as golden_encoders
from golden.fabric import Fabric
from neurogen import catalog, compiler
from neurogen.compiler.coding import even, latency
from neurogen.flow import fit, patch
from neurogen.flow.target import SHIPPED_SAMPLES, resolve
from neurogen.host import codec, data
from neurogen.host.link import FRAME_WORDS, Frame
from neurogen.rtl import encoders as rtl_encoders
from neurogen.spec import encoders
from neurogen.spec.config import EncoderConfig, FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.memory_map import Status
from neurogen.spec.network import Input
from rtl_tests.encoded_networks import branching
from rtl_tests.golden_port import GoldenPort
from rtl_tests.shared import shared

PARAMETERS = {"rate": {"full": 16}, "latency": {"full": 16, "least": 2}, "current": {"full": 16}}


def slow_rate(x: int, steps: int, full: int) -> list[int]:
    a, found = 0, []
    for _ in range(steps):
        a += min(x, full)
        found.append(int(a >= full))
        a -= full * found[-1]
    return found


def slow_latency(x: int, steps: int, full: int, least: int) -> list[int]:
    """The step whose distance from the exact time is least, the later of two."""
    distances = [abs((full - x) * (steps - 1) - step * full) for step in range(steps)]
    at = max(step for step in range(steps) if distances[step] == min(distances))
    return [int(x > least and step == at) for step in range(steps)]


SLOW = {"rate": slow_rate, "latency": slow_latency, "current": lambda x, steps, full: [x] * steps}


@pytest.mark.parametrize("name", encoders.encoders())
@settings(max_examples=50, deadline=None)
@given(choice=st.data())
def test_the_golden_model_is_the_equation(name, choice):
    full = choice.draw(st.integers(1, 255))
    parameters = {"full": full} | ({"least": choice.draw(st.integers(0, full))} if name == "latency" else {})
    pixels = choice.draw(st.lists(st.integers(0, full), min_size=1, max_size=20))
    steps = choice.draw(st.integers(1, 40))
    config = EncoderConfig(name=name, lines=len(pixels), steps=steps, parameters=parameters)
    found = Coder(config).events(np.array([pixels]))
    assert found.dtype == np.uint8 and found[0].T.tolist() == [SLOW[name](x, steps, **parameters) for x in pixels]


@pytest.mark.parametrize("name, coder", [("rate", even), ("latency", latency)])
def test_mnist_is_encoded_as_the_shared_networks_were_trained(name, coder):
    with np.load(shared("data/mnist_test.npz")) as found:
        pixels = found["x"][::100].reshape(-1, 784)
    spikes = Coder(EncoderConfig(name=name, lines=784, steps=16)).events(pixels)
    assert np.array_equal(spikes, coder(pixels, 16)) and len(pixels) == 100 and spikes.sum() > 10_000


@pytest.mark.parametrize("name", encoders.encoders())
def test_an_encoder_has_all_its_sides_and_is_described(name):
    spec = encoders.encoder(name)
    stem = spec.__name__.rpartition(".")[2]
    for package in (golden_encoders(), rtl_encoders.encoders()):
        assert package[name].__name__.rpartition(".")[2] == stem
    assert spec.SUMMARY and spec.EQUATION.strip() and all(parameter.doc for parameter in spec.PARAMETERS)
    (record,) = [record for record in catalog.pixel_encoders() if record["name"] == name]
    assert spec.EQUATION in catalog.encoder_markdown(record) and spec.SUMMARY in catalog.text(record)


def test_a_fabric_without_an_encoder_says_nothing_of_it():
    plain = FabricConfig()
    assert "encoder" not in plain.model_dump_json()
    with_one = FabricConfig.parse(plain.model_dump() | {"encoder": {"name": "rate", "lines": 7, "steps": 3}})
    assert FabricConfig.parse(with_one.model_dump()) == with_one and with_one.digest != plain.digest
    assert FabricConfig.parse(with_one.model_dump() | {"encoder": None}).digest == plain.digest


@pytest.mark.parametrize(
    "encoder, message",
    [
        ({"name": "rte"}, "encoder: there is no encoder 'rte'; there are current, latency, rate"),
        ({"name": "current"}, "encoder current sends payloads up to 255, core.payload_bits 0 holds 1"),
        ({"parameters": {"least": 3}}, "encoder: encoder rate has no parameter 'least'; it has full"),
        ({"parameters": {"full": 256}}, "encoder: encoder rate: full is an integer 1..255, not 256"),
        ({"way": 2}, "unknown key 'encoder.way'; did you mean 'encoder.ways'?"),
    ],
)
def test_a_wrong_encoder_is_one_line(encoder, message):
    given_one = {"name": "rate", "lines": 4, "steps": 2} | encoder
    with pytest.raises(InputError) as error:
        FabricConfig.parse(FabricConfig().model_dump() | {"encoder": given_one})
    assert str(error.value) == f"configuration: {message}"


# Whole networks


def options(name: str, **size) -> dict:
    wishes = {"encoder": name, "encoder_steps": 16, "encoder_parameters": PARAMETERS[name]}
    return {"quantise": {"weight_bits": 4}, "size": wishes | size}


@pytest.fixture(scope="module")
def digits():
    """Pixels 0..16 of the shipped samples, of which these are the even coding in 16 steps, and their spikes."""
    with np.load(SHIPPED_SAMPLES) as found:
        return found["spikes"].sum(axis=1), found["spikes"], found["labels"]


@pytest.mark.parametrize("name", ["rate", "latency"])
@pytest.mark.parametrize("overlapped", [False, True])
def test_pixels_give_what_their_events_give(name, overlapped, digits):
    """In the fabric's model; the host's words; every counter."""
    target, pixels = resolve(None, options(name)), digits[0][:5]
    (source,) = target.network.inputs
    events = target.coder.events(pixels)
    wanted = golden_network.run(target.network, {source.name: events})
    by_events, by_pixels = Fabric(target.image), Fabric(target.image)
    for fabric, inputs in ((by_events, events), (by_pixels, pixels)):
        found = golden_samples.run(fabric, {source.name: inputs}, overlapped)
        assert np.array_equal(found.spikes["lif2"], wanted.spikes["lif2"]) and found.counts == {
            **found.counts,
            source.name: int(events.sum()),
        }
    assert by_events.counters(0) == by_pixels.counters(0) and by_pixels.counters(0)[Status.EVENTS] > events.sum()
    port = EncodedPort(target.image)
    records = codec.Decoder(target.config).decode(
        port.execute(codec.samples(target.image, {source.name: pixels}, overlapped))
    )
    outputs = codec.outputs(target.image, records, len(pixels), 16, overlapped)
    assert np.array_equal(outputs.spikes["lif2"], wanted.spikes["lif2"]) and wanted.spikes["lif2"].sum() > 5


class EncodedPort(GoldenPort):
    """Takes PIXELS too."""

    def _command(self, first, source):
        if first & 15 != 11:
            return super()._command(first, source)
        words = [next(source) for _ in range(-(-self.config.encoder.lines // 4))]
        values = [word >> shift & 255 for word in words for shift in (0, 8, 16, 24)]
        self.fabric.pixels(np.array(values[: self.config.encoder.lines]))
        return iter(())


def test_the_rate_encoder_is_how_the_shipped_network_was_trained(digits):
    pixels, spikes, _ = digits
    assert np.array_equal(resolve(None, options("rate")).coder.events(pixels), spikes)


def test_a_direct_current_reaches_two_depths_and_two_cores():
    network = branching(3)
    sizing = compiler.size(network, compiler.Wishes(encoder="current", encoder_steps=9, width=2, height=1, lanes=4))
    image = compiler.compile(network, sizing.config)
    encoder = image.config.encoder
    assert encoder.ways >= 2 and set(image.inputs["in"][:, 6]) == {0, 1}
    pixels = np.random.default_rng(4).integers(0, 256, (4, 10))
    events = Coder(encoder).events(pixels)
    wanted, found = golden_network.run(network, {"in": events}), golden_samples.run(Fabric(image), {"in": pixels})
    for name in ("a", "b"):
        assert np.array_equal(found.spikes[name], wanted.spikes[name]) and wanted.spikes[name].sum() > 5


@pytest.mark.parametrize(
    "network, wishes, message",
    [
        (branching(3), {"encoder": "sum"}, "encoder: there is no encoder 'sum'; there are current, latency, rate"),
        (
            dataclasses.replace(branching(3), inputs=(Input("in", 10),)),
            {"encoder": "current"},
            "encoder current sends payloads up to 255; input 'in' takes spikes",
        ),
    ],
)
def test_what_no_encoder_can_do_for_a_network_is_one_line(network, wishes, message):
    with pytest.raises(InputError) as error:
        compiler.size(network, compiler.Wishes(**wishes))
    assert str(error.value) == message


def test_an_encoder_feeds_one_input_of_its_size():
    network = branching(3)
    config = compiler.size(network, compiler.Wishes(encoder="rate")).config
    other = FabricConfig.parse(config.model_dump() | {"encoder": config.encoder.model_dump() | {"lines": 9}})
    with pytest.raises(InputError) as error:
        compiler.compile(network, other)
    assert str(error.value) == "an encoder of 9 lines feeds one input of as many; the network has 'in' of 10"
    image = compiler.compile(network, config)
    narrow = FabricConfig.parse(config.model_dump() | {"encoder": config.encoder.model_dump() | {"ways": 1}})
    if config.encoder.ways > 1:
        with pytest.raises(InputError, match=r"^a line of input 'in' goes to 2 places; encoder.ways is 1$"):
            dataclasses.replace(image, config=narrow).entry_bits()


def test_a_bitstream_with_another_table_is_not_updated():
    network = branching(3)
    image = compiler.compile(network, compiler.size(network, compiler.Wishes(encoder="rate")).config)
    moved = dataclasses.replace(image, inputs={"in": image.inputs["in"][::-1]})
    assert patch.difference(image, moved) is None
    moved = dataclasses.replace(image, inputs={"in": np.roll(image.inputs["in"], 1, axis=0) * [0, 1, 1, 1, 1, 1, 1] +
                                               image.inputs["in"] * [1, 0, 0, 0, 0, 0, 0]})  # fmt: skip
    assert patch.difference(image, moved) == "where the encoder's events go"
    assert patch.drawn(image, 1).digest != patch.drawn(moved, 1).digest


@pytest.mark.parametrize("name, rams", [("rate", 10), ("latency", 8), ("current", 8)])
def test_sizing_counts_the_block_rams_that_synthesis_takes(name, rams):
    """As Yosys 0.70 maps 784 lines onto an iCE40."""
    plain = FabricConfig.parse({"core": {"axons": 1024, "delay_slots": 2, "payload_bits": 8 * (name == "current")}})
    config = FabricConfig.parse(plain.model_dump() | {"encoder": {"name": name, "lines": 784, "steps": 16}})
    assert fit.block_rams(config, "ice40") - fit.block_rams(plain, "ice40") == rams
    assert fit.estimate(config, "ecp5")["lut"] - fit.estimate(plain, "ecp5")["lut"] > 100


# The wire


def test_an_image_of_784_pixels_is_199_words():
    """On the line: 784 bytes of pixels, 12 of commands, 14 for each frame of up to 64 words, and what SLIP escapes."""
    config = FabricConfig.parse(FabricConfig().model_dump() | {"encoder": {"name": "rate", "lines": 784, "steps": 16}})
    pixels = np.random.default_rng(5).integers(0, 256, 784)
    parts = [codec.pixels(config, pixels), codec.advance(config, 16), codec.end_sample(config)]
    words = np.concatenate(parts).astype("<u4").tobytes()
    assert len(words) == 4 * 199 and words[4:-8] == pixels.astype(np.uint8).tobytes()
    size = 4 * FRAME_WORDS
    frames = [Frame(ack=0, seq=at, session=1, words=words[at : at + size]) for at in range(0, len(words), size)]
    plain = [frame.encode() for frame in frames]
    escapes = sum(line[1:-1].count(0xDB) for line in plain)
    assert sum(map(len, plain)) - escapes == 784 + 12 + 14 * 4
    assert escapes >= np.isin(pixels, (0xC0, 0xDB)).sum()


# Files


CODER = Coder(EncoderConfig(name="rate", lines=6, steps=4, parameters={"full": 9}))
ONE = (Input("in", 6),)


def saved(folder, **arrays):
    np.savez(folder / "x.npz", **arrays)
    return folder / "x.npz"


@pytest.mark.parametrize("shape", [(3, 6), (3, 2, 3)])
def test_pixels_are_read_and_encoded(tmp_path, shape):
    pixels = np.random.default_rng(1).integers(0, 10, shape)
    found = data.read(saved(tmp_path, pixels=pixels, labels=[1, 2, 3]), ONE, coder=CODER)
    assert np.array_equal(found.sent["in"], pixels.reshape(3, 6)) and found.sent["in"].dtype == np.uint8
    assert np.array_equal(found.inputs["in"], CODER.events(pixels.reshape(3, 6))) and found.steps == 4
    assert found[1:].sent["in"].shape == (2, 6) and found[1:].labels.tolist() == [2, 3]


def test_spikes_beside_pixels_are_for_fabrics_without_an_encoder(tmp_path):
    spikes = np.ones((2, 5, 6), dtype=np.uint8)
    path = saved(tmp_path, pixels=np.ones((2, 6), dtype=int), spikes=spikes)
    assert np.array_equal(data.read(path, ONE).sent["in"], spikes)
    assert data.read(path, ONE, coder=CODER).sent["in"].shape == (2, 6)
    assert data.read(saved(tmp_path, spikes=spikes), ONE, coder=CODER).sent["in"].shape == (2, 5, 6)


@pytest.mark.parametrize(
    "pixels, steps, message",
    [
        (np.ones((2, 5), int), None, "X: pixels have shape (2, 5), not (B, 6) or (B, H, W) of as many"),
        (np.ones((2, 6)), None, "X: pixels hold float64, not integers"),
        (np.full((2, 6), 10), None, "X: pixels hold 10 at (sample, line) = (0, 0); this encoder takes 0..9"),
        (-np.ones((2, 6), int), None, "X: pixels hold -1 at (sample, line) = (0, 0); this encoder takes 0..9"),
        (np.ones((2, 6), int), 8, "X: the encoder makes 4 steps of a sample's pixels; --steps cannot say others"),
    ],
)
def test_wrong_pixels_are_one_line(tmp_path, pixels, steps, message):
    path = saved(tmp_path, pixels=pixels)
    with pytest.raises(InputError) as error:
        data.read(path, ONE, data.Binning(steps=steps), CODER)
    assert str(error.value).replace(str(path), "X") == message


def test_pixels_need_an_encoder(tmp_path):
    path = saved(tmp_path, pixels=np.ones((2, 6), int))
    with pytest.raises(InputError, match=r"holds pixels, and this fabric has no encoder for them; build it with --enc"):
        data.read(path, ONE)
    image = resolve(None, {"quantise": {"weight_bits": 4}}).image
    with pytest.raises(InputError, match=r"^there are pixels and the fabric has no encoder$"):
        codec.samples(image, {"input": np.ones((2, 64), int)})
    with pytest.raises(InputError, match=r"^there are pixels and the fabric has no encoder$"):
        Fabric(image).pixels(np.ones(64, int))
