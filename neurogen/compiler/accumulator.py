"""The overflow proof: no order of additions can leave the accumulator, because both one-sided sums fit it."""

from dataclasses import dataclass

import numpy as np

from ..spec.errors import InputError
from ..spec.fixed import signed_bits_for, signed_range
from ..spec.network import Network
from ..spec.neurons import sum as sum_model


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


def extremes(network: Network, population: str, loop: tuple[str, ...] = ()) -> Extremes:
    """Sums over all projections, every event at its smallest or largest.

    Raises InputError where sums are passed on round a loop, for then nothing bounds them; ``loop`` are those that ask.
    """
    size = network.population(population).size
    positive, negative = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for projection in network.incoming(population):
        low, high = payloads(network, projection.source, loop)
        if np.ndim(low) == 0:
            above, below = projection.one_sided
        else:
            above, below = (part(projection.dense, 0) for part in (np.maximum, np.minimum))
        positive += np.dot(high, above) + np.dot(low, below)
        negative += np.dot(low, above) + np.dot(high, below)
    return Extremes(positive, negative)


def payloads(network: Network, source: str, loop: tuple[str, ...] = ()) -> tuple[int | np.ndarray, int | np.ndarray]:
    """Smallest (0 or less) and largest payload of a source's events: of each neuron, (n,), where it passes sums on."""
    for item in network.inputs:
        if item.name == source:
            return 0, item.largest
    population = network.population(source)
    if not population.graded:
        return 0, 1
    if population.model != sum_model.NAME:
        return signed_range(population.widths["v"])
    if source in loop:
        raise InputError(f"the sums of {source!r} are passed on round a loop, so nothing bounds them")
    found = extremes(network, source, (*loop, source))
    return found.negative, found.positive


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
