"""Networks and samples that NeuroBench's harness has run; what it said is in ``data/neurobench.json``."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

import neurogen
from neurogen.spec.fixed import Compare, Leak, Reset, Rounding
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Input, Network, Output, Population, Projection

SHIPPED, DATA = Path(neurogen.__file__).parent / "data", Path(__file__).parent / "data"
Case = tuple[Network, np.ndarray, np.ndarray]


def digits() -> Case:
    """The shipped network as it was quantised to 4 bits, on the shipped samples."""
    lif = {"exponent": 5, "reset": Reset.SUBTRACT, "compare": Compare.GE, "leak": Leak.SHIFT, "leak_shift": 4}
    lif |= {"rounding": Rounding.TOWARD_ZERO}
    with np.load(DATA / "digits_4bit.npz") as kept, np.load(SHIPPED / "digits_test.npz") as samples:
        network = Network(
            "digits",
            (Input("in", 64),),
            (
                Population("lif1", 64, "lif", lif | {"threshold": 258}, {"v": 16}),
                Population("lif2", 10, "lif", lif | {"threshold": 254}, {"v": 16}),
            ),
            (Projection("in", "lif1", kept["weights0"]), Projection("lif1", "lif2", kept["weights1"])),
            (Output("lif2"),),
        )
        return network, samples["spikes"], samples["labels"].astype(int)


def kernels(payload_bits: int = 0) -> Case:
    """Two kernels (stride, padding, groups), a recurrent population, a skip with a delay; chance labels."""
    rng = np.random.default_rng(3)
    first = Kernel(rng.integers(-3, 4, (4, 2, 3, 3)), (2, 6, 5), (4, 3, 3), stride=(2, 2), padding=(1, 1))
    second = Kernel(rng.integers(-3, 4, (4, 2, 2, 2)), (4, 3, 3), (4, 3, 2), groups=2)
    network = Network(
        "kernels",
        (Input("in", 60, payload_bits),),
        (
            Population("a", 36, "lif", {"threshold": 4}),
            Population("b", 24, "cuba_lif", {"threshold": np.arange(24) + 3}),
            Population("o", 5, "lif", {"threshold": 5}),
        ),
        (
            Projection("in", "a", first),
            Projection("a", "b", second),
            Projection("b", "o", rng.integers(-2, 4, (24, 5))),
            Projection("o", "o", rng.integers(-2, 2, (5, 5)), 2),
            Projection("a", "o", rng.integers(-2, 3, (36, 5)), 1),
        ),
        (Output("o"),),
    )
    inputs = rng.integers(1, 1 << max(1, payload_bits), (50, 12, 60)) * (rng.random((50, 12, 60)) < 0.3)
    return network, inputs, rng.integers(0, 5, 50)


CASES: dict[str, Callable[[], Case]] = {"digits": digits, "kernels": kernels, "graded": lambda: kernels(3)}
