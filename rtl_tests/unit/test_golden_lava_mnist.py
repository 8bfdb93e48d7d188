"""A network that others trained and ran: every spike of 10,000 images is counted."""

import time

import numpy as np
import pytest

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import read
from neurogen.spec.memory_map import Status
from rtl_tests.hand_image import hand_image
from rtl_tests.random_networks import fabric, neuron
from rtl_tests.shared import shared

STEPS = 20
COUNTS = {"input": 12_027_333, "layer0": 4_941_139, "layer1": 4_532_680, "layer2": 211_170}


@pytest.fixture(scope="module")
def lava():
    return read(shared("models/lava_mnist_784_128_64_10.net")).network


@pytest.fixture(scope="module")
def mnist():
    with np.load(shared("data/mnist_test.npz")) as data:
        return data["x"], data["y"]


def code(images: np.ndarray) -> np.ndarray:
    """Spikes (B, T, 784) of ``v += x; spike if v > 255, then v = 0``."""
    pixels = images.reshape(len(images), -1).astype(np.int16)
    v, spikes = np.zeros_like(pixels), np.zeros((len(pixels), STEPS, pixels.shape[1]), np.uint8)
    for step in range(STEPS):
        v += pixels
        spike = v > 255
        v[spike] = 0
        spikes[:, step] = spike
    return spikes


def test_lava_mnist_spikes_exactly(lava, mnist):
    pixels, labels = mnist
    began = time.perf_counter()
    result = golden_network.run(lava, {"input": lambda a, b: code(pixels[a:b])}, samples=len(pixels))
    print(f"{len(pixels)} images in {time.perf_counter() - began:.2f} s")
    assert result.counts == COUNTS
    decided = result.spikes["layer2"].sum(axis=1, dtype=np.int64).argmax(axis=1)
    assert (decided == labels).sum() == 9_532
    assert 0 < result.operations[2] <= COUNTS["layer1"] * 10


def test_lava_mnist_on_a_fabric(lava, mnist):
    config = fabric("lava", 2, 2, axons=784, neurons=128, lanes=32, banks=4, update_lanes=8, weight_bits=9,
                    accumulator_bits=18, delay_slots=4, ranges=1, routes=128,
                    neuron=neuron("cuba_lif", "per_population", {"u": 24, "v": 24}))  # fmt: skip
    events = {"input": code(mnist[0][::1000])}
    machine = Fabric(hand_image(lava, config, order=[3, 0, 1]))
    began = time.perf_counter()
    found = samples.run(machine, events)
    each = (time.perf_counter() - began) / (len(events["input"]) * (STEPS + 2))
    print(f"{1e6 * each:.0f} us per tick")
    expected = golden_network.run(lava, events)
    assert np.array_equal(found.spikes["layer2"], expected.spikes["layer2"])
    counters = [machine.counters(core) for core in range(4)]
    # Every layer sits on a core of its own and leaves no lane idle but the last one, whose idle lanes stay silent.
    fired = [counters[core][Status.SPIKES] for core in (3, 0, 1)]
    assert fired == [expected.counts[name] for name in ("layer0", "layer1", "layer2")]
    assert fired[2] > 100
