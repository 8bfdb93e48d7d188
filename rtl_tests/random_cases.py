"""Random networks with inputs and an image: what benches run."""

from dataclasses import dataclass

import numpy as np

from neurogen.spec.image import Image
from neurogen.spec.network import Network
from rtl_tests.hand_image import hand_image, roomy
from rtl_tests.random_networks import FABRICS, Sizes, random_events, random_network


@dataclass(frozen=True)
class Case:
    """``inputs``: name -> integers (B, T, n)."""

    network: Network
    inputs: dict[str, np.ndarray]
    image: Image


def random_case(name: str, seed: int, samples: int = 3, steps: int = 6, density: float = 0.4) -> Case:
    """A network and its image on a roomy version of the fabric ``name``, populations on random cores."""
    rng = np.random.default_rng([seed, *name.encode()])
    network = random_network(FABRICS[name], rng, Sizes(populations=4, neurons=9, inputs=5))
    inputs = {item.name: random_events(item, rng, samples, steps, density) for item in network.inputs}
    config = roomy(FABRICS[name])
    return Case(network, inputs, hand_image(network, config, rng.permutation(config.nodes).tolist()))
