"""What runs inside the simulator: one fabric, case after case, each against the golden models."""

import json
from pathlib import Path

import cocotb
import numpy as np

from neurogen.host import codec
from neurogen.tb import readback
from neurogen.tb.checker import Checker, Statistics
from neurogen.tb.driver import FabricDriver
from neurogen.tb.plan import Planner

from .property_cases import Case, Coverage, case

JOB, DONE, FAILED = Path("property.json"), Path("done.json"), Path("failed.json")


@cocotb.test()
async def cases(dut) -> None:
    """The cases first..end of a fabric; ``done.json`` has what they reached, ``failed.json`` the first wrong one."""
    job = json.loads(JOB.read_text())
    driver, coverage, compared = None, Coverage(), Statistics()
    for index in range(job["first"], job["end"]):
        drawn = case(job["fabric"], job["seed"], index)
        if driver is None:
            driver = FabricDriver(dut, drawn.image.config, limit=1 << 18)
            await driver.start()
        for name in ("idle", "stall"):
            getattr(dut, name).value = getattr(drawn, name)
        dut.seed.value = index + 1
        try:
            compared.add(await play(driver, drawn, job["exact_cycles"]))
        except AssertionError as error:
            FAILED.write_text(json.dumps({"case": str(drawn), "why": str(error)}))
            raise
        coverage.see(drawn)
    counts = dict(coverage.counts) | {"states": compared.states, "clocks": driver.clocks}
    counts["exact ticks"] = compared.exact_ticks
    counts |= {"clocks idled": driver.idled, "clocks stalled": driver.stalled}
    DONE.write_text(json.dumps({name: int(count) for name, count in counts.items()}))


async def play(driver: FabricDriver, drawn: Case, exact_cycles: bool) -> Statistics:
    """Load the case's image, run its samples, compare everything."""
    await driver.exchange(codec.load(drawn.image))
    if drawn.reads_back:
        readback.check(drawn.image, await driver.exchange(readback.words(drawn.image)))
    planner = Planner(drawn.image, drawn.states, seed=drawn.index if drawn.sends_early else None)
    checker, compared = Checker(drawn.image, exact_cycles=exact_cycles), Statistics()
    samples, steps = next(iter(drawn.inputs.values())).shape[:2]
    if drawn.mode == "overlapped":
        records, compared = await _run(driver, planner, checker, drawn.inputs, drawn.mode, 0)
        _compare(drawn, codec.outputs(drawn.image, records, samples, steps, True), slice(0, samples))
        return compared
    for sample in range(samples):
        inputs = {name: values[sample] for name, values in drawn.inputs.items()}
        records, found = await _run(driver, planner, checker, inputs, drawn.mode, sample)
        _compare(drawn, codec.outputs(drawn.image, records, 1, steps), slice(sample, sample + 1))
        compared.add(found)
    return compared


async def _run(driver: FabricDriver, planner: Planner, checker: Checker, inputs, mode: str, sample: int):
    plan = planner.plan(inputs, mode)
    stalled = driver.stalled
    records = await driver.exchange(plan.words)
    return records, checker.check(plan, records, sample, stalled=driver.stalled != stalled)


def _compare(drawn: Case, found: codec.Outputs, chosen: slice) -> None:
    """The fabric's outputs against the network's."""
    for output in drawn.network.outputs:
        part = "values" if output.values else "spikes"
        wanted = getattr(drawn.expected, part)[output.population][chosen]
        got = getattr(found, part)[output.population]
        assert np.array_equal(got, wanted), f"output {output.population} differs from golden.network"
