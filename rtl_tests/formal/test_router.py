"""The five-port router in the centre of a 3 x 3 mesh: a flit leaves by exactly its ports, once, unchanged, in order.

The claims follow one flit, and a second one from the same port, chosen at will among all that ever arrive. A mark tells
them from all others, which may go anywhere. What a flit carries besides its destination is one bit wide here.
"""

import pytest
from amaranth import *
from amaranth.lib import data

from neurogen.rtl.layout import struct
from neurogen.rtl.router import Outbox, Router
from neurogen.spec import packet
from neurogen.spec.config import FabricConfig
from neurogen.spec.topologies.mesh import Direction
from rtl_tests.formal.harness import Proof, prove
from rtl_tests.formal.streams import bounded, take, valid_ignores_ready

N, E, S, W, L = Direction
CONFIG = FabricConfig.parse(
    {"width": 3, "height": 3, "core": {"axons": 4, "neurons": 4, "lanes": 2, "banks": 2, "update_lanes": 1}}
)
X, Y = 1, 1
MOST_CLOCKS = 11
"""From a flit's arrival to the last branch's departure, while all outputs are ready."""
FIRST, SECOND = 1, 2
"""Marks of the two flits that are followed; all others carry 0."""


def head(config: FabricConfig) -> data.StructLayout:
    """The part of a flit that the router looks at, and the mark behind it."""
    fields = struct(packet.header(config)).members | struct(packet.rectangle(config)).members
    return data.StructLayout(fields | {"mark": 2})


def expected(flit, arrival: Direction, x: int, y: int) -> dict[Direction, Value]:
    """Where ``flit`` leaves the router (x, y), as ``docs/architecture.md`` says."""
    within_column = (flit.y0 <= y) & (y <= flit.y1)
    along_column = {N: flit.y0 < y, S: flit.y1 > y, L: within_column}
    along_row = {W: flit.x0 < x, E: flit.x1 > x}
    if arrival in (N, S):
        to_cores = {port: go for port, go in along_column.items() if port is not arrival}
    else:
        branches = (flit.x0 <= x) & (x <= flit.x1)
        to_cores = {port: branches & go for port, go in along_column.items()}
        to_cores |= {port: go for port, go in along_row.items() if arrival is L or port is arrival.opposite}
    to_host = {W: C(int(x > 0))} if x else {N: C(1)}
    return {port: Mux(flit.host, to_host.get(port, 0), to_cores.get(port, 0))[0] for port in Direction}


def possible(flit, config: FabricConfig, arrival: Direction, x: int, y: int) -> Value:
    """Whether ``flit`` can arrive there at all: by a rectangle in the mesh, on the way that leads there."""
    inside = (flit.x0 <= flit.x1) & (flit.x1 < config.width) & (flit.y0 <= flit.y1) & (flit.y1 < config.height)
    in_column = (flit.x0 <= x) & (x <= flit.x1) & ~flit.host if arrival in (N, S) else C(1)
    return inside & in_column & (flit.kind == 0) & ~(flit.host & (arrival == W))


def router_proof(router: Router, arrival: Direction, name: str = "router"):
    """Flits that arrive at ``arrival`` are followed."""
    config, x, y = router.config, router.x, router.y
    proof = Proof(f"{name}_{arrival.name.lower()}", router)
    m, layout = proof.m, head(config)
    all_ready = proof.constant(1, "all_ready")
    phase = Signal(2)  # how many of the two have entered
    for port, i in router.inputs.items():
        waiting, kept = proof.was(i.valid & ~i.ready), proof.was(i.payload[: layout.size])
        flit = Signal(layout, name=f"flit_{port.name}")
        m.d.comb += [
            i.valid.eq(waiting | proof.free(1, f"valid_{port.name}")),
            flit.eq(Mux(waiting, kept, proof.free(layout.size, f"offer_{port.name}"))),
            i.payload.eq(flit),
        ]
        proof.assume(~i.valid | (possible(flit, config, port, x, y)))
        proof.assume(~i.valid | (flit.mark == 0) | (C(int(port is arrival)) & (flit.mark == phase + 1)))
        if port is arrival:
            entering, entered = flit, i.valid & i.ready & (flit.mark != 0)
    with m.If(entered):
        m.d.sync += phase.eq(phase + 1)

    layouts = data.ArrayLayout(len(Direction), 2)
    pending, bodies = Signal(layouts), [Signal(layout, name=f"followed_{mark}") for mark in (FIRST, SECOND)]
    outputs = [
        (port, o, take(proof, o, port.name), data.View(layout, o.payload[: layout.size]))
        for port, o in router.outputs.items()
    ]
    for k, mark in enumerate((FIRST, SECOND)):
        for port, o, taken, flit in outputs:
            is_here = o.valid & (flit.mark == mark)
            proof.check(f"flit {mark} leaves {port.name} once, if it should", ~is_here | pending[k][port])
            proof.check(f"flit {mark} leaves {port.name} unchanged", ~is_here | (o.payload == bodies[k].as_value()))
            with m.If(taken & is_here):
                m.d.sync += pending[k][port].eq(0)
        with m.If(entered & (phase == k)):
            m.d.sync += [bodies[k].eq(entering), pending[k].eq(Cat(expected(entering, arrival, x, y).values()))]
    for port, o, _, flit in outputs:
        overtakes = o.valid & (flit.mark == SECOND) & pending[0][port]
        proof.check(f"{port.name} keeps the order", ~overtakes)
        proof.assume(~all_ready | o.ready)
    proof.check("busy until all have left", router.busy | ~pending.as_value().any())
    return proof, all_ready, pending


@pytest.mark.parametrize("arrival", Direction, ids=lambda port: port.name)
def test_router_forwards_every_flit_exactly_once(arrival):
    proof, *_ = router_proof(Router(CONFIG, X, Y), arrival)
    prove(proof)


@pytest.mark.deep
@pytest.mark.parametrize("arrival", Direction, ids=lambda port: port.name)
def test_router_forwards_within_a_bound(arrival):
    proof, all_ready, pending = router_proof(Router(CONFIG, X, Y), arrival, "router_bound")
    bounded(proof, "flit 1 leaves", all_ready & pending[0].any(), limit=MOST_CLOCKS)
    prove(proof, seconds=3600)


def outbox_proof(outbox: Outbox) -> Proof:
    """Whoever requests keeps requesting until it is granted; one input, chosen at will, is watched."""
    proof = Proof("outbox", outbox)
    m, inputs = proof.m, outbox.inputs
    proof.drive(outbox.requests, *outbox.flits)
    leave = take(proof, outbox.o)
    still_waiting = proof.was(outbox.requests & ~outbox.grants)
    proof.assume((still_waiting & ~outbox.requests) == 0)
    served = outbox.grants.any()
    watched = proof.constant(range(inputs), "watched")
    proof.assume(watched < inputs)
    requests, granted = outbox.requests.bit_select(watched, 1), outbox.grants.bit_select(watched, 1)
    others = Signal(range(inputs + 1))
    with m.If(~requests | granted):
        m.d.sync += others.eq(0)
    with m.Elif(served & (others < inputs)):
        m.d.sync += others.eq(others + 1)
    proof.check("at most one is granted", (outbox.grants & (outbox.grants - 1)) == 0)
    proof.check("only requests are granted", (outbox.grants & ~outbox.requests) == 0)
    proof.check("grants whenever it can", served == (outbox.requests.any() & (~outbox.o.valid | outbox.o.ready)))
    proof.check("no more than the others go before", others < inputs)
    proof.check("what is granted leaves", outbox.o.valid == proof.was(served | (outbox.o.valid & ~outbox.o.ready)))
    flit = Array(outbox.flits)[watched]
    proof.check("with its flit", ~proof.was(granted) | (outbox.o.payload == proof.was(flit)))
    proof.cover("all others go before", granted & (others == inputs - 1))
    proof.cover("leaves", leave)
    return proof


def test_outbox_serves_fairly():
    prove(outbox_proof(Outbox(shape=2, inputs=4)))


def test_valid_ignores_ready():
    valid_ignores_ready(Router(CONFIG, X, Y))
