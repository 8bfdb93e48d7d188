"""Runs inside a simulator: the fabric's bench around a queue that sends every word back."""

from pathlib import Path

import cocotb
import numpy as np

from neurogen.host import codec
from neurogen.spec.words import Response
from neurogen.tb.driver import FabricDriver, Stuck
from rtl_tests.random_networks import FABRICS

CONFIG = FABRICS["lif_1x1"]
WORDS = 5000


def spikes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Words that come back as SPIKE messages, since opcode 1 has that meaning on the way out."""
    return (rng.integers(0, CONFIG.lines, count) << 4 | Response.SPIKE).astype(np.uint32)


@cocotb.test()
async def words_pass_whatever_the_bench_holds_back(dut):
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    clocks = []
    for idle, stall in ((0, 0), (100, 0), (0, 100), (128, 200)):
        driver = FabricDriver(dut, CONFIG, idle, stall, seed=5)
        driver.chunks = len(clocks)
        await driver.start()
        before = driver.clocks, driver.idled, driver.stalled
        words = spikes(rng, WORDS)
        records = await driver.exchange(words)
        assert np.array_equal(records.value, words >> 4) and (records.kind == Response.SPIKE).all()
        spent, idled, stalled = np.subtract((driver.clocks, driver.idled, driver.stalled), before).tolist()
        assert (idled > WORDS // 4) == bool(idle) and (stalled > WORDS // 4) == bool(stall), (idled, stalled)
        clocks.append(spent)
    assert clocks[0] < WORDS + 20 < min(clocks[1:])
    Path("clocks.txt").write_text(str(clocks))


@cocotb.test()
async def a_fabric_that_stops_is_reported(dut):
    driver = FabricDriver(dut, CONFIG, limit=1000)
    await driver.start()
    await driver.exchange(spikes(np.random.default_rng(1), 10))
    words = np.append(spikes(np.random.default_rng(1), 10), codec.reset(CONFIG))  # RESET stops the stand-in
    try:
        await driver.exchange(words)
    except Stuck as stuck:
        assert str(stuck) == "no word for 1000 clocks; 10 came before"
    else:
        raise AssertionError("the bench did not notice")
