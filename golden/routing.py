"""Which routers a packet passes on the mesh, drawn as a tree: a trunk along the row, branches along the columns.

A node is (x, y), x to the east and y to the south. The host hangs north of (0, 0) and enters there.
"""

from collections.abc import Iterator

Node = tuple[int, int]


def cores(rectangle: tuple[int, int, int, int]) -> list[Node]:
    """The cores of a rectangle x0, x1, y0, y1, both ends included."""
    x0, x1, y0, y1 = rectangle
    return [(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]


def sends_to_host(source: Node) -> list[Node]:
    """The router of every flit that one packet to the host takes: west along the row, then north and out."""
    x, y = source
    return [(column, y) for column in range(x, 0, -1)] + [(0, row) for row in range(y, -1, -1)]


def sends_to_cores(source: Node, rectangle: tuple[int, int, int, int]) -> list[Node]:
    """The router of every flit that one packet to a rectangle of cores takes; a router that forks appears repeatedly.

    The trunk spans the source's row from the source to the furthest columns; every column of the rectangle has
    a branch from that row to the rectangle's furthest rows, and one flit for each core.
    """
    x, y = source
    x0, x1, y0, y1 = rectangle
    trunk = [(column, y) for column in _span(x, x0, x1)]
    branches = [(column, row) for column in range(x0, x1 + 1) for row in _span(y, y0, y1)]
    return trunk + branches + cores(rectangle)


def _span(start: int, low: int, high: int) -> Iterator[int]:
    """Positions that pass a flit on so that it gets from ``start`` to both ``low`` and ``high``."""
    yield from range(start, low, -1)
    yield from range(start, high)
