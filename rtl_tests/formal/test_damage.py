"""Every proof fails where its block is broken, and says which claim.

Where one damage breaks several claims, any of them may be the one that the counterexample shows.
"""

import re

import pytest

from neurogen.spec.config import FabricConfig
from neurogen.spec.topologies.mesh import Direction
from rtl_tests.formal import test_barrier, test_neurons, test_router, test_scheduler, test_streams
from rtl_tests.formal.damage import damaged
from rtl_tests.formal.harness import Refuted, depends, prove


def queue(m):
    return test_streams.queue_proof(m.Queue(shape=2))


def gate(m):
    return test_streams.gate_proof(m.Gate(shape=1, seed=1, stall=5))


def lookup(m):
    return test_streams.lookup_proof(m.Lookup(row=1, rows=2, tag=1))


def router(m):
    return test_router.router_proof(m.Router(test_router.CONFIG, 1, 1), Direction.N)[0]


def outbox(m):
    return test_router.outbox_proof(m.Outbox(shape=1, inputs=3))


def barrier(m):
    return test_barrier.barrier_proof(m.Barrier(FabricConfig.parse({"width": 2, "height": 2})))


def scheduler(m):
    return test_scheduler.scheduler_proof(m.Scheduler(FabricConfig.parse({"core": test_scheduler.CORE})), 0)


DAMAGE = [
    (queue, "streams", "back_valid | self.i.valid", "self.i.valid", "items|offers|level"),
    (queue, "streams", "Mux(back_valid, back, self.i.payload)", "self.i.payload", "unchanged"),
    (gate, "streams", "m.If(~(self.o.valid & ~self.o.ready))", "m.If(C(1))", "o stays offered"),
    (lookup, "streams", "self.i.ready.eq(~fetched.valid | fetched.ready)", "self.i.ready.eq(1)", "stays offered|busy"),
    (
        router,
        "router",
        "self.waiting.eq(self.waiting & ~self.leaving)",
        "self.waiting.eq(self.waiting)",
        "flit . leaves",
    ),
    (router, "router", "Mux(accept, arriving.branches, 0)", "arriving.branches", "flit . leaves"),
    (outbox, "router", "is_free.eq(~self.o.valid | self.o.ready)", "is_free.eq(1)", "grants whenever it can"),
    (outbox, "router", ".eq(i > j)", ".eq(i < j)", "no more than the others go before"),
    (barrier, "barrier", " & (window == 0)", "", "quiet|quiescent"),
    (barrier, "barrier", " & (sent == 0)", "", "quiet|quiescent"),
    (
        scheduler,
        "scheduler",
        "Mux(is_second_last, second_last, Mux(was_pending, before, 0))",
        "before",
        "collide|handed out",
    ),
    (scheduler, "scheduler", "is_counted.eq(chosen(", "is_counted.eq(1 | chosen(", "collide|handed out"),
]


@pytest.mark.parametrize(
    ("build", "module", "old", "new", "claim"), DAMAGE, ids=lambda value: getattr(value, "__name__", "")
)
def test_proof_fails_on_a_broken_block(build, module, old, new, claim):
    with pytest.raises(Refuted) as refuted:
        prove(build(damaged(module, old, new)))
    print(refuted.value)
    assert any(re.search(claim, name) for name in refuted.value.names), refuted.value.names


def test_neuron_proof_fails_on_a_broken_neuron():
    lif = damaged("neurons.lif", "Mux(t.refractory.any(), t.reset_value, t.x)", "t.x")
    with pytest.raises(AssertionError, match="differs from golden"):
        test_neurons.prove_equal("lif", lif.Neuron(test_neurons.narrow("lif"), 4), test_neurons.mode_sets("lif")[0])


def test_vacuous_proof_fails():
    proof = queue(damaged("streams", "back_valid | self.i.valid", "back_valid | self.i.valid"))
    proof.assume(~proof.block.i.valid)
    with pytest.raises(AssertionError, match="vacuous"):
        prove(proof)


def test_valid_that_waits_for_ready_is_found():
    broken = damaged("streams", "self.o.valid.eq(front_valid)", "self.o.valid.eq(front_valid & self.o.ready)")
    assert depends(broken.Queue(shape=1), "o__valid", "o__ready")
