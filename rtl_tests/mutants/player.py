"""What runs inside the simulator: mutant after mutant, each until a case fails."""

import json
from functools import cache
from pathlib import Path

import cocotb
from cocotb.triggers import Timer, ValueChange, with_timeout

from neurogen.tb.driver import FabricDriver
from rtl_tests.property_cases import ALL_FABRICS, Case, case
from rtl_tests.property_player import play

from .fabrics import register

JOB, VERDICTS, AT_WORK = Path("job.json"), Path("verdicts.jsonl"), Path("at_work.json")
QUIET_CYCLES = 1 << 14
"""Without a word for so long the fabric is stuck: ticks of these fabrics take some hundreds of clocks."""
CASE_NS = 20_000_000
"""Cases take less than a tenth of this; a fabric that sends words for ever is stopped here."""
CLOCK_NS = 10


@cocotb.test()
async def trials(dut) -> None:
    """Try the job's mutants; adds a line [mutant, how it failed or null] to ``verdicts.jsonl`` for each.

    Ends early where the intact fabric does not work any more after a mutant that failed.
    """
    register()
    job = json.loads(JOB.read_text())
    bench = Bench(dut, job)
    await bench.driver.start()
    for mutant in job["mutants"]:
        AT_WORK.write_text(json.dumps(mutant))
        verdict = await bench.judge(mutant, range(*job["cases"]))
        with VERDICTS.open("a") as file:
            file.write(json.dumps([mutant, verdict]) + "\n")
        if verdict and mutant != job["mutants"][-1]:
            await bench.restart()
            if await bench.judge(0, range(job["cases"][0], job["cases"][0] + 1)):
                return


class Bench:
    """The bench around a fabric. Where ``job["gated"]`` is null, the fabric has ``mutant`` and ``open`` to be set."""

    def __init__(self, dut, job: dict):
        self.dut, self.job = dut, job
        self.driver = FabricDriver(dut, ALL_FABRICS[job["fabric"]], limit=QUIET_CYCLES)

    async def judge(self, mutant: int, cases: range) -> str | None:
        """How the first case fails, or None if all pass."""
        for index in cases:
            gated = index % 2 == 1 if self.job["gated"] is None else self.job["gated"]
            if self.job["gated"] is None:
                self.dut.fabric.mutant.value, self.dut.fabric.open.value = mutant, int(not gated)
            drawn = draw(self.job["fabric"], self.job["seed"], index)
            self.dut.idle.value, self.dut.stall.value, self.dut.seed.value = drawn.idle, drawn.stall, index + 1
            try:
                await with_timeout(play(self.driver, drawn, exact_cycles=not gated), CASE_NS, "ns")
            # What a damaged fabric answers can break the bench anywhere; an intact one passes the same cases.
            except Exception as error:
                return f"case {index}{', gated' if gated else ''}: {type(error).__name__}: {error}"
        return None

    async def restart(self) -> None:
        """Reset the fabric, intact, and wait for the end of what the bench is still doing."""
        self.dut.fabric.mutant.value, self.dut.cycles.value = 0, 0
        if int(self.dut.request.value) != int(self.dut.served.value):
            await ValueChange(self.dut.served)
        self.dut.cycles.value = 0
        await Timer(10 * CLOCK_NS, unit="ns")
        chunks = self.driver.chunks
        self.driver = FabricDriver(self.dut, ALL_FABRICS[self.job["fabric"]], limit=QUIET_CYCLES)
        self.driver.chunks = chunks


@cache
def draw(fabric: str, seed: int, index: int) -> Case:
    return case(fabric, seed, index)
