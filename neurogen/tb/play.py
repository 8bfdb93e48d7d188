"""The tests that cocotb runs inside a simulator: play a job, which ``neurogen.flow`` left in the working directory.

``job.json`` says what to run; results go to one file for each chunk of samples, whole or not at all, so a run that was
interrupted goes on where it stopped.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject

from ..host import codec, data
from ..spec.image import Image
from .checker import Checker, Mismatch
from .driver import FabricDriver
from .plan import Planner
from .play_files import IMAGE, MISMATCH, PROGRESS, SAMPLES, SPEED, Job, result


class Player:
    """A job, the fabric that it runs on, and how far it is."""

    def __init__(self, dut: HierarchyObject):
        self.job, self.image = Job.read(Path()), Image.load(IMAGE)
        self.driver = FabricDriver(dut, self.image.config, self.job.idle, self.job.stall, self.job.seed)
        with np.load(SAMPLES) as arrays:
            self.inputs = {name: arrays[f"input.{i}"] for i, name in enumerate(self.image.input_sizes)}
        self._started = 0.0

    async def start(self) -> None:
        await self.driver.start()
        if self.job.load:
            await self.driver.exchange(codec.load(self.image))
        self._started = time.perf_counter()

    def items(self) -> Iterator[tuple[str, int, dict[str, np.ndarray], str]]:
        """The items that have no result yet, with their inputs (B, T, n) or pixels (B, n)."""
        for index, (name, first, end, mode) in enumerate(self.job.items):
            if not result(name).exists():
                self.driver.disturb(index >= self.job.undisturbed)
                yield name, first, {key: values[first:end] for key, values in self.inputs.items()}, mode
            data.replace(PROGRESS, json.dumps([index + 1, len(self.job.items)]).encode())

    def speed(self) -> None:
        """Note how fast the simulator was."""
        seconds = time.perf_counter() - self._started
        found = {"clocks": self.driver.clocks, "seconds": seconds, "idled": self.driver.idled,
                 "stalled": self.driver.stalled}  # fmt: skip
        SPEED.write_text(json.dumps(found))


@cocotb.test()
async def simulate(dut: HierarchyObject) -> None:
    """Outputs of every item."""
    player = Player(dut)
    await player.start()
    for name, _, inputs, mode in player.items():
        samples, steps = codec.extent(player.image, inputs)
        overlapped = mode == "overlapped"
        words = codec.samples(player.image, inputs, overlapped)
        records = await player.driver.exchange(words)
        found = codec.outputs(player.image, records, samples, steps, overlapped)
        data.save(result(name), {f"{k}/{n}": v for k, part in vars(found).items() for n, v in part.items()})
    player.speed()


@cocotb.test()
async def verify(dut: HierarchyObject) -> None:
    """Every item against the golden model; the first difference is left in ``mismatch.json``."""
    player = Player(dut)
    planner = Planner(player.image, player.job.states, seed=player.job.seed)
    checker = Checker(player.image)
    await player.start()
    for name, first, inputs, mode in player.items():
        if mode != "overlapped":
            inputs = {key: values[0] for key, values in inputs.items()}
        plan = planner.plan(inputs, mode)
        stalled = player.driver.stalled
        records = await player.driver.exchange(plan.words)
        try:
            found = checker.check(plan, records, first, stalled=player.driver.stalled != stalled)
        except Mismatch as mismatch:
            MISMATCH.write_text(json.dumps({k: v if isinstance(v, str) else int(v) for k, v in mismatch.where.items()}))
            raise
        counts = np.array(list(vars(found).values()))
        data.save(result(name), {"counts": counts, "fired": plan.fired, "reached": plan.reached})
    player.speed()
