"""Runs inside a simulator: the encoder's emitted Verilog against a few lines of Python."""

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

VECTORS, LANES, GROUP_BITS, SUBGROUP_BITS = 300, 4, 3, 1


async def offer(dut, stream: str, payloads: list[int], rng: np.random.Generator, idle: float) -> None:
    """Send ``payloads``, each held until it is taken."""
    valid, payload, ready = (getattr(dut, f"{stream}__{name}") for name in ("valid", "payload", "ready"))
    for value in payloads:
        while rng.random() < idle:
            await FallingEdge(dut.clk)
        valid.value, payload.value = 1, value
        await RisingEdge(dut.clk)
        while not ready.value:
            await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        valid.value, payload.value = 0, int(rng.integers(1 << len(payload)))


async def take(dut, stream: str, count: int, rng: np.random.Generator, stall: float) -> tuple[list[int], int]:
    """Collect ``count`` payloads and how often one had to wait; an offered payload may not change."""
    valid, payload, ready = (getattr(dut, f"{stream}__{name}") for name in ("valid", "payload", "ready"))
    found, waits, waiting = [], 0, None
    while len(found) < count:
        await FallingEdge(dut.clk)
        ready.value = int(rng.random() >= stall)
        await RisingEdge(dut.clk)
        if waiting is not None:
            assert valid.value and payload.value.to_unsigned() == waiting, "an offered payload changed"
        waiting = payload.value.to_unsigned() if valid.value and not ready.value else None
        waits += waiting is not None
        if valid.value and ready.value:
            found.append(payload.value.to_unsigned())
    return found, waits


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_set_bit_becomes_one_spike(dut):
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    for name in ("vectors__valid", "vectors__payload", "spikes__ready"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    payloads, expected = [], []
    for _ in range(VECTORS):
        group, subgroup, fired = rng.integers([1 << GROUP_BITS, 1 << SUBGROUP_BITS, (1 << LANES) - 1]).tolist()
        fired += 1
        payloads.append(group | subgroup << GROUP_BITS | fired << (GROUP_BITS + SUBGROUP_BITS))
        first = (group << SUBGROUP_BITS | subgroup) * LANES
        expected += [first + lane for lane in range(LANES) if fired >> lane & 1]
    sender = cocotb.start_soon(offer(dut, "vectors", payloads, rng, 0.3))
    found, waits = await take(dut, "spikes", len(expected), rng, 0.4)
    await sender
    assert found == expected
    assert waits > 100, f"backpressure made only {waits} spikes wait"
    await FallingEdge(dut.clk)
    assert not dut.spikes__valid.value and not dut.busy.value
