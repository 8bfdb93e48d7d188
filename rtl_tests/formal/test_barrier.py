"""The barrier never calls a busy fabric quiet, always calls a quiet one quiet, starts all nodes in one clock."""

import pytest
from amaranth import *

from neurogen.rtl.barrier import Barrier
from neurogen.spec.config import FabricConfig
from rtl_tests.formal.harness import Proof, prove
from rtl_tests.formal.streams import bounded


def barrier_proof(barrier: Barrier) -> Proof:
    """Nodes are free, but for what the fabric guarantees: a node becomes busy in the clock after it saw release or
    reset, or if a packet came from a node that was busy, or from the host."""
    proof = Proof(f"barrier_{barrier.config.nodes}", barrier)
    m, control = proof.m, barrier.control
    started = Cat(barrier.release) | Cat(barrier.reset)
    busy = Signal(len(barrier.busy))
    m.d.comb += [node.eq(bit) for node, bit in zip(barrier.busy, busy, strict=True)]
    proof.drive(busy, control.release, control.reset, control.sending, control.timebase)
    may_start = proof.was(busy.any() | control.sending).replicate(len(busy)) | proof.was(started)
    proof.assume((busy & ~may_start) == 0)
    proof.assume((proof.was(started) & ~busy) == 0)
    proof.assume(~(control.release | control.reset) | control.quiescent)
    proof.assume(~(control.release & control.reset))
    proof.assume(~control.sending | ~(control.release | control.reset))

    starts = control.release | control.reset | control.sending
    quiet_before = proof.was(control.quiescent & ~starts)
    proof.check("quiescent only if no node is busy", ~(control.quiescent & busy.any()))
    proof.check("quiescent until something starts", ~quiet_before | control.quiescent | control.sending)
    proof.check("quiet until something starts", ~quiet_before | ~busy.any())
    everywhere = (started == 0) | started.all()
    proof.check("all nodes start in the same clock", everywhere)
    bounded(proof, "quiescent", ~control.quiescent & ~busy.any() & ~starts, limit=2 * barrier.round_trip_cycles)
    released = control.release
    for _ in range(barrier.latency_cycles):
        released = proof.was(released)
    proof.check("released once, after the latency", Cat(barrier.release).any() == released)
    worked = proof.was_when(control.sending | busy.any(), 1)
    proof.cover("a tick starts after another", control.release & worked)
    proof.cover("all nodes work", busy.all())
    return proof


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 2), (3, 2), (5, 4)])
def test_barrier(width, height):
    prove(barrier_proof(Barrier(FabricConfig.parse({"width": width, "height": height}))))
