"""The overflow proof: no order of additions can leave the accumulator, because both one-sided sums fit it."""

from dataclasses import dataclass

import numpy as np

from ..spec.errors import InputError
from ..spec.fixed import signed_bits_for
from ..spec.network import Network


@dataclass(frozen=True)
class Extremes:
    """The largest sum of positive and of negative products that can reach each neuron of a population in one tick."""

    positive: np.ndarray
    negative: np.ndarray

    @property
    def bits(self) -> np.ndarray:
        """The accumulator width that each neuron needs."""
        pairs = zip(self.negative, self.positive, strict=True)
        return np.array([signed_bits_for(int(low), int(high)) for low, high in pairs])


def extremes(network: Network, population: str) -> Extremes:
    """Sums over all projections, an input's payload at its largest."""
    size = network.population(population).size
    payloads = {item.name: (1 << item.payload_bits) - 1 if item.payload_bits else 1 for item in network.inputs}
    positive, negative = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for projection in network.incoming(population):
        factor = payloads.get(projection.source, 1)
        positive += factor * projection.one_sided[0]
        negative += factor * projection.one_sided[1]
    return Extremes(positive, negative)


def accumulator_bits(network: Network) -> int:
    """The narrowest accumulator that no neuron can overflow."""
    return max(int(extremes(network, population.name).bits.max()) for population in network.populations)


def prove(network: Network, bits: int) -> None:
    """Raise InputError naming the neuron and the width it needs, unless every neuron's sums fit ``bits``."""
    for population in network.populations:
        needed = extremes(network, population.name).bits
        worst = int(needed.argmax())
        if needed[worst] > bits:
            raise InputError(
                f"the accumulator is too narrow: neuron {worst} of {population.name!r} needs {needed[worst]} bits,"
                f" accumulator_bits is {bits}"
            )
