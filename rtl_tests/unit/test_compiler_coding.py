"""Coders of intensities, against their definition step by step and what others counted."""

import numpy as np

from neurogen.compiler.coding import CODERS, accumulate, even, latency
from rtl_tests.shared import shared


def test_accumulate_fires_above_full_and_restarts_at_zero():
    spikes = accumulate(np.array([[0, 255, 100, 128]]), 6)
    assert spikes[0].T.tolist() == [[0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 0, 1], [0, 0, 1, 0, 0, 1], [0, 1, 0, 1, 0, 1]]


def test_even_gives_every_intensity_its_count():
    x = np.arange(17)[None]
    spikes = even(x, 16, full=16)
    np.testing.assert_array_equal(spikes.sum(axis=1), x)
    assert spikes[0, :, 8].tolist() == [0, 1] * 8


def test_latency_fires_once_the_earlier_the_brighter():
    x = np.array([[255, 238, 26, 25, 0]])
    spikes = latency(x, 16)
    assert [np.flatnonzero(line).tolist() for line in spikes[0].T] == [[0], [1], [13], [], []]


def test_mnist_spike_counts_are_what_others_counted():
    with np.load(shared("data/mnist_test.npz")) as data:
        x = data["x"].reshape(-1, 784)
    assert int(accumulate(x, 20).sum(dtype=np.int64)) == 12_027_333
    assert round(even(x, 16).sum(dtype=np.int64) / len(x)) == 1571
    assert round(latency(x, 16).sum(dtype=np.int64) / len(x)) == 138


def test_every_coder_makes_binary_spikes_of_the_same_shape():
    x = np.random.default_rng(0).integers(0, 256, (3, 7))
    for coder in CODERS.values():
        spikes = coder(x, 16)
        assert spikes.shape == (3, 16, 7) and spikes.dtype == np.uint8 and set(np.unique(spikes)) == {0, 1}
