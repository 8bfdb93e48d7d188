"""What runs inside the simulator: cases until one fails."""

import json
from pathlib import Path

import cocotb
from cocotb.triggers import with_timeout

from neurogen.tb.driver import FabricDriver
from rtl_tests.property_cases import case
from rtl_tests.property_player import play
from rtl_tests.random_networks import FABRICS

from .fabrics import register

JOB, VERDICT = Path("job.json"), Path("verdict.json")
QUIET_CYCLES = 1 << 14
"""Without a word for so long the fabric is stuck: ticks of these fabrics take some hundreds of clocks."""
CASE_NS = 20_000_000
"""Cases take less than a tenth of this; a fabric that sends words for ever is stopped here."""


@cocotb.test()
async def trial(dut) -> None:
    """Play the job's cases; ``verdict.json`` names the first that fails and how, or is null."""
    register()
    job = json.loads(JOB.read_text())
    driver = FabricDriver(dut, FABRICS[job["fabric"]], limit=QUIET_CYCLES)
    await driver.start()
    VERDICT.write_text(json.dumps({"kind": "Crash", "why": "the simulator stops"}))  # unless something better follows
    for index in range(job["first"], job["end"]):
        drawn = case(job["fabric"], job["seed"], index)
        dut.idle.value, dut.stall.value, dut.seed.value = drawn.idle, drawn.stall, index + 1
        try:
            await with_timeout(play(driver, drawn, job["exact_cycles"]), CASE_NS, "ns")
        # What a damaged fabric answers can break the bench anywhere; an intact one passes the same cases.
        except Exception as error:
            VERDICT.write_text(json.dumps({"kind": type(error).__name__, "why": f"case {index}: {error}"}))
            return
    VERDICT.write_text("null")
