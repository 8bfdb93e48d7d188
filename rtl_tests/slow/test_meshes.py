"""Trained networks on several meshes and placements, with gates in every stream: the same output spikes."""

from dataclasses import dataclass

import numpy as np
import pytest

from golden import network as golden_network
from neurogen import compiler
from neurogen.compiler import Options, Quantisation, Wishes
from neurogen.compiler.coding import accumulate
from neurogen.flow.emit import Emitted, overlay
from neurogen.flow.simulate import simulate
from neurogen.flow.target import SHIPPED, SHIPPED_SAMPLES, Target
from neurogen.flow.verify import verify
from neurogen.rtl.streams import Stalls
from neurogen.spec.config import FabricConfig
from neurogen.spec.network import Network
from rtl_tests.cocotb.simulators import needs
from rtl_tests.shared import shared

SEED, PLACEMENTS = 17, 3
MESHES = {(1, 1): (32, 4), (2, 2): (16, 2), (3, 2): (8, 8), (1, 4): (16, 1)}
"""Width and height: lanes and banks."""


@dataclass(frozen=True)
class Gated(Target):
    """A target in whose Verilog every stream has a gate."""

    @property
    def emitted(self) -> Emitted:
        return overlay(self.config, Stalls(SEED))


def digits() -> tuple[Network, np.ndarray]:
    network = compiler.quantise(compiler.read(SHIPPED, Options()), Quantisation(weight_bits=4))
    with np.load(SHIPPED_SAMPLES) as found:
        return network, found["spikes"][::75]


def lava() -> tuple[Network, np.ndarray]:
    network = compiler.read(shared("models/lava_mnist_784_128_64_10.net"), Options()).network
    with np.load(shared("data/mnist_test.npz")) as found:
        images = found["x"][::1000]
    return network, accumulate(images.reshape(len(images), -1), 20)


NETWORKS = {"digits": digits, "lava": lava}


@pytest.mark.parametrize("mesh", MESHES, ids=lambda mesh: f"{mesh[0]}x{mesh[1]}")
@pytest.mark.parametrize("name", NETWORKS)
def test_spikes_are_the_same_on_every_mesh_in_every_placement(name, mesh, tmp_path):
    network, spikes = NETWORKS[name]()
    (source,) = network.inputs
    (output,) = network.outputs
    expected = golden_network.run(network, {source.name: spikes}).spikes[output.population]
    assert expected.sum() > 10 * len(spikes), "hardly any spikes"
    np.savez(tmp_path / "x.npz", spikes=spikes)
    (width, height), (lanes, banks) = mesh, MESHES[mesh]
    wishes = Wishes(name="mesh", width=width, height=height, lanes=lanes, banks=banks, programmable=True)
    sized = compiler.size(network, wishes).config.model_dump()
    sized["core"]["routes"] *= 4  # a random placement needs more routes than the one that the fabric was sized for
    config = FabricConfig.parse(sized)
    places = set()
    for seed in range(PLACEMENTS):
        image = compiler.compile(network, config, seed=seed)
        places.add(tuple((p.population, p.core, str(p)) for p in image.placements))
        target = Gated(network.name, name, network, image, folded=False)
        simulate(target, tmp_path / "x.npz", tmp_path / f"{seed}.npz", needs("verilator"))
        with np.load(tmp_path / f"{seed}.npz") as found:
            assert np.array_equal(found["spikes"], expected), f"seed {seed}"
    assert len(places) == PLACEMENTS or mesh == (1, 1)


def test_lava_mnist_equals_the_golden_model_in_every_state(tmp_path):
    network, spikes = lava()
    np.savez(tmp_path / "x.npz", spikes=spikes)
    target = Target(network.name, "lava", network, compiler.compile(network, compiler.size(network).config))
    (found,) = verify(target, tmp_path / "x.npz", [needs("verilator")], samples=10)
    assert found.statistics.spikes > 5_000 and found.statistics.states > 30_000
    print(found)
