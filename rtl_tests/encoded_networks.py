"""A network whose input lines go to several places: what encoders of pixels are tested with."""

import numpy as np

from neurogen.spec.network import Input, Network, Output, Population, Projection

NEURON = {"threshold": 900, "leak_shift": 2}


def branching(seed: int, lines: int = 10, first: int = 6, second: int = 3, loop: bool = False) -> Network:
    """Pixels as currents into ``first`` neurons a, these into ``second`` neurons b, and the pixels past them into b, so
    that lines have two entries; with a ``loop``, b reaches a too."""
    rng = np.random.default_rng(seed)

    def joined(source: str, target: str, *shape: int, scale: int = 1, delay: int = 0) -> Projection:
        return Projection(source, target, scale * rng.integers(-7, 8, shape), delay=delay)

    projections = [
        joined("in", "a", lines, first),
        joined("a", "b", first, second, scale=100),
        joined("in", "b", lines, second),
    ]
    if loop:
        projections.append(joined("b", "a", second, first, delay=1))
    return Network(
        "branching",
        (Input("in", lines, payload_bits=8),),
        (Population("a", first, "lif", NEURON), Population("b", second, "lif", NEURON)),
        tuple(projections),
        (Output("b"), Output("a")),
    )
