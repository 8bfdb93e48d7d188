"""Runs inside a simulator: the link's hardware at its pins, and a line that hates it."""

import json
from pathlib import Path

import cocotb

from neurogen.tb.board import BoardDriver
from rtl_tests.link_fuzz import Trial, play


@cocotb.test()
async def fuzz(dut):
    settings = json.loads(Path("trial.json").read_text())
    driver = BoardDriver(dut)
    await driver.start(quantum=1000)
    trial = Trial(settings["seed"], settings["frames"])
    await play(trial, driver)
    assert driver.damage == 0, "the bench's own noise was to be off"
    Path("trial.txt").write_text(f"{trial}; {driver.clocks} clocks")
