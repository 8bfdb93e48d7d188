"""A network that others trained and ran: every spike of 10,000 images is counted."""

import time

import h5py
import numpy as np
import pytest

from golden import network as golden_network
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.shared import shared

STEPS = 20
LAYERS = ("layer0", "layer1", "layer2")


def read_lava(path) -> Network:
    """The integers of the file, unchanged: weights and thresholds are scaled by 2**6 as Loihi does."""
    populations, projections = [], []
    with h5py.File(path) as file:
        for name, layer in zip(LAYERS, file["layer"].values(), strict=True):
            neuron = {key: int(layer["neuron"][key][()]) for key in ("iDecay", "vDecay", "vThMant", "refDelay")}
            weights = layer["weight"][()].T.astype(np.int64)
            parameters = {
                "decay_u": neuron["iDecay"],
                "decay_v": neuron["vDecay"],
                "threshold": neuron["vThMant"] << 6,
                "refractory_ticks": neuron["refDelay"],
                "exponent": 6,
            }
            projections.append(Projection(populations[-1].name if populations else "image", name, weights))
            populations.append(Population(name, weights.shape[1], "cuba_lif", parameters))
    return Network("lava_mnist", (Input("image", 784),), tuple(populations), tuple(projections), (Output(LAYERS[-1]),))


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


@pytest.mark.parametrize("images", [10_000])
def test_lava_mnist_spikes_exactly(images):
    net = read_lava(shared("models/lava_mnist_784_128_64_10.net"))
    with np.load(shared("data/mnist_test.npz")) as data:
        pixels, labels = data["x"], data["y"]
    began = time.perf_counter()
    result = golden_network.run(net, {"image": lambda a, b: code(pixels[a:b])}, samples=images)
    print(f"{images} images in {time.perf_counter() - began:.2f} s")
    assert result.counts == {"image": 12_027_333, "layer0": 4_941_139, "layer1": 4_532_680, "layer2": 211_170}
    decided = result.spikes["layer2"].sum(axis=1, dtype=np.int64).argmax(axis=1)
    assert (decided == labels).sum() == 9_532
    fanout = np.count_nonzero(net.projections[2].weights, axis=1)
    assert 0 < result.operations[2] <= result.counts["layer1"] * fanout.max()
