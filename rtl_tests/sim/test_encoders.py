"""Every encoder in hardware makes the golden model's events, and the host port sends each before its tick."""

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.encoders import Coder
from neurogen.rtl import encoders
from neurogen.rtl.barrier import Barrier
from neurogen.rtl.host_port import HostPort
from neurogen.rtl.pixel_port import Unpacker
from neurogen.rtl.streams import Stalls
from neurogen.spec import packet, rows, words
from neurogen.spec.config import EncoderConfig, FabricConfig
from neurogen.spec.packet import Kind
from neurogen.spec.words import Command, Register, Response
from rtl_tests.sim.hosts import command, events, heard, peek, poke
from rtl_tests.sim.streams import plain, simulate, sink, source

FULLS = (255, 16, 1)
STEPS = {255: 16, 16: 7, 1: 1}


def encoder_of(name: str, full: int = 255, lines: int = 37, **more) -> EncoderConfig:
    parameters = {"full": full} | ({"least": full // 10} if name == "latency" else {})
    return EncoderConfig.parse({"name": name, "lines": lines, "steps": STEPS[full], "parameters": parameters} | more)


def random_pixels(rng, config: EncoderConfig, density: float) -> np.ndarray:
    return rng.integers(0, config.full + 1, config.lines) * (rng.random(config.lines) < density)


def expected(config: EncoderConfig, pixels: np.ndarray) -> list[list[tuple[int, int]]]:
    """(line, payload) of every step, sorted."""
    found = Coder(config).events(pixels[None])[0]
    return [[(int(line), int(step[line])) for line in np.flatnonzero(step)] for step in found]


@pytest.mark.parametrize("name", encoders.encoders())
@pytest.mark.parametrize("full", FULLS)
@pytest.mark.parametrize("idle, stall, seed", [(0.0, 0.0, 1), (0.3, 0.5, 2)])
def test_a_unit_makes_the_golden_models_events(name, full, idle, stall, seed):
    print(f"seed {seed}")
    config, rng = encoder_of(name, full), np.random.default_rng([seed, full])
    samples = [random_pixels(rng, config, density) for density in (0.0, 0.3, 1.0, 0.6)]
    unit, taken, waited, found, clocks = encoders.encoder(name).Unit(config), [], [], [], []

    async def drive(ctx):
        for pixels in samples:
            ctx.set(unit.clear, 1)
            await ctx.tick()
            ctx.set(unit.clear, 0)
            items = [{"line": int(line), "value": int(pixels[line])} for line in np.flatnonzero(pixels)]
            await source(unit.pixels, items, seed=seed, idle=idle)(ctx)
            await ctx.tick().until(~unit.busy)
            for _ in range(config.steps):
                taken.clear()
                ctx.set(unit.step, 1)
                await ctx.tick()
                ctx.set(unit.step, 0)
                clocks.append(1)
                while ctx.get(unit.busy):
                    await ctx.tick()
                    clocks[-1] += 1
                found.append(sorted((item["line"], item["value"]) for item in taken))

    simulate(unit, drive, background=[sink(unit.events, taken, seed=seed, stall=stall, stalls=waited)])
    wanted = [step for pixels in samples for step in expected(config, pixels)]
    assert found == wanted, f"seed {seed}"
    assert sum(map(len, wanted)) > 3 and [] in wanted and bool(waited) == bool(stall)
    if not stall:
        listed = [np.count_nonzero(pixels) for pixels in samples for _ in range(config.steps)]
        longest = [2 * len(step) + 2 if name == "latency" else n + 4 for step, n in zip(wanted, listed, strict=True)]
        assert all(took <= most for took, most in zip(clocks, longest, strict=True))


@pytest.mark.parametrize("lines, full", [(8, 255), (9, 16), (11, 255), (1, 3)])
def test_words_become_pixels_and_what_fills_the_last_word_up_does_not(lines, full):
    config = EncoderConfig.parse({"name": "rate", "lines": lines, "steps": 1, "parameters": {"full": full}})
    unpacker, taken, waited = Unpacker(config), [], []
    rng, filled = np.random.default_rng(lines), -(-lines // 4) * 4
    raw = rng.integers(1, 256, filled) * (rng.random(filled) < 0.7)
    raw[lines:] = 255
    wanted = [(int(i), min(int(raw[i]), full)) for i in np.flatnonzero(raw[:lines])]

    async def drive(ctx):
        ctx.set(unpacker.start, 1)
        await ctx.tick()
        ctx.set(unpacker.start, 0)
        assert ctx.get(unpacker.busy)
        await source(unpacker.words, raw.astype(np.uint8).view("<u4").tolist(), seed=5)(ctx)
        await ctx.tick().until(~unpacker.busy)
        assert not ctx.get(unpacker.words.ready)

    simulate(unpacker, drive, background=[sink(unpacker.pixels, taken, seed=6, stall=0.4, stalls=waited)])
    assert [(item["line"], item["value"]) for item in taken] == wanted
    assert wanted and (waited or lines == 1)


class Bench(wiring.Component):
    """A host port with an encoder, its barrier, and nothing behind it but a leaf that the test keeps busy."""

    def __init__(self, config, entries, stalls=None, period_ticks=1):
        self.config, self.entries, self.stalls, self.period_ticks = config, entries, stalls, period_ticks
        word, flit = stream.Signature(32), stream.Signature(packet.flit_bits(config))
        super().__init__(
            {"words_in": In(word), "words_out": Out(word), "packets_out": Out(flit)}
            | {"busy": In(1), "release": Out(1)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.barrier = barrier = Barrier(self.config)
        m.submodules.host = host = HostPort(
            self.config, period_ticks=self.period_ticks, entries_init=self.entries, stalls=self.stalls
        )
        connect(m, host.barrier, barrier.control)
        for name in ("words_in", "words_out", "packets_out"):
            connect(m, getattr(host, name), flipped(getattr(self, name)))
        for leaf in barrier.busy:
            m.d.comb += leaf.eq(self.busy)
        m.d.comb += self.release.eq(barrier.release[-1])
        return m


class Table:
    """Random entries, ``ways`` for each line, some unused."""

    def __init__(self, config, rng):
        layout, core, encoder = rows.entry(config), config.core, config.encoder
        self.config, self.entries = config, []
        for _ in range(encoder.entries):
            x, y = (sorted(rng.integers(side, size=2).tolist()) for side in (config.width, config.height))
            where = {"x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1]}
            axon, delay = int(rng.integers(core.axons)), int(rng.integers(core.delay_slots - 1))
            self.entries.append(where | {"axon": axon, "delay": delay, "used": int(rng.random() < 0.8)})
        self.rows = [layout.pack(**entry) for entry in self.entries]

    def packets(self, step: list[tuple[int, int]], tick: int) -> list[int]:
        core, encoder, layout = self.config.core, self.config.encoder, packet.to_core(self.config)[Kind.SPIKE]
        found = []
        for line, payload in step:
            for entry in self.entries[line :: encoder.lines]:
                if entry["used"]:
                    body = {key: entry[key] for key in ("x0", "x1", "y0", "y1", "axon")}
                    slot = (tick + entry["delay"]) % core.delay_slots
                    body["payload"] = payload if core.payload_bits else 0
                    found.append(layout.pack(kind=Kind.SPIKE, host=0, slot=slot, **body))
        return sorted(found)


def image_words(config, pixels) -> list[int]:
    padded = np.zeros(-(-len(pixels) // 4) * 4, dtype=np.uint8)
    padded[: len(pixels)] = pixels
    return command(config, Command.PIXELS, *padded.view("<u4").tolist())


def play(bench, script, answers, seed, stall=0.4, idle=0.2):
    """What came back, and the packets before each release."""
    received, ticks, stalls = [], [[]], []
    rng = np.random.default_rng(seed)

    async def nodes(ctx):
        left, waiting = 0, None
        while True:
            ready = int(rng.random() >= stall)
            ctx.set(bench.packets_out.ready, ready)
            ctx.set(bench.busy, int(left > 0))
            probes = bench.release, bench.packets_out.valid, bench.packets_out.payload
            _, _, release, valid, payload = await ctx.tick().sample(*probes)
            assert waiting is None or (valid and payload == waiting), "a packet changed while it waited"
            waiting = plain(payload) if valid and not ready else None
            stalls.append(waiting is not None)
            left = max(left - 1, 0)
            if valid and ready:
                ticks[-1].append(plain(payload))
                left = max(left, int(rng.integers(1, 4)))
            if release:
                assert not left, "released while busy"
                ticks.append([])
                left = int(rng.integers(8))

    async def finish(ctx):
        while len(heard(bench.config, received)) < answers:
            await ctx.tick().repeat(5)
        await ctx.tick().repeat(30)

    simulate(
        bench,
        source(bench.words_in, script, seed=seed, idle=idle),
        finish,
        background=[nodes, sink(bench.words_out, received, seed=seed + 1, stall=0.2)],
    )
    assert any(stalls) == bool(stall)
    return heard(bench.config, received), [sorted(tick) for tick in ticks]


def fabric_of(name: str, ways: int, steps: int = 5, **more) -> FabricConfig:
    core = {"axons": 16, "neurons": 4, "lanes": 4, "banks": 1, "update_lanes": 1, "delay_slots": 8, "payload_bits": 8}
    encoder = encoder_of(name, lines=23, ways=ways, steps=steps).model_dump()
    return FabricConfig.parse({"width": 2, "height": 3, "core": core, "encoder": encoder} | more)


@pytest.mark.parametrize("name", encoders.encoders())
@pytest.mark.parametrize(
    "ways, period, gates, host_port, seed",
    [(1, 1, None, "full", 1), (3, 2, None, "full", 2), (2, 1, 9, "full", 3), (2, 2, None, "small", 4)],
)
def test_every_event_is_sent_before_its_tick(name, ways, period, gates, host_port, seed):
    """Ticks between the steps, the host's own events, a sample that is cut short, and silence after the last step."""
    print(f"seed {seed}")
    config, rng = fabric_of(name, ways, host_port=host_port), np.random.default_rng(seed)
    table, encoder = Table(config, rng), config.encoder
    samples = [random_pixels(rng, encoder, 0.6) for _ in range(3)]
    more = encoder.steps * period + 3
    own = {"x0": 1, "x1": 1, "axon": 9}
    script, wanted = [], []
    for pixels, ticks in zip(samples, (more, 2 * period, more), strict=True):
        steps = expected(encoder, pixels)
        script += events(config, 0, own) + image_words(config, pixels)
        script += command(config, Command.ADVANCE, count=ticks - 1) + command(config, Command.ADVANCE, count=1)
        script += command(config, Command.RESET)
        for tick in range(ticks):
            due = steps[tick // period] if tick % period == 0 and tick // period < encoder.steps else []
            wanted.append(table.packets(due, tick))
        layout = packet.to_core(config)[Kind.SPIKE]
        extra = layout.pack(kind=Kind.SPIKE, host=0, y0=0, y1=0, slot=0, payload=0, **own)
        wanted[-ticks] = sorted([*wanted[-ticks], extra])
    script += command(config, Command.ADVANCE, count=2)  # reset forgets the pixels
    wanted += [[], []]
    dut = Bench(config, table.rows, Stalls(gates), period)
    found, ticks = play(dut, script + peek(config, Register.ERRORS), len(wanted) + len(samples) + 1, seed)
    assert ticks[:-1] == wanted and ticks[-1] == [], f"seed {seed}"
    assert found[-1] == (Response.PEEKED, Register.ERRORS, 0)
    assert sum(map(len, wanted)) > 15 and any(entry["used"] == 0 for entry in table.entries)


def test_events_of_the_host_that_wait_at_the_start_of_a_step_go_first():
    """They come in the few clocks between ticks that were ordered together, and the mesh hardly takes anything."""
    ticks = 30
    config = fabric_of("current", 1, steps=ticks)
    config = FabricConfig.parse(config.model_dump() | {"core": config.core.model_dump() | {"delay_slots": 64}})
    table = Table(config, np.random.default_rng(7))
    pixels = np.array([7, 7] + [0] * (config.encoder.lines - 2))
    own = {"x0": 1, "x1": 1, "axon": 9}
    script = image_words(config, pixels) + command(config, Command.ADVANCE, count=ticks)
    script += events(config, ticks, *[own] * 60) + peek(config, Register.ERRORS)
    found, sent = play(Bench(config, table.rows), script, ticks + 1, seed=8, stall=0.8, idle=0.95)
    layout = packet.to_core(config)[Kind.SPIKE]
    host = layout.pack(kind=Kind.SPIKE, host=0, y0=0, y1=0, slot=ticks % config.core.delay_slots, payload=0, **own)
    step = expected(config.encoder, pixels)[0]
    assert [[flit for flit in tick if flit != host] for tick in sent[:ticks]] == [
        table.packets(step, tick) for tick in range(ticks)
    ]
    assert sum(tick.count(host) for tick in sent) == 60 and sum(host in tick for tick in sent) > 3
    assert [message[0] for message in found] == [Response.TICK_DONE] * ticks + [Response.PEEKED]


def test_the_table_is_written_and_read_by_registers():
    config = fabric_of("latency", ways=2)
    table = Table(config, np.random.default_rng(4))
    pixels = np.full(config.encoder.lines, 255)
    script = poke(config, Register.ENTRY_ROW, 0)
    script += [word for row in table.rows for word in poke(config, Register.ENTRY, row)]
    script += poke(config, Register.ENTRY_ROW, 3) + peek(config, Register.ENTRY) * 9
    script += poke(config, Register.ENTRY_ROW, 0) + peek(config, Register.ENTRY) + peek(config, Register.ENTRY_ROW)
    script += image_words(config, pixels) + command(config, Command.ADVANCE, count=1)
    found, ticks = play(Bench(config, []), script, 12, seed=4)
    values = [message[2] for message in found if message[0] is Response.PEEKED]
    assert values == [*table.rows[3:12], table.rows[0], 0]
    assert ticks[0] == table.packets(expected(config.encoder, pixels)[0], 0) and len(ticks[0]) > 20


def test_pixels_are_no_command_without_an_encoder():
    config = FabricConfig.parse(fabric_of("rate", 1).model_dump() | {"encoder": None})
    assert Command.PIXELS not in words.commands(config)
    script = [int(Command.PIXELS), *poke(config, Register.ENTRY, 5), *peek(config, Register.ERRORS)]
    found, _ = play(Bench(config, []), script, 1, seed=1, stall=0.0)
    assert found == [(Response.PEEKED, Register.ERRORS, 2)]


def test_in_real_time_ticks_go_on_while_pixels_come():
    """Pixels that come late start their sample at the tick after the last of them; no tick is late for them."""
    config = fabric_of("current", 1)
    table = Table(config, np.random.default_rng(6))
    pixels = np.arange(1, config.encoder.lines + 1)
    script = poke(config, Register.TICK_CYCLES, 90) + image_words(config, pixels)

    async def drip(ctx):
        for word in script:
            await source(bench.words_in, [word], seed=1, idle=0.0)(ctx)
            await ctx.tick().repeat(120)
        await ctx.tick().repeat(90 * 7)
        await source(bench.words_in, peek(config, Register.LATE), seed=1)(ctx)

    bench, received, ticks = Bench(config, table.rows), [], [[]]

    async def nodes(ctx):
        ctx.set(bench.packets_out.ready, 1)
        while True:
            probes = bench.release, bench.packets_out.valid, bench.packets_out.payload
            _, _, release, valid, payload = await ctx.tick().sample(*probes)
            if valid:
                ticks[-1].append(plain(payload))
            if release:
                ticks.append([])

    async def finish(ctx):
        while not any(message[0] is Response.PEEKED for message in heard(config, received)):
            await ctx.tick().repeat(5)

    simulate(bench, drip, finish, background=[nodes, sink(bench.words_out, received, seed=2, stall=0.0)])
    (late,) = [message[2] for message in heard(config, received) if message[0] is Response.PEEKED]
    first = next(index for index, tick in enumerate(ticks) if tick)
    step = expected(config.encoder, pixels)[0]
    assert late == 0 and first >= 4
    for index in range(config.encoder.steps):
        assert sorted(ticks[first + index]) == table.packets(step, first + index)
    assert not any(ticks[first + config.encoder.steps :])
