"""When each population works: ticks per step M, depths, and the axonal delay of every projection."""

from dataclasses import dataclass

from ...spec.errors import InputError
from ...spec.network import Network, Projection


@dataclass(frozen=True)
class Schedule:
    """Population p works on step s in tick ``s * step_ticks + depths[p]``."""

    step_ticks: int
    depths: dict[str, int]  # of populations, >= 0
    inputs: frozenset[str]

    def delay_ticks(self, projection: Projection) -> int:
        """Ticks from the source's spike to the target's update; for an input, from tick ``s * step_ticks``."""
        source = 0 if projection.source in self.inputs else self.depths[projection.source]
        return projection.delay * self.step_ticks + self.depths[projection.target] - source

    def phase(self, population: str) -> int:
        """The value of tick mod M at which a population works."""
        return self.depths[population] % self.step_ticks

    @property
    def depth(self) -> int:
        return max(self.depths.values())


def schedule(network: Network, largest: int = 64) -> Schedule:
    """The smallest M for which every spike has at least one tick to travel, and the least depths for it.

    A projection of delay d from a to b asks for ``depth(b) >= depth(a) + 1 - d*M``; a solution exists unless a loop
    asks for more than it gives, which Bellman-Ford finds. Raises InputError if M would exceed ``largest``.
    """
    inputs = frozenset(item.name for item in network.inputs)
    between = [p for p in network.projections if p.source not in inputs]
    for step_ticks in range(1, largest + 1):
        depths = _depths(network, between, step_ticks)
        if depths is not None:
            return Schedule(step_ticks, depths, inputs)
    raise InputError(f"the network's loops need more than {largest} ticks per step, the most that the fabric has")


def _depths(network: Network, between: list[Projection], step_ticks: int) -> dict[str, int] | None:
    """Longest paths from depth 0, or None if they grow without end."""
    depths = {population.name: 0 for population in network.populations}
    for _ in range(len(depths) + 1):
        changed = False
        for projection in between:
            least = depths[projection.source] + 1 - projection.delay * step_ticks
            if depths[projection.target] < least:
                depths[projection.target] = least
                changed = True
        if not changed:
            return depths
    return None


def overlappable(network: Network) -> bool:
    """Whether no event of a sample can arrive in the next one: every projection carries spikes of the same step."""
    return all(projection.delay == 0 for projection in network.projections)
