"""The shipped network and its test vectors: accuracy in float and at 4 bits, and the fabric computes it."""

from pathlib import Path

import numpy as np
import pytest

import neurogen
from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import Quantisation, compile, quantise, read, size
from neurogen.compiler.coding import even

DATA = Path(neurogen.__file__).parent / "data"


@pytest.fixture(scope="module")
def vectors() -> tuple[np.ndarray, np.ndarray]:
    with np.load(DATA / "digits_test.npz") as data:
        return data["spikes"], data["labels"]


def accuracy(spikes: np.ndarray, labels: np.ndarray) -> float:
    """Per cent right by spike count, ties to the lowest index."""
    return 100 * float((spikes.sum(axis=1).argmax(axis=1) == labels).mean())


def in_float(source, spikes: np.ndarray) -> np.ndarray:
    """``v = keep*v + I; s = [v >= threshold]; v -= threshold*s``, layer by layer."""
    for population, projection in zip(source.populations, source.projections, strict=True):
        assert (population.reset, population.reset_timing, population.compare) == ("subtract", "same_step", "ge")
        keep, threshold = population.parameter("keep"), population.parameter("threshold")
        v, fired = 0.0, []
        for t in range(spikes.shape[1]):
            v = keep * v + spikes[:, t].astype(float) @ projection.weights
            fired.append(v >= threshold)
            v = v - threshold * fired[-1]
        spikes = np.stack(fired, axis=1)
    return spikes


def test_the_held_out_quarter_is_right_in_float_and_at_4_bits(vectors):
    spikes, labels = vectors
    source = read(DATA / "digits.nir")
    assert source.notes == ()  # its metadata says everything
    reached = accuracy(in_float(source, spikes), labels)
    assert reached >= 95
    for bits in (8, 4):
        network = quantise(source, Quantisation(weight_bits=bits))
        assert {p.parameters["leak_shift"] for p in network.populations} == {4}
        result = golden_network.run(network, {"input": spikes})
        assert accuracy(result.spikes["lif2"], labels) >= reached - 1


def test_the_fabric_computes_it_on_every_mesh(vectors):
    spikes = vectors[0][:4]
    network = quantise(read(DATA / "digits.nir"), Quantisation(weight_bits=4))
    wanted = golden_network.run(network, {"input": spikes}).spikes["lif2"]
    config = size(network).config
    assert wanted.sum() > 20
    for width, height, seed in ((1, 1, None), (2, 2, 1), (3, 2, 2), (1, 4, 3)):
        mesh = config.model_copy(update={"width": width, "height": height})
        image = compile(network, mesh, seed)
        found = samples.run(Fabric(image), {"input": spikes}, overlapped=True)
        np.testing.assert_array_equal(found.spikes["lif2"], wanted)


def test_the_vectors_are_the_held_out_quarter(vectors):
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is only needed to train")
    from sklearn.model_selection import train_test_split

    x, y = datasets.load_digits(return_X_y=True)
    _, x, _, y = train_test_split(x.astype(int), y, test_size=0.25, stratify=y, random_state=0)
    np.testing.assert_array_equal(vectors[0], even(x, 16, 16))
    np.testing.assert_array_equal(vectors[1], y)


def test_it_is_small():
    assert sum((DATA / name).stat().st_size for name in ("digits.nir", "digits_test.npz")) < 150_000
