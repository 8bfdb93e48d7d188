"""Kernels: the matrix is the equation, term by term."""

import numpy as np
import pytest

from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel

CASES = {
    "plain": dict(source=(2, 5, 6), target=(3, 3, 4)),
    "strided and padded": dict(source=(2, 7, 6), target=(3, 4, 4), stride=(2, 2), padding=(1, 2)),
    "dilated": dict(source=(2, 9, 9), target=(3, 5, 3), stride=(1, 2), dilation=(2, 2)),
    "groups": dict(source=(4, 5, 5), target=(6, 3, 3), groups=2),
    "one row": dict(source=(2, 1, 8), target=(3, 1, 6)),
}


def slow(kernel: Kernel, spikes: np.ndarray) -> np.ndarray:
    """The equation in loops."""
    found = np.zeros(kernel.target, dtype=np.int64)
    out, reads = kernel.weights.shape[:2]
    for (o, y, x), _ in np.ndenumerate(found):
        first = o // (out // kernel.groups) * reads
        for (c, i, j), weight in np.ndenumerate(kernel.weights[o]):
            sy = y * kernel.stride[0] - kernel.padding[0] + i * kernel.dilation[0]
            sx = x * kernel.stride[1] - kernel.padding[1] + j * kernel.dilation[1]
            if 0 <= sy < kernel.source[1] and 0 <= sx < kernel.source[2]:
                found[o, y, x] += weight * spikes[first + c, sy, sx]
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_matrix_is_the_equation(name):
    case = CASES[name]
    rng = np.random.default_rng([5, *name.encode()])
    rows = 1 if name == "one row" else 3
    shape = (case["target"][0], case["source"][0] // case.get("groups", 1), rows, 3)
    kernel = Kernel(rng.integers(-7, 8, shape), **case)
    spikes = rng.integers(0, 2, case["source"])
    expected = slow(kernel, spikes)
    assert np.count_nonzero(expected) > 5
    assert np.array_equal(spikes.ravel() @ kernel.matrix, expected.ravel())
    matrix = kernel.matrix.toarray()
    assert np.array_equal(kernel.fan_out, np.count_nonzero(matrix, axis=1))
    assert np.array_equal(kernel.sums(np.maximum(kernel.weights, 0)), np.maximum(matrix, 0).sum(axis=0))


def test_shapes_must_agree():
    with pytest.raises(
        InputError, match=r"^a kernel of shape \(3, 2, 3, 3\) with 1 groups does not take 4 channels to 3$"
    ):
        Kernel(np.zeros((3, 2, 3, 3)), source=(4, 5, 5), target=(3, 3, 3))

    with pytest.raises(InputError, match=r"^a kernel joins maps of channels, rows and columns, not \(1, 5\) and"):
        Kernel(np.zeros((1, 1, 3, 3)), source=(1, 5), target=(1, 3, 3))
    with pytest.raises(InputError, match=r"^stride \(1, 0\), dilation \(1, 1\) and groups 1 are at least 1$"):
        Kernel(np.zeros((1, 1, 3, 3)), source=(1, 5, 5), target=(1, 3, 3), stride=(1, 0))
