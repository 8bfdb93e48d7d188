"""The convolutional network of ``examples``: small through conv cores, and as good as it was trained to be."""

from pathlib import Path

import numpy as np
import pytest

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import Options, Quantisation, Wishes, compile, quantise, read, size
from neurogen.compiler.coding import even
from neurogen.spec.kernels import Kernel
from neurogen.spec.memory_map import Region, bits
from neurogen.spec.network import Network
from rtl_tests.shared import shared

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mnist_conv.nir"
STEPS = 4
IMAGE = (Region.AXONS, Region.SYNAPSES, Region.WALKS, Region.POINTERS, Region.ROUTES)
RIGHT = {8: 499, 4: 498}
"""Of every twentieth test image; of all 10,000 it is 98.70 % at 8 bits and 98.22 % at 4, and 98.64 % in float."""


def network(weight_bits: int) -> Network:
    return quantise(read(EXAMPLE, Options()), Quantisation(weight_bits))


def images() -> tuple[np.ndarray, np.ndarray]:
    """Spikes (500, T, 784) and labels of every twentieth test image."""
    with np.load(shared("data/mnist_test.npz")) as file:
        return even(file["x"][::20].reshape(-1, 784).astype(np.int64), STEPS), file["y"][::20]


def test_its_image_is_20_times_smaller_than_unrolled():
    net = network(4)  # with wider weights it is more
    assert [isinstance(p.weights, Kernel) for p in net.projections] == [True, True, False]
    kernels, unrolled = (bits(size(net, wishes).config) for wishes in (Wishes(), Wishes(store="dense")))
    assert sum(unrolled[region] for region in IMAGE) > 40 * sum(kernels[region] for region in IMAGE) > 4e7


@pytest.mark.parametrize("weight_bits", RIGHT)
def test_its_accuracy_is_kept(weight_bits):
    spikes, labels = images()
    found = golden_network.run(network(weight_bits), {"input": spikes}).values["sum"][:, -1]
    assert abs(int((found.argmax(axis=1) == labels).sum()) - RIGHT[weight_bits]) <= 1  # 0.2 points


def test_conv_cores_compute_it():
    net = network(4)
    image = compile(net, size(net, Wishes(banks=8)).config)
    assert image.config.core.store == "conv" and image.config.nodes > 1
    spikes = images()[0][[25, 225, 425]]
    found, wanted = samples.run(Fabric(image), {"input": spikes}), golden_network.run(net, {"input": spikes})
    assert np.array_equal(found.values["sum"], wanted.values["sum"]) and wanted.values["sum"].any()
