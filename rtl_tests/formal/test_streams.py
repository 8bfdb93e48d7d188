"""Gate, Queue, Skid and Lookup keep the stream rules, lose nothing, and answer."""

import pytest
from amaranth import *

from neurogen.rtl.streams import Gate, Lookup, Queue, Skid
from rtl_tests.formal.harness import Proof, prove
from rtl_tests.formal.streams import bounded, in_order, offer, take, valid_ignores_ready


def queue_proof(queue: Queue) -> Proof:
    proof = Proof("queue", queue)
    enter, leave = offer(proof, queue.i), take(proof, queue.o)
    inside = in_order(proof, enter=enter, leave=leave, item=queue.i.payload, seen=queue.o.payload, capacity=2)
    proof.check("level counts the items", queue.level == inside)
    proof.check("ready unless full", queue.i.ready == (inside < 2))
    proof.check("offers what it has", queue.o.valid == (inside > 0))
    return proof


def skid_proof(skid: Skid) -> Proof:
    proof = Proof("skid", skid)
    enter, leave = offer(proof, skid.i), take(proof, skid.o)
    inside = proof.counter(up=enter & ~leave, down=leave & ~enter, limit=2)
    item = Mux(inside > 0, proof.was_when(enter, skid.i.payload), skid.i.payload)
    proof.check("holds one item at most", inside <= 1)
    proof.check("ready unless it holds one", skid.i.ready == (inside == 0))
    proof.check("offers what it has or is offered", skid.o.valid == ((inside > 0) | skid.i.valid))
    proof.check("the oldest item first", ~skid.o.valid | (skid.o.payload == item))
    proof.cover("an item waits", inside > 0)
    return proof


def gate_proof(gate: Gate) -> Proof:
    proof = Proof("gate", gate)
    enter, leave = offer(proof, gate.i), take(proof, gate.o)
    proof.check("takes and gives in the same clock", enter == leave)
    proof.check("gives what it takes", ~gate.o.valid | (gate.i.valid & (gate.o.payload == gate.i.payload)))
    proof.cover("shut", gate.i.valid & gate.o.ready & ~gate.o.valid)
    return proof


def lookup_proof(lookup: Lookup) -> Proof:
    """The row read is what was last written to its address; one address, chosen at will, is watched, and tagged so."""
    proof = Proof("lookup", lookup)
    port, address = lookup.port, proof.constant(lookup.port.row.shape(), "address")
    enter, leave = offer(proof, lookup.i), take(proof, lookup.o)
    proof.drive(port.row, port.write, port.write_data, port.read)
    proof.assume(~(port.read & port.write))
    proof.assume(~((port.read | port.write) & (lookup.busy | lookup.i.valid)))
    stored = Signal(lookup.row)
    with proof.m.If(port.write & (port.row == address)):
        proof.m.d.sync += stored.eq(port.write_data)
    is_watched, was_watched = lookup.i.p.address == address, lookup.o.p.tag[0]
    proof.assume(lookup.i.p.tag[0] == is_watched)
    inside = in_order(
        proof,
        enter=enter,
        leave=leave,
        item=Cat(Mux(is_watched, stored, 0), lookup.i.p.tag),
        seen=Cat(Mux(was_watched, lookup.o.p.row, 0), lookup.o.p.tag),
        capacity=1 + lookup.registered,
    )
    proof.check("busy while it holds a row", lookup.busy == (inside > 0))
    bounded(proof, "takes an address", lookup.i.valid & ~lookup.i.ready & lookup.o.ready & ~port.read, limit=0)
    read = proof.was(proof.was(port.read & (port.row == address)))
    proof.check("the port reads what was written", ~read | (port.read_data == proof.was(proof.was(stored))))
    proof.cover("a written row comes out", leave & (lookup.o.p.row != 0))
    return proof


PROOFS = {
    "queue": lambda: queue_proof(Queue(shape=3)),
    "skid": lambda: skid_proof(Skid(shape=3)),
    "gate": lambda: gate_proof(Gate(shape=2, seed=1, stall=5)),
    "lookup": lambda: lookup_proof(Lookup(row=2, rows=4, tag=2)),
    "lookup with a register": lambda: lookup_proof(Lookup(row=2, rows=4, tag=2, registered=True)),
}


@pytest.mark.parametrize("name", PROOFS)
def test_proof(name):
    prove(PROOFS[name]())


@pytest.mark.parametrize(
    "block", [Queue(shape=1), Skid(shape=1), Gate(shape=1, seed=1, stall=5), Lookup(row=1, rows=2)]
)
def test_valid_ignores_ready(block):
    valid_ignores_ready(block)
