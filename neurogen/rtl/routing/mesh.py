"""X-then-Y routing with rectangular multicast: which ports a flit leaves through, from the port where it arrived."""

from amaranth import *
from amaranth.lib import data

from ...spec import packet
from ...spec.config import FabricConfig
from ...spec.topologies.mesh import HOST, Direction
from ..layout import struct

NAME = "mesh"

N, E, S, W, L = Direction
TURNS = {L: (N, E, S, W, L), E: (N, S, W, L), W: (N, E, S, L), N: (S, L), S: (N, L)}
"""Where a flit may leave, by the port of arrival: Y never turns into X, hence no cycle of waiting flits."""


def turns(arrival: Direction, x: int, y: int) -> tuple[Direction, ...]:
    """:data:`TURNS` at node (x, y), where the host's flits start as a core's do and never return."""
    if (x, y, arrival) == HOST:
        return (E, S, L)
    return TURNS[arrival]


def departures(config: FabricConfig, flit: Value, arrival: Direction, x: int, y: int) -> dict[Direction, Value]:
    """One bit for each port that ``flit``, having arrived at node (x, y), may leave through: whether it does.

    To the host: west to column 0, north to row 0 and out. To a rectangle: from the source along its row, both ways if
    need be; from there along every column of the rectangle, both ways; out to every core inside. Combinational.
    """
    layout = data.StructLayout(struct(packet.header(config)).members | struct(packet.rectangle(config)).members)
    head = data.View(layout, flit[: layout.size])
    in_column = (head.x0 <= x) & (x <= head.x1) if arrival not in (N, S) or (x, y, arrival) == HOST else C(1)
    in_row = (head.y0 <= y) & (y <= head.y1)
    to_host = {N: int(x == 0), W: int(x > 0)}
    to_cores = {
        N: in_column & (head.y0 < y),
        E: head.x1 > x,
        S: in_column & (head.y1 > y),
        W: head.x0 < x,
        L: in_column & in_row,
    }
    return {port: Mux(head.host, to_host.get(port, 0), to_cores[port])[0] for port in turns(arrival, x, y)}
