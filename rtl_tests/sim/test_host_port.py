"""The host port: every command, every register, every refusal; and random scripts against a model in order."""

from collections import deque

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from neurogen.rtl.barrier import Barrier
from neurogen.rtl.host_port import HostPort
from neurogen.rtl.layout import struct
from neurogen.rtl.streams import Stalls
from neurogen.spec import packet, words
from neurogen.spec.config import FabricConfig
from neurogen.spec.packet import Kind
from neurogen.spec.words import Command, Register, Response
from rtl_tests.sim.hosts import command, events, heard, peek, poke, write
from rtl_tests.sim.meshes import config_of
from rtl_tests.sim.streams import plain, simulate, sink, source

CONFIG = config_of(2, 3, delay_slots=8, axons=16, payload_bits=3, values=True)
SMALL = FabricConfig.parse(CONFIG.model_dump() | {"host_port": "small"})
SLOTS = CONFIG.core.delay_slots
LATENCY = 2  # levels of the barrier's trees for six nodes


class Bench(wiring.Component):
    """A host port and its barrier; the test plays the rest of the fabric."""

    def __init__(self, stalls=None, config=CONFIG):
        self.stalls, self.config = stalls, config
        word, flit = stream.Signature(32), stream.Signature(packet.flit_bits(CONFIG))
        timebase = struct(words.timebase(CONFIG))
        super().__init__(
            {"words_in": In(word), "words_out": Out(word), "packets_out": Out(flit), "packets_in": In(flit)}
            | {"busy": In(1), "release": Out(1), "reset": Out(1), "timebase": Out(timebase)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.barrier = barrier = Barrier(CONFIG)
        m.submodules.host = host = HostPort(self.config, stalls=self.stalls)
        connect(m, host.barrier, barrier.control)
        for name in ("words_in", "words_out", "packets_out", "packets_in"):
            connect(m, getattr(host, name), flipped(getattr(self, name)))
        for leaf in barrier.busy:
            m.d.comb += leaf.eq(self.busy)
        m.d.comb += [getattr(self, name).eq(getattr(barrier, name)[-1]) for name in ("release", "reset", "timebase")]
        return m


class Nodes:
    """Plays the fabric: works for a while in every tick, sends what it is told to, answers READs.

    ``packets``: (kind, fields, next tick to be released, oldest whose slot is in use, clock). ``releases``: (clock,
    timebase).
    """

    def __init__(self, dut, seed=0, *, work=lambda tick: 3, output=lambda tick: (), idle=0.0):
        self.dut, self.work, self.output, self.idle = dut, work, output, idle
        self.rng = np.random.default_rng(seed)
        self.packets, self.releases, self.resets, self.memory, self.pending = [], [], [], [], []
        self.clock, self.left, self.outbox = 0, 0, deque()
        self.tick, self.done = 0, 0

    async def testbench(self, ctx):
        dut = self.dut
        probes = (dut.release, dut.reset, dut.timebase, dut.packets_out.valid, dut.packets_out.payload)
        offering = False
        while True:
            ready = int(self.rng.random() >= self.idle)
            offering = bool(self.outbox) and (offering or self.rng.random() >= self.idle)
            ctx.set(dut.packets_out.ready, ready)
            ctx.set(dut.packets_in.valid, offering)
            if offering:
                ctx.set(dut.packets_in.payload, self.outbox[0])
            ctx.set(dut.busy, int(self.left > 0 or bool(self.outbox)))
            _, _, *seen, taken = await ctx.tick().sample(*probes, dut.packets_in.ready)
            self.clock += 1
            self.left = max(self.left - 1, 0)
            if offering and taken:
                self.outbox.popleft()
                offering = False
            self._see(*seen, ready)

    def _see(self, release, reset, timebase, valid, payload, ready):
        if release:
            assert not self.left and not self.outbox, "released while busy"
            self.releases.append((self.clock, plain(timebase)))
            self.left = self.work(self.tick)
            self.done = self.clock + self.left
            self.outbox.extend(self.output(self.tick))
            self.tick += 1
        if reset:
            assert not self.left and not self.outbox, "reset while busy"
            self.resets.append(self.clock)
            self.tick = 0
        if valid and ready:
            kind = Kind(payload & 7)
            oldest = self.tick - (self.clock <= self.done)
            self.pending.append(len(self.outbox))
            self.packets.append((kind, packet.to_core(CONFIG)[kind].unpack(payload), self.tick, oldest, self.clock))
            self.left = max(self.left, 2)
            if kind is Kind.READ:
                layout = packet.to_host(CONFIG)[Kind.REPLY]
                for _ in range(self.packets[-1][1]["count"]):
                    self.outbox.append(layout.pack(kind=Kind.REPLY, host=1, data=self.memory.pop(0)))


def run(script, *, answers, dut=None, seed=0, idle=0.0, stall=0.0, memory=(), extra=(), **behaviour):
    """Say ``script`` and wait for ``answers`` responses; returns them and the nodes."""
    dut = dut or Bench()
    nodes = Nodes(dut, seed, idle=idle, **behaviour)
    nodes.memory = list(memory)
    received, stalls = [], []

    async def finish(ctx):
        while len(received) < answers or len(heard(CONFIG, received)) < answers:
            await ctx.tick().repeat(5)
        await ctx.tick().repeat(30)

    simulate(
        dut,
        source(dut.words_in, script, seed=seed + 1, idle=idle),
        finish,
        *extra,
        background=[nodes.testbench, sink(dut.words_out, received, seed=seed + 2, stall=stall, stalls=stalls)],
        deadline_cycles=20_000,
    )
    nodes.stalled = len(stalls)
    return heard(CONFIG, received), nodes


def kinds(nodes):
    return [
        (kind, {k: v for k, v in fields.items() if k not in ("kind", "host")}) for kind, fields, *_ in nodes.packets
    ]


WHERE = {"x0": 1, "x1": 1, "y0": 2, "y1": 2}
TARGET = command(CONFIG, Command.TARGET, **WHERE)


def test_configuration_reaches_the_target_in_order():
    script = TARGET + command(CONFIG, Command.SETADDR, address=0x123) + write(CONFIG, 1, 2, 3) + write(CONFIG, 4, 5)
    script += write(CONFIG) + command(CONFIG, Command.READ, count=2) + command(CONFIG, Command.READ, count=0)
    found, nodes = run(script, answers=2, memory=[77, 0xBEEF])
    expected = [(Kind.SETADDR, WHERE | {"address": 0x123})]
    expected += [(Kind.WRITE, WHERE | {"data": data}) for data in (1, 2, 3, 4, 5)] + [(Kind.READ, WHERE | {"count": 2})]
    assert kinds(nodes) == expected
    assert found == [(Response.REPLY, 77), (Response.REPLY, 0xBEEF)]


def test_one_read_is_outstanding():
    script = TARGET + command(CONFIG, Command.READ, count=3) + command(CONFIG, Command.SETADDR, address=5)
    script += command(CONFIG, Command.READ, count=1)
    found, nodes = run(script, answers=4, memory=[1, 2, 3, 4], idle=0.5, stall=0.8)
    assert [kind for kind, _ in kinds(nodes)] == [Kind.READ, Kind.SETADDR, Kind.READ]
    assert nodes.pending == [0, 0, 0]  # replies that had not left when the packet came
    assert found == [(Response.REPLY, data) for data in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "x0, x1, y0, y1", [(0, 1, 0, 0), (0, 0, 0, 1), (0, 0, 3, 3)], ids=["two wide", "two high", "outside"]
)
def test_a_read_of_anything_but_one_core_is_an_error(x0, x1, y0, y1):
    script = command(CONFIG, Command.TARGET, x0=x0, x1=x1, y0=y0, y1=y1)
    script += command(CONFIG, Command.READ, count=5) + peek(CONFIG, Register.ERRORS)
    found, nodes = run(script, answers=1)
    assert found == [(Response.PEEKED, Register.ERRORS, 1)]
    assert nodes.packets == []


def test_registers():
    values = {
        Register.SAMPLE_TICKS: 0xFFFF,
        Register.PERIOD_TICKS: 1 << CONFIG.phase_bits,
        Register.DEPTH: (1 << CONFIG.depth_bits) - 1,
        Register.OVERLAPPED: 1,
        Register.TICK_CYCLES: 0xFFFFFFFF,
    }
    script = [word for register, value in values.items() for word in poke(CONFIG, register, value)]
    script += [word for register in Register for word in peek(CONFIG, register)]
    script += [word for value in (7, 0) for word in poke(CONFIG, value, 5)]  # read only
    script += [11, 15, *command(CONFIG, Command.NOP), *poke(CONFIG, Register.ERRORS, 0), *poke(CONFIG, 12, 0)]
    script += command(CONFIG, Command.PEEK, register=13) + peek(CONFIG, Register.ERRORS)
    found, _ = run(script, answers=len(Register) + 2)
    digest = int(CONFIG.digest[-8:], 16)
    expected = {register: 0 for register in Register} | {Register.IDENTITY: digest} | values
    assert found[: len(Register)] == [(Response.PEEKED, *item) for item in expected.items()]
    assert found[len(Register) :] == [(Response.PEEKED, 13, 0), (Response.PEEKED, Register.ERRORS, 6)]


def test_a_small_port_knows_few_registers():
    script = poke(SMALL, Register.TICK_CYCLES, 4) + poke(SMALL, Register.DEPTH, 1)
    script += [word for register in Register for word in peek(SMALL, register)]
    found, _ = run(script, answers=len(Register), dut=Bench(config=SMALL))
    known = {Register.IDENTITY: int(SMALL.digest[-8:], 16), Register.ERRORS: 1}
    assert found == [(Response.PEEKED, register, known.get(register, 0)) for register in Register]


def test_an_idle_tick_and_a_reset():
    script = command(CONFIG, Command.ADVANCE, count=0) + command(CONFIG, Command.ADVANCE, count=3)
    script += command(CONFIG, Command.RESET) + command(CONFIG, Command.ADVANCE, count=1)
    found, nodes = run(script, answers=5, work=lambda tick: 5 * tick)
    idle = 2 * LATENCY + 1
    assert found == [
        *((Response.TICK_DONE, tick, idle + 5 * tick) for tick in range(3)),
        (Response.RESET_DONE,),
        (Response.TICK_DONE, 0, idle),
    ]
    clocks = [clock for clock, _ in nodes.releases]
    assert [clocks[1] - clocks[0], clocks[2] - clocks[1]] == [idle + 2, idle + 5 + 2]


def test_output_of_a_tick_precedes_its_end_and_nothing_is_lost_when_the_host_is_slow():
    layouts = packet.to_host(CONFIG)

    def output(tick):
        for line in range(20):
            if line % 3:
                yield layouts[Kind.SPIKE].pack(kind=Kind.SPIKE, host=1, line=line)
            else:
                yield layouts[Kind.VALUE].pack(kind=Kind.VALUE, host=1, line=line, value=-tick - line)

    script = command(CONFIG, Command.ADVANCE, count=4)
    found, nodes = run(script, answers=84, output=output, stall=0.9)
    expected = []
    for tick in range(4):
        for line in range(20):
            value = (Response.VALUE, line, (-tick - line) % (1 << 32))
            expected.append((Response.SPIKE, line) if line % 3 else value)
        expected.append((Response.TICK_DONE, tick))
    assert [message[:2] if message[0] is Response.TICK_DONE else message for message in found] == expected
    assert nodes.stalled > 50


def test_events_outside_the_window_are_refused_and_counted():
    script = command(CONFIG, Command.ADVANCE, count=5)
    offsets = (-1, 0, SLOTS - 2, SLOTS - 1, -2, 1)
    for offset in offsets:
        item = {**WHERE, "axon": offset % 16, "payload": 5}
        script += events(CONFIG, 5 + offset, item, item)
    script += peek(CONFIG, Register.REFUSED) + peek(CONFIG, Register.TICK) + peek(CONFIG, Register.ERRORS)
    found, nodes = run(script, answers=8)
    assert found[5:] == [
        (Response.PEEKED, Register.REFUSED, 6),
        (Response.PEEKED, Register.TICK, 5),
        (Response.PEEKED, Register.ERRORS, 0),
    ]
    taken = [(Kind.SPIKE, WHERE | {"axon": n, "slot": (5 + n) % SLOTS, "payload": 5}) for n in (0, SLOTS - 2, 1)]
    assert kinds(nodes) == [item for item in taken for _ in range(2)]


def expected_timebase(position, tick, settings):
    """The words of ``spec.words.timebase``, taken literally."""
    length, largest = settings[Register.SAMPLE_TICKS], (1 << CONFIG.depth_bits) - 1
    ended = bool(not settings[Register.OVERLAPPED] and length and position >= length)
    return {
        "slot": tick % SLOTS,
        "phase": tick % settings[Register.PERIOD_TICKS],
        "opening": min(position, largest),
        "closing": min(position - length, largest) if ended else None,
        "ended": int(ended),
        "restart": int(settings[Register.OVERLAPPED] and position <= settings[Register.DEPTH]),
    }


class Script:
    """A random script and, in order, what must come of it."""

    def __init__(self, rng, overlapped):
        length, period = int(rng.integers(1, 12)), int(rng.integers(1, 1 + (1 << CONFIG.phase_bits)))
        depth = int(rng.integers(0, length + 1))
        self.settings = {
            Register.SAMPLE_TICKS: length * (rng.random() < 0.8),
            Register.PERIOD_TICKS: period,
            Register.DEPTH: depth,
            Register.OVERLAPPED: int(overlapped),
        }
        self.words = [w for register, value in self.settings.items() for w in poke(CONFIG, register, int(value))]
        self.rng, self.next, self.position = rng, 0, 0
        self.answers, self.timebases, self.events, self.refused = [], [], [], 0
        for _ in range(60):
            rng.choice([self.send, self.advance, self.end], p=[0.5, 0.4, 0.1])()
        self.words += peek(CONFIG, Register.REFUSED)
        self.answers.append((Response.PEEKED, Register.REFUSED, self.refused))

    def send(self):
        tick, count = self.next + int(self.rng.integers(-2, SLOTS + 2)), int(self.rng.integers(0, 6))
        self.words += events(CONFIG, tick, *({"axon": axon} for axon in range(count)))
        if self.next <= tick <= self.next + SLOTS - 2:
            self.events += [(tick, axon) for axon in range(count)]
        else:
            self.refused += count

    def advance(self):
        count = int(self.rng.choice([0, 1, 1, 1, 2, 3, 2 * SLOTS]))
        self.words += command(CONFIG, Command.ADVANCE, count=count)
        self.ticks(count)

    def ticks(self, count):
        for _ in range(count):
            self.timebases.append(expected_timebase(self.position, self.next, self.settings))
            self.answers.append((Response.TICK_DONE, self.next))
            self.next += 1
            self.position += 1
            if self.settings[Register.OVERLAPPED] and self.position == self.settings[Register.SAMPLE_TICKS]:
                self.position = 0

    def end(self):
        drained = self.rng.random() < 0.5
        self.words += command(CONFIG, Command.END_SAMPLE if drained else Command.RESET)
        self.ticks(self.settings[Register.DEPTH] if drained else 0)
        self.answers.append((Response.RESET_DONE,))
        self.next = self.position = 0


@pytest.mark.parametrize("config", [CONFIG, SMALL], ids=["full", "small"])
@pytest.mark.parametrize("overlapped", [False, True], ids=["drained", "overlapped"])
@pytest.mark.parametrize("seed", range(4))
def test_random_scripts_do_what_they_say(seed, overlapped, config):
    print(f"seed {seed}")
    rng = np.random.default_rng([seed, overlapped])
    script = Script(rng, overlapped)
    lengths = rng.integers(0, 20, 50)
    stalls = Stalls(seed) if seed % 2 else None
    found, nodes = run(
        script.words,
        answers=len(script.answers),
        dut=Bench(stalls, config),
        seed=seed,
        idle=0.3 * (seed > 1),
        stall=0.3,
        work=lambda tick: int(lengths[tick % 50]),
    )
    assert [message[:2] if message[0] is Response.TICK_DONE else message for message in found] == script.answers
    assert len(nodes.releases) == len(script.timebases) > 50
    for (_, timebase), expected in zip(nodes.releases, script.timebases, strict=True):
        if expected["closing"] is None:
            timebase.pop("closing"), expected.pop("closing")
        assert timebase == expected
    assert [(fields["slot"], fields["axon"]) for _, fields, *_ in nodes.packets] == [
        (tick % SLOTS, axon) for tick, axon in script.events
    ]
    ahead = []
    for (tick, _), (_, _, following, oldest, _) in zip(script.events, nodes.packets, strict=True):
        assert following <= tick < oldest + SLOTS
        ahead.append(tick - oldest)
    assert len(set(ahead)) > 3 and max(ahead) >= SLOTS - 2 and script.refused > 5


def test_real_time_ticks_start_by_the_clock():
    script = command(CONFIG, Command.ADVANCE, count=2) + poke(CONFIG, Register.TICK_CYCLES, 40)
    script += command(CONFIG, Command.ADVANCE, count=1) + events(CONFIG, 5, {"axon": 3}, {"axon": 4})
    script += events(CONFIG, 1, {"axon": 1}) + peek(CONFIG, Register.ERRORS) + peek(CONFIG, Register.REFUSED)
    found, nodes = run(script, answers=10, work=lambda tick: 20)
    done = [message[1] for message in found if message[0] is Response.TICK_DONE]
    assert done == list(range(len(done))) and len(done) >= 8
    assert (Response.PEEKED, Register.ERRORS, 1) in found and (Response.PEEKED, Register.REFUSED, 1) in found
    clocks = [clock for clock, _ in nodes.releases[2:]]
    assert set(np.diff(clocks)) == {40}
    assert [(fields["slot"], fields["axon"]) for _, fields, *_ in nodes.packets] == [(5, 3), (5, 4)]


def test_late_ticks_are_counted_and_the_next_follows_at_once():
    """Ticks 1 and 2 take 100 of 40 clocks: at the end of four periods the tick before was not done."""
    long = 100
    script = poke(CONFIG, Register.TICK_CYCLES, 40) + command(CONFIG, Command.NOP) * 600
    script += peek(CONFIG, Register.LATE)
    found, nodes = run(script, answers=15, work=lambda tick: long if tick in (1, 2) else 5)
    late = [message[2] for message in found if message[0] is Response.PEEKED]
    clocks = np.diff([clock for clock, _ in nodes.releases]).tolist()
    follows = 2 * LATENCY + 1 + long + 3
    assert clocks[:3] == [40, follows, follows]
    assert late == [2 * follows // 40]
    assert all(found[i][0] in (Response.TICK_DONE, Response.PEEKED) for i in range(len(found)))


def test_real_time_samples_end_and_a_waiting_command_does_not_stop_them():
    script = poke(CONFIG, Register.DEPTH, 3) + poke(CONFIG, Register.TICK_CYCLES, 30)
    script += command(CONFIG, Command.END_SAMPLE) + events(CONFIG, 4, {"axon": 1}) + peek(CONFIG, Register.TICK)
    script += poke(CONFIG, Register.TICK_CYCLES, 0) + command(CONFIG, Command.ADVANCE, count=1)
    found, nodes = run(script, answers=6)
    assert [message[:2] for message in found] == [
        *((Response.TICK_DONE, tick) for tick in range(3)),
        (Response.RESET_DONE,),
        (Response.PEEKED, Register.TICK),
        (Response.TICK_DONE, 0),
    ]
    assert found[4][2] == 0
    assert nodes.packets[0][-1] > nodes.resets[0], "an event of the next sample came before the reset"


def test_a_stream_of_events_does_not_hold_up_real_time():
    script = poke(CONFIG, Register.TICK_CYCLES, 50)
    script += events(CONFIG, 6, *({"axon": n % 16} for n in range(400)))
    _, nodes = run(script, answers=8, work=lambda tick: 5)
    assert len(nodes.packets) < 400  # those that came after tick 6 had started are refused
    assert all(oldest <= 6 for _, _, _, oldest, _ in nodes.packets)
    assert all(40 <= clocks <= 60 for clocks in np.diff([clock for clock, _ in nodes.releases]))
