"""The 2-D mesh: x grows to the east, y to the south; nodes are numbered row by row."""

from enum import IntEnum

from ..config import FabricConfig

NAME = "mesh"


class Direction(IntEnum):
    """The ports of a router."""

    N = 0
    E = 1
    S = 2
    W = 3
    L = 4  # the node's own core

    @property
    def opposite(self) -> "Direction":
        """Where a flit that leaves through this port arrives; that of L is L."""
        return Direction.L if self is Direction.L else Direction((self + 2) % 4)


STEPS = {Direction.N: (0, -1), Direction.E: (1, 0), Direction.S: (0, 1), Direction.W: (-1, 0)}
"""Change of (x, y) from a node to its neighbour."""

HOST = (0, 0, Direction.N)
"""Node (x, y) and port where the host port hangs."""


def nodes(config: FabricConfig) -> list[tuple[int, int]]:
    """Coordinates of every node, in the order of their numbers."""
    return [(x, y) for y in range(config.height) for x in range(config.width)]


def neighbours(config: FabricConfig, x: int, y: int) -> dict[Direction, tuple[int, int]]:
    """The nodes beside (x, y), by the port that leads there."""
    found = {direction: (x + dx, y + dy) for direction, (dx, dy) in STEPS.items()}
    return {d: (x, y) for d, (x, y) in found.items() if 0 <= x < config.width and 0 <= y < config.height}
