"""Runs inside a simulator: random images on one core, ticks in which nothing outside holds the fabric up.

Output, counters and clocks are those of the golden model.
"""

import json
from collections import Counter
from pathlib import Path

import cocotb
import numpy as np

from golden.cycles import CoreActivity
from golden.fabric import Fabric, Tick
from neurogen.host import codec
from neurogen.spec.config import FabricConfig
from neurogen.spec.image import Image
from neurogen.spec.memory_map import Region, Status
from neurogen.spec.words import Register, Response
from neurogen.tb.driver import FabricDriver
from rtl_tests.random_images import random_events, random_image

CONFIG, REACHED = Path("config.json"), Path("reached.json")
SEED, IMAGES, STEPS = 7, 12, 40


def script(image: Image, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, list[Tick], Counter]:
    """Words of a sample, no event of which travels while a tick runs, and what the golden model makes of it."""
    golden, words, ticks = Fabric(image), [codec.begin(image, STEPS)], []
    golden.registers[Register.SAMPLE_TICKS] = STEPS
    for tick, events in enumerate(codec.arrivals(image, inputs)):
        golden.events(tick, events.rectangles, events.axons, events.payloads)
        words += [codec.events(image.config, tick, events), codec.advance(image.config)]
        words.append(codec.peek(image.config, Register.TICK))  # waits until the tick is over
        ticks.append(golden.tick())
    words.append(codec.read_region(image.config, 0, Region.STATUS))
    return np.concatenate(words), ticks, Counter(golden.counters(0))


def features(activity: CoreActivity) -> dict[str, bool]:
    """What is remarkable about a tick."""
    packets, words = activity.packets, activity.words
    return {
        "nothing": not len(activity.walks) and not len(activity.visited),
        "no events": not len(activity.walks) and len(activity.visited),
        "walks of different length": len(set(activity.walks.tolist())) > 1,
        "several routes": (packets > 1).any(),
        "no routes": (packets == 0).any(),
        "packets to core and host": 0 in words and 1 in words,
        "values": 2 in words,
        "encoder full": len(activity.vectors) > 4 and activity.emit_cycles > activity.update_cycles + 4,
        "host slower than routes": words.sum() > activity.emit_cycles + 16,
    }


def check_output(records: codec.Records, tick: Tick, where: str) -> None:
    values = records.of(Response.VALUE)
    got = np.column_stack([values.value, values.extra])[np.argsort(values.value, kind="stable")]
    assert sorted(records.of(Response.SPIKE).value.tolist()) == tick.spikes.tolist(), where
    assert got.tolist() == tick.values.tolist(), where


def check_counters(config: FabricConfig, records: codec.Records, total: Counter) -> None:
    """All but the router's, which the golden model does not see being configured."""
    got = codec.decode_status(config, records.of(Response.REPLY).value.tolist()).counters
    for status in set(got) - {Status.HOPS}:
        assert got[status] == total[status] % (1 << config.core.counter_bits), status.name


@cocotb.test()
async def ticks(dut):
    config = FabricConfig.parse(json.loads(CONFIG.read_text()))
    driver, reached, rng = FabricDriver(dut, config), Counter(), np.random.default_rng(SEED)
    total = Counter()  # counters are never cleared
    await driver.start()
    for number in range(IMAGES):
        image = random_image(config, rng)
        words, expected, counters = script(image, inputs := random_events(image, STEPS, rng))
        await driver.exchange(codec.load(image))
        records = await driver.exchange(words)
        done = np.flatnonzero(records.kind == Response.TICK_DONE)
        assert len(done) == STEPS
        check_counters(config, records, total := total + counters)
        for tick, start, end in zip(expected, [0, *done[:-1]], done, strict=True):
            where = f"seed {SEED}, image {number}, tick {tick.tick}: {tick.activity(0)}"
            check_output(records[start:end], tick, where)
            cycles = int(records.extra[end])
            assert cycles == tick.tick_cycles(), f"{cycles} clocks, not {tick.tick_cycles()}; {where}"
            reached.update(name for name, is_so in features(tick.activity(0)).items() if is_so)
            reached["graded groups"] += int(tick.tables.graded[tick.emitted // config.core.lanes].any())
        reached["negative payloads"] += int((inputs["in"] < 0).sum())
    assert driver.stalled == 0
    REACHED.write_text(json.dumps(dict(reached)))
