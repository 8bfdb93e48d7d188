"""DenseRows: sums are exact, arrive after its latency, and every row reads back."""

import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from neurogen.flow.emit import emit
from neurogen.rtl.image_memory import synapse_memory
from neurogen.rtl.memory_port import READ_CYCLES
from neurogen.rtl.synapses.dense import DenseRows
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.fields import bits_to_ints
from neurogen.spec.fixed import signed_range

CASES = {
    "one_bank": {"banks": 1, "lanes": 4, "neurons": 8},
    "two_banks": {"banks": 2, "lanes": 2, "neurons": 6, "weight_bits": 5},
    "four_banks_graded": {"banks": 4, "lanes": 4, "neurons": 16, "payload_bits": 3, "accumulator_bits": 14},
    "two_banks_signed": {"banks": 2, "lanes": 4, "neurons": 8, "payload_bits": 4, "payload_signed": True}
    | {"weight_bits": 3, "accumulator_bits": 9},
    "eight_banks_one_group": {"banks": 8, "lanes": 8, "neurons": 8, "weight_bits": 2, "accumulator_bits": 4},
    "four_banks_registered": {"banks": 4, "lanes": 4, "neurons": 8, "payload_bits": 2, "memory_registers": True},
    "two_banks_in_spram": {"banks": 2, "lanes": 4, "neurons": 12, "synapse_memory": "spram"},
}


def store(name: str) -> tuple[FabricConfig, np.ndarray, DenseRows, list[list[int]]]:
    """A configuration, random weights (K, rows, P) with both extremes, the store that holds them, and rows to load."""
    config = FabricConfig(core=CoreConfig(axons=24, update_lanes=1, **CASES[name]))
    core = config.core
    low, high = signed_range(core.weight_bits)
    weights = np.random.default_rng(3).integers(low, high + 1, size=(core.banks, core.rows, core.lanes))
    weights[0, 0], weights[-1, -1] = low, high
    bits = (weights[..., None] >> np.arange(core.weight_bits)) & 1
    init = [bits_to_ints(bank.astype(np.uint8).reshape(core.rows, -1)) for bank in bits]
    if core.synapse_memory == "spram":
        return config, weights, DenseRows(config), init
    return config, weights, DenseRows(config, init=init), []


async def load(ctx, dut, banks):
    """Write rows through the configuration's port."""
    for bank, rows in enumerate(banks):
        for row, value in enumerate(rows):
            ctx.set(dut.port.bank, bank)
            ctx.set(dut.port.row, row)
            ctx.set(dut.port.write_data, value)
            ctx.set(dut.port.write, 1)
            await ctx.tick()
    ctx.set(dut.port.write, 0)


def run(dut, *benches):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("name", CASES)
def test_sums_are_those_of_the_enabled_banks(name):
    config, weights, dut, missing = store(name)
    core = config.core
    rng = np.random.default_rng(seed := 9)
    print(f"seed {seed}")
    steps = 300
    valid = rng.random(steps) < 0.7
    groups = rng.integers(core.groups, size=steps)
    enabled = rng.random((steps, core.banks)) < rng.choice([0.0, 0.6, 1.0], size=(steps, 1))
    valid &= enabled.any(axis=1)
    rows = rng.integers(core.rows, size=(steps, core.banks))
    low, high = core.payload_range
    payloads = rng.integers(low, high + 1, size=(steps, core.banks)) if core.payload_bits else np.zeros_like(rows)
    factors = payloads if core.payload_bits else np.ones_like(payloads)
    picked = weights[np.arange(core.banks), rows] * (factors * enabled)[..., None]
    half = 1 << (core.accumulator_bits - 1)
    sums = (picked.sum(axis=1) + half) % (2 * half) - half
    expected = [(int(groups[t]), sums[t].tolist()) for t in range(steps) if valid[t]]
    seen, times = [], []

    async def drive(ctx):
        await load(ctx, dut, missing)
        for t in range(steps + dut.latency_cycles + 1):
            ctx.set(dut.step.valid, int(t < steps and valid[t]))
            if t < steps:
                ctx.set(dut.step.group, int(groups[t]))
                for bank in range(core.banks):
                    ctx.set(dut.step.banks[bank].enable, int(enabled[t, bank]))
                    ctx.set(dut.step.banks[bank].row, int(rows[t, bank]))
                    ctx.set(dut.step.banks[bank].payload, int(payloads[t, bank]))
            if ctx.get(dut.sums.valid):
                seen.append((ctx.get(dut.sums.group), [ctx.get(dut.sums.lanes[p]) for p in range(core.lanes)]))
                times.append(t - dut.latency_cycles)
            await ctx.tick()

    run(dut, drive)
    assert seen == expected
    assert times == np.flatnonzero(valid).tolist(), "sums do not come latency_cycles after their step"
    assert enabled[valid].all(axis=1).any()
    assert not enabled[valid].all() or core.banks == 1


@pytest.mark.parametrize("name", CASES)
def test_rows_read_back_before_and_after_writing(name):
    config, weights, dut, missing = store(name)
    core = config.core
    mask = (1 << core.weight_bits) - 1

    async def read(ctx, bank, row):
        ctx.set(dut.port.bank, bank)
        ctx.set(dut.port.row, row)
        ctx.set(dut.port.read, 1)
        await ctx.tick()
        ctx.set(dut.port.read, 0)
        await ctx.tick().repeat(READ_CYCLES - 1)
        value = ctx.get(dut.port.read_data)
        await ctx.tick().repeat(2)
        assert ctx.get(dut.port.read_data) == value, "read data does not hold"
        return [value >> (core.weight_bits * lane) & mask for lane in range(core.lanes)]

    async def bench(ctx):
        await load(ctx, dut, missing)
        for bank in range(core.banks):
            for row in (0, core.rows - 1):
                assert await read(ctx, bank, row) == (weights[bank, row] & mask).tolist()
        fresh = sum((lane + 1 & mask) << (core.weight_bits * lane) for lane in range(core.lanes))
        for bank in range(core.banks):
            ctx.set(dut.port.bank, bank)
            ctx.set(dut.port.row, 1)
            ctx.set(dut.port.write_data, fresh)
            ctx.set(dut.port.write, 1)
            await ctx.tick()
            ctx.set(dut.port.write, 0)
            assert await read(ctx, bank, 1) == [lane + 1 & mask for lane in range(core.lanes)]
            assert await read(ctx, bank, 0) == (weights[bank, 0] & mask).tolist()
            if bank + 1 < core.banks:
                assert await read(ctx, bank + 1, 1) == (weights[bank + 1, 1] & mask).tolist()

    run(dut, bench)


def test_contents_at_power_up_are_refused_in_spram():
    with pytest.raises(ValueError, match="synapses in SPRAM are loaded"):
        synapse_memory(CoreConfig(synapse_memory="spram"), width=16, rows=2, init=[1, 2])


def test_spram_is_emitted_without_contents():
    config, _, dut, _ = store("two_banks_in_spram")
    text = emit(dut, "rows").verilog
    assert text.count('ram_style = "huge"') == config.core.banks
    assert not re.search(r"bank_\d\[", text.split("always")[0]), "a memory is initialised"
