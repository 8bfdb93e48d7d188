"""Driving and watching streams in Amaranth simulations, with seeded idle and backpressure.

Every random choice comes from a generator that the test seeds, so a failure repeats.
"""

from collections.abc import Awaitable, Callable, Iterable

import numpy as np
from amaranth.lib import data
from amaranth.sim import Simulator

Testbench = Callable[..., Awaitable[None]]

CLOCK_PERIOD = 1e-6


def plain(value):
    """A sampled value as integers, lists and dictionaries, so that it compares and prints."""
    if not isinstance(value, data.Const):
        return value
    layout = data.Layout.cast(value.shape())
    if isinstance(layout, data.ArrayLayout):
        return [plain(value[i]) for i in range(layout.length)]
    return {key: plain(value[key]) for key, _ in layout}


async def put(ctx, stream, payload) -> None:
    """Offer ``payload`` until it is taken."""
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    await ctx.tick().until(stream.ready)
    ctx.set(stream.valid, 0)


async def get(ctx, stream):
    """Take one item."""
    ctx.set(stream.ready, 1)
    (payload,) = await ctx.tick().sample(stream.payload).until(stream.valid)
    ctx.set(stream.ready, 0)
    return plain(payload)


def source(stream, items: Iterable, *, seed: int, idle: float = 0.3) -> Testbench:
    """A testbench that offers ``items`` in order, each after a pause of random length (``idle``: chance of a clock)."""
    rng = np.random.default_rng(seed)

    async def testbench(ctx):
        for item in items:
            while rng.random() < idle:
                await ctx.tick()
            await put(ctx, stream, item)

    return testbench


def sink(stream, taken: list, *, seed: int, stall: float = 0.3, stalls: list | None = None) -> Testbench:
    """A background testbench that takes items into ``taken``, not ready with chance ``stall`` in a clock.

    Checks the stream rules: an item that was offered and not taken is offered again, unchanged. ``stalls``, if given,
    collects the items that had to wait, so that a test can assert that backpressure occurred.
    """
    rng = np.random.default_rng(seed)

    async def testbench(ctx):
        waiting = None
        while True:
            ready = int(rng.random() >= stall)
            ctx.set(stream.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
            item = plain(payload)
            if waiting is not None:
                assert valid, f"offered {waiting} and took the offer back (seed {seed})"
                assert item == waiting, f"offered {waiting}, then {item} (seed {seed})"
            if valid and ready:
                taken.append(item)
            elif valid and stalls is not None:
                stalls.append(item)
            waiting = item if valid and not ready else None

    return testbench


def simulate(dut, *testbenches: Testbench, background: Iterable[Testbench] = (), deadline_cycles: int = 100_000):
    """Run until every testbench has ended; fail after ``deadline_cycles``.

    Background testbenches come first, so that what they drive is in place when the others start.
    """

    async def watchdog(ctx):
        for _ in range(deadline_cycles):  # not tick().repeat(): it cannot be abandoned when the test ends first
            await ctx.tick()
        raise AssertionError(f"no end after {deadline_cycles} clocks")

    simulator = Simulator(dut)
    simulator.add_clock(CLOCK_PERIOD)
    for testbench in (*background, watchdog):
        simulator.add_testbench(testbench, background=True)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()
