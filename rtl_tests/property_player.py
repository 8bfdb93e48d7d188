"""What runs inside the simulator: one fabric, case after case, each against the golden models."""

import json
from pathlib import Path

import cocotb
import numpy as np

from neurogen.host import codec
from neurogen.tb.checker import Checker
from neurogen.tb.driver import FabricDriver

from .property_cases import Case, Coverage, case
from .random_networks import FABRICS

JOB, DONE, FAILED = Path("property.json"), Path("done.json"), Path("failed.json")


@cocotb.test()
async def cases(dut) -> None:
    """The cases first..end of a fabric; ``done.json`` has what they reached, ``failed.json`` the first wrong one."""
    job = json.loads(JOB.read_text())
    driver, coverage, states = None, Coverage(), 0
    for index in range(job["first"], job["end"]):
        drawn = case(job["fabric"], job["seed"], index)
        if driver is None:
            driver = FabricDriver(dut, FABRICS[drawn.fabric], limit=1 << 18)
            await driver.start()
        for name in ("idle", "stall"):
            getattr(dut, name).value = getattr(drawn, name)
        dut.seed.value = index + 1
        try:
            states += await play(driver, drawn, job["exact_cycles"])
        except AssertionError as error:
            FAILED.write_text(json.dumps({"case": str(drawn), "why": str(error)}))
            raise
        coverage.see(drawn)
    counts = dict(coverage.counts) | {"states": states, "clocks": driver.clocks}
    counts |= {"clocks idled": driver.idled, "clocks stalled": driver.stalled}
    DONE.write_text(json.dumps({name: int(count) for name, count in counts.items()}))


async def play(driver: FabricDriver, drawn: Case, exact_cycles: bool) -> int:
    """Load the case's image, run its samples, compare everything; how many states were compared."""
    await driver.exchange(codec.load(drawn.image))
    checker, states = Checker(drawn.image, exact_cycles=exact_cycles), 0
    samples, steps = next(iter(drawn.inputs.values())).shape[:2]
    if drawn.mode == "overlapped":
        records, states = await _run(driver, checker, drawn.inputs, drawn.mode, 0)
        _compare(drawn, codec.outputs(drawn.image, records, samples, steps, True), slice(0, samples))
        return states
    for sample in range(samples):
        inputs = {name: values[sample] for name, values in drawn.inputs.items()}
        records, compared = await _run(driver, checker, inputs, drawn.mode, sample)
        _compare(drawn, codec.outputs(drawn.image, records, 1, steps), slice(sample, sample + 1))
        states += compared
    return states


async def _run(driver: FabricDriver, checker: Checker, inputs, mode: str, sample: int):
    plan = checker.plan(inputs, mode)
    records = await driver.exchange(plan.words)
    return records, checker.check(plan, records, sample).states


def _compare(drawn: Case, found: codec.Outputs, chosen: slice) -> None:
    """The fabric's outputs against the network's."""
    for output in drawn.network.outputs:
        part = "values" if output.values else "spikes"
        wanted = getattr(drawn.expected, part)[output.population][chosen]
        got = getattr(found, part)[output.population]
        assert np.array_equal(got, wanted), f"output {output.population} differs from golden.network"
