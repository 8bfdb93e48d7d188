"""What may be assumed of a stream's other side, and what every stream block must keep.

* An item that is offered stays offered, unchanged, until it is taken; ``valid`` does not wait for ``ready``.
* Items leave as they came: none lost, none twice, none in front of an earlier one.
"""

from amaranth import *
from amaranth.hdl import ValueLike
from amaranth.lib import wiring

from rtl_tests.formal.harness import Proof, depends


def offer(proof: Proof, target) -> Value:
    """Offer free items to the input stream ``target``, by the rules. Returns whether one is taken in this clock."""
    m, shape = proof.m, Value.cast(target.payload).shape()
    name = f"offer_{len(proof.inputs)}"
    waiting, kept = proof.was(target.valid & ~target.ready), proof.was(target.payload)
    m.d.comb += [
        target.valid.eq(waiting | proof.free(1, f"{name}_valid")),
        Value.cast(target.payload).eq(Mux(waiting, kept, proof.free(shape, f"{name}_payload"))),
    ]
    return target.valid & target.ready


def take(proof: Proof, source, name: str = "o") -> Value:
    """Be ready for items of the output stream ``source`` at will, and check the rules. Returns whether one is taken."""
    proof.drive(source.ready)
    waiting, kept = proof.was(source.valid & ~source.ready), proof.was(source.payload)
    proof.check(f"{name} stays offered", ~waiting | source.valid)
    proof.check(f"{name} stays unchanged", ~(waiting & source.valid) | (Value.cast(source.payload) == kept))
    proof.cover(f"{name} waits and is taken", waiting & source.valid & source.ready)
    return source.valid & source.ready


def in_order(
    proof: Proof, *, enter, leave, item: ValueLike, seen: ValueLike, capacity: int, name: str = "items"
) -> Signal:
    """Check a block of one clock's latency or more: what enters leaves in the same order, each item exactly once.

    One item, chosen at will among all, is followed to its exit. ``item`` is what it must be there when it enters,
    ``seen`` what leaves. Returns the number of items inside.
    """
    m = proof.m
    inside = proof.counter(up=enter, down=leave, limit=capacity + 1)
    chosen, expected, ahead = proof.free(1, f"{name}_chosen"), Signal.like(Value.cast(item)), Signal.like(inside)
    followed, arrived = Signal(), Signal()
    m.d.comb += arrived.eq(followed & (ahead == 0) & leave)
    with m.If(enter & chosen & ~followed):
        m.d.sync += [followed.eq(1), expected.eq(item), ahead.eq(inside - leave)]
    with m.Elif(arrived):
        m.d.sync += followed.eq(0)
    with m.Elif(leave):
        m.d.sync += ahead.eq(ahead - (ahead != 0))
    proof.check(f"{name} are at most {capacity}", inside <= capacity)
    proof.check(f"{name} leave after they came", ~leave | (inside != 0))
    proof.check(f"{name} leave unchanged and in order", ~arrived | (Value.cast(seen) == expected))
    proof.cover(f"{name} arrive while the block is full", arrived & (inside == capacity))
    return inside


def bounded(proof: Proof, name: str, waiting: ValueLike, *, limit: int, reset: ValueLike = 0) -> None:
    """Check that ``waiting`` is never high for more than ``limit`` clocks in a row; ``reset`` restarts the count."""
    waited = Signal(range(limit + 2))
    with proof.m.If(~Value.cast(waiting).bool() | reset):
        proof.m.d.sync += waited.eq(0)
    with proof.m.Elif(waited <= limit):
        proof.m.d.sync += waited.eq(waited + 1)
    proof.check(f"{name} within {limit} clocks", waited <= limit)


def outputs(block: wiring.Component, member=None, path=()) -> list[str]:
    """Names of the output streams of ``block``, as in its netlist."""
    found = []
    for path, member, _ in block.signature.flatten(block):
        if path[-1] == "valid" and member.flow is wiring.Out:
            found.append("__".join(str(part) for part in path[:-1]))
    return found


def valid_ignores_ready(block: wiring.Component) -> None:
    """Check that no output's ``valid`` follows from its own ``ready`` in the same clock."""
    names = outputs(block)
    assert names, f"{type(block).__name__} has no output stream"
    for name in names:
        assert not depends(block, f"{name}__valid", f"{name}__ready"), f"{name}.valid waits for {name}.ready"
