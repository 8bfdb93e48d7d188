"""The slot scheduler: an event leaves its slot once, when the slot is handed out, and only a duplicate collides.

One (slot, axon), chosen at will, is followed through every interleaving of arrivals, ticks, resets and stalls.
"""

import pytest
from amaranth import *

from neurogen.rtl.scheduler import STORING_CYCLES, Scheduler
from neurogen.spec.config import FabricConfig
from rtl_tests.formal.harness import Proof, prove
from rtl_tests.formal.streams import offer, take, valid_ignores_ready

CORE = {"axons": 4, "neurons": 2, "lanes": 2, "update_lanes": 1, "banks": 2, "delay_slots": 2, "slot_word_bits": 1}


def scheduler_proof(scheduler: Scheduler, bank: int) -> Proof:
    """The chosen axon sits in ``bank``."""
    core = scheduler.config.core
    proof = Proof(f"scheduler_{bank}", scheduler)
    m, event = proof.m, scheduler.events
    slot = proof.constant(core.slot_bits, "any_slot")
    local = proof.constant(range(core.bank_axons), "any_local_axon")
    proof.assume(local < core.bank_axons)
    accept = offer(proof, event)
    proof.drive(scheduler.start, scheduler.slot, scheduler.clear)
    taken = [take(proof, head, f"head {k}") for k, head in enumerate(scheduler.heads)]

    handing_out, started = Signal(), Signal(core.slot_bits)
    current = Mux(scheduler.start, scheduler.slot, started)
    with m.If(scheduler.start):
        m.d.sync += [handing_out.eq(1), started.eq(scheduler.slot)]
    is_stored, before = ~accept, accept
    for _ in range(STORING_CYCLES):
        before = proof.was(before)
        is_stored = is_stored & ~before
    stands = (scheduler.slot == proof.was(scheduler.slot)) & ~proof.was(scheduler.clear)
    proof.assume(~scheduler.start | (scheduler.exhausted & is_stored & stands & ~scheduler.clear))
    proof.assume(~scheduler.clear | (scheduler.exhausted & is_stored & ~event.valid))
    proof.assume(~event.valid | (event.p.axon < core.axons))
    proof.assume(~event.valid | ~(handing_out | scheduler.start) | (event.p.slot != current))

    axon = Cat(C(bank, (core.banks - 1).bit_length()), local)
    chosen = accept & (event.p.slot == slot) & (event.p.axon == axon)
    pending, due = Signal(), Signal()
    head = scheduler.heads[bank]
    delivered = taken[bank] & (head.p.axon == local) & (started == slot)
    with m.If(scheduler.clear):
        m.d.sync += pending.eq(0)
    with m.Elif(scheduler.start & (scheduler.slot == slot)):
        m.d.sync += [due.eq(pending), pending.eq(0)]
    with m.Elif(chosen):
        m.d.sync += pending.eq(1)
    with m.If(delivered):
        m.d.sync += due.eq(0)
    collides, first = chosen & pending, chosen & ~pending
    for _ in range(3):
        collides, first = proof.was(collides), proof.was(first)
    proof.check("an event is handed out once, in its tick", ~delivered | due)
    proof.check("all are handed out", ~(scheduler.exhausted & due) | proof.was(scheduler.start))
    proof.check("a duplicate collides", ~collides | scheduler.collision)
    proof.check("nothing else collides", ~first | ~scheduler.collision)
    last = proof.was_when(taken[bank], head.p.axon)
    any_before = proof.was_when(taken[bank] | scheduler.start, taken[bank] & ~scheduler.start)
    proof.check("axons ascend", ~(head.valid & any_before) | (head.p.axon > last))
    proof.cover("the event is handed out", delivered)
    proof.cover("a duplicate", collides)
    return proof


@pytest.mark.parametrize("bank", range(2))
def test_scheduler(bank):
    prove(scheduler_proof(Scheduler(FabricConfig.parse({"core": CORE})), bank))


def test_valid_ignores_ready():
    valid_ignores_ready(Scheduler(FabricConfig.parse({"core": CORE})))
