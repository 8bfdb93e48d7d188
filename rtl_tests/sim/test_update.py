"""The update unit against its rules: which groups are visited, work, start, rest, spike, and in which clocks."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from golden import neurons as golden_neurons
from neurogen.rtl.memory_port import READ_CYCLES
from neurogen.rtl.streams import Stalls
from neurogen.rtl.update import UpdateUnit
from neurogen.spec.config import FabricConfig
from neurogen.spec.fields import bits_to_ints
from neurogen.spec.image import CoreImage
from neurogen.spec.memory_map import Region
from rtl_tests.sim.streams import simulate, sink

LIF = {
    "model": "lif", "state_bits": {"v": 10},
    "parameters": {
        "threshold": "per_population", "v_init": "per_population", "bias": "per_neuron", "leak_shift": 1,
        "refractory_ticks": 2,
    },
}  # fmt: skip
CUBA = {
    "model": "cuba_lif", "state_bits": {"u": 8, "v": 10},
    "parameters": {"threshold": 70, "decay_u": 3072, "decay_v": 3072, "v_init": 9, "u_init": -128},
}  # fmt: skip
FABRICS = {
    "two_subgroups": {"core": {"neurons": 18, "lanes": 4, "update_lanes": 2, "neuron": LIF}},
    "values": {"core": {"neurons": 12, "lanes": 4, "update_lanes": 4, "values": True, "neuron": LIF}},
    "graded": {
        "core": {"neurons": 18, "lanes": 4, "update_lanes": 2, "values": True, "graded": True, "neuron": LIF}
        | {"payload_bits": 14, "payload_signed": True}
    },
    "relays": {
        "core": {"neurons": 24, "lanes": 8, "update_lanes": 4, "graded": True, "payload_bits": 9, "neuron": CUBA}
    },
    "cuba": {"phase_bits": 0, "core": {"neurons": 7, "lanes": 2, "update_lanes": 1, "neuron": CUBA}},
    "one_group": {"core": {"neurons": 6, "lanes": 8, "update_lanes": 4, "neuron": LIF, "writable": False}},
}
READ_AFTER = {"values": 3, "cuba": 2}
SAMPLE_TICKS, DEPTH = 6, 2


def random_core(config, rng) -> CoreImage:
    """Populations of every depth and phase, one group in six unused, some not full, value and graded groups."""
    core, image = config.core, CoreImage.empty(config)
    groups, lanes = core.groups, core.groups * core.lanes
    groups_table = image.groups | {
        "size": np.minimum(core.neurons - core.lanes * np.arange(groups), core.lanes) * (rng.random(groups) < 0.84),
        "depth": np.arange(groups) % (DEPTH + 1),
        "phase": np.arange(groups) % (DEPTH + 1) % 2 * bool(config.phase_bits),  # that of its first tick
    }
    groups_table["size"][0] = core.lanes - 1
    if core.values:
        groups_table["value"] = np.arange(groups) == 1
        groups_table["size"][1] = core.lanes
    if core.graded:
        groups_table["graded"] = np.arange(groups) % 3 == 1
        groups_table["value"] = core.values * (np.arange(groups) > 2)
        groups_table["size"][1] = core.lanes
    if "threshold" in groups_table:
        groups_table |= {"threshold": rng.integers(40, 90, groups), "v_init": rng.integers(-20, 30, groups)}
    bias = np.where(np.arange(lanes) // core.lanes % 3 == 1, rng.integers(-9, 30, lanes), 0)
    neurons = {name: bias for name in image.neurons}
    return replace(image, groups={k: np.int64(v) for k, v in groups_table.items()}, neurons=neurons)


def timebases(config):
    """(reset before it?, timebase) of every tick: drained samples, overlapped ones, then one without an end."""
    phases = 2 if config.phase_bits else 1

    def at(tick, position, **flags):
        position = min(position, (1 << config.depth_bits) - 1)
        base = {"slot": tick % config.core.delay_slots, "phase": tick % phases, "opening": min(position, DEPTH)}
        return base | {"closing": 0, "ended": 0, "restart": 0} | flags

    for _ in range(3):
        for p in range(SAMPLE_TICKS + DEPTH):
            ended = int(p >= SAMPLE_TICKS)
            yield p == 0, at(p, p, ended=ended, closing=min(p - SAMPLE_TICKS, DEPTH) if ended else 0)
    for tick in range(4 * SAMPLE_TICKS):
        p = tick % SAMPLE_TICKS
        yield tick == 0, at(tick, p, restart=int(p <= DEPTH))
    for tick in range(48):
        yield tick == 0, at(tick, tick)


class Model:
    """The rules of a core's update phase, group by group, and a count of everything that happened."""

    def __init__(self, config, image):
        self.config, self.core, self.image = config, config.core, image
        self.neuron = golden_neurons.model(self.core.neuron.model)
        self.state = [None] * self.core.groups
        self.seen = Counter()
        self.reset()

    def reset(self):
        self.fresh = [True] * self.core.groups
        self.rest = [False] * self.core.groups

    def tick(self, now, sums):
        """Groups visited, groups updated, and vectors, from ``sums`` of the touched groups."""
        visited, updated, vectors = [], 0, []
        for group in range(self.core.groups):
            if group in sums or not self.rest[group] or now["restart"]:
                visited.append(group)
                if self._works(group, now, group in sums):
                    updated += 1
                    vectors += self._update(group, now, sums.get(group))
                elif not self.image.groups["size"][group]:
                    self.rest[group] = True
                    self.seen["unused"] += 1
            else:
                self.seen["skipped"] += 1
        return visited, updated, vectors

    def _starts(self, group, now):
        return now["opening"] == self.image.groups["depth"][group] and bool(now["restart"] or self.fresh[group])

    def _works(self, group, now, touched):
        row = {name: column[group] for name, column in self.image.groups.items()}
        waits = self.fresh[group] and not self._starts(group, now)
        closed = now["ended"] and row["depth"] <= now["closing"]
        off = now["phase"] != row["phase"]
        works = row["size"] > 0 and not (waits or closed or off)
        if row["size"] and not works:
            self.seen.update(name for name, is_so in (("waits", waits), ("closed", closed), ("off", off)) if is_so)
            self.seen["dropped"] += touched
        return works

    def _parameters(self, group):
        lanes = slice(group * self.core.lanes, (group + 1) * self.core.lanes)
        found = dict(self.core.neuron.constants)
        found |= {p.name: int(self.image.groups[p.name][group]) for p in self.core.neuron.tabled("per_population")}
        return found | {name: column[lanes] for name, column in self.image.neurons.items()}

    def _update(self, group, now, sums):
        core, parameters = self.core, self._parameters(group)
        if self._starts(group, now):
            self.seen["restart" if not self.fresh[group] else "start"] += 1
            state = self.neuron.initial(parameters, (core.lanes,))
        else:
            state = self.state[group]
        current = np.zeros(core.lanes, dtype=np.int64) if sums is None else sums
        after, spike = self.neuron.step(state, parameters, current, core.neuron.widths)
        exists = np.arange(core.lanes) < self.image.groups["size"][group]
        value, graded = (bool(self.image.groups[name][group]) for name in ("value", "graded"))
        carried = after["v"] if core.values else 0 * after["v"]
        if graded and not value:
            after, carried = state, current
        fires = carried != 0 if graded else np.ones_like(spike) if value else spike
        same = np.all([after[name] == state[name] for name in after], axis=0)
        self.state[group], self.fresh[group] = after, False
        self.rest[group] = bool((same & ~fires & (current == 0) | ~exists).all())
        self.seen.update({"rests": self.rest[group], "masked": int((fires & ~exists).sum())})
        kind = ("relayed", "graded")[value] if graded else ("spikes", "values")[value]
        self.seen[kind] += int((fires & exists).sum())
        self.seen[f"{kind} rest"] += self.rest[group]
        return list(self._vectors(group, value or graded, fires & exists, carried))

    def _vectors(self, group, carries, fires, carried):
        core = self.core
        for subgroup in range(core.subgroups):
            lanes = slice(subgroup * core.update_lanes, (subgroup + 1) * core.update_lanes)
            if fires[lanes].any():
                yield {
                    "group": group,
                    "subgroup": subgroup,
                    "value_mode": int(carries),
                    "spikes": int((fires[lanes] << np.arange(core.update_lanes)).sum()),
                    "values": [int(x) & ((1 << core.carried_bits) - 1) for x in carried[lanes]],
                }


class Bench:
    """Plays the accumulators, the barrier and the configuration unit around an update unit."""

    def __init__(self, name, stall, gates, seed):
        self.config = FabricConfig.parse(FABRICS[name])
        self.core = self.config.core
        self.rng, self.noise = np.random.default_rng(seed), np.random.default_rng(seed + 2)
        self.image = random_core(self.config, self.rng)
        self.rows = {region: bits_to_ints(bits[0]) for region, bits in self.image.region_bits(self.config).items()}
        self.unit = UpdateUnit(
            self.config,
            groups_init=self.rows[Region.GROUPS],
            neurons_init=self.rows.get(Region.NEURONS),
            stalls=Stalls(gates),
            read_cycles=READ_AFTER.get(name, 1),
        )
        self.model = Model(self.config, self.image)
        self.seed, self.stall = seed, stall
        self.sums, self.taken, self.waited, self.clocks, self.ticks_done = {}, [], [], [], []

    def run(self):
        background = [
            self.accumulators,
            self.watch,
            sink(self.unit.vectors, self.taken, seed=self.seed + 1, stall=self.stall, stalls=self.waited),
        ]
        simulate(self.unit, self.ticks, background=background)
        return self.model.seen

    async def accumulators(self, ctx):
        """Sums ``read_cycles`` moves after they are asked for, noise when they have moved on."""
        unit, core, low = self.unit, self.core, 1 << (self.core.accumulator_bits - 1)
        asked = (unit.advance, unit.read, unit.read_group, unit.read_subgroup, unit.release)
        coming = [None] * (unit.read_cycles - 1)
        while True:
            _, _, advance, read, group, subgroup, release = await ctx.tick().sample(*asked)
            assert advance or not read
            if not advance:
                continue
            first = subgroup * core.update_lanes
            row = self.sums.get(group, np.zeros(core.lanes, dtype=int)) if read else None
            coming.append(None if row is None else row[first : first + core.update_lanes].tolist())
            noise = self.noise.integers(-low, low, core.update_lanes).tolist()
            ctx.set(unit.read_data, coming.pop(0) or noise)
            if release:
                self.sums.pop(group, None)
                ctx.set(unit.touched, sum(1 << touched for touched in self.sums))

    async def watch(self, ctx):
        unit = self.unit
        while True:
            _, _, *clock = await ctx.tick().sample(unit.busy, unit.cycle_count, unit.read_group, unit.update_count)
            self.clocks.append(clock)

    async def ticks(self, ctx):
        for resets, now in timebases(self.config):
            if resets:
                self.model.reset()
                ctx.set(self.unit.reset, 1)
                await ctx.tick()
                ctx.set(self.unit.reset, 0)
            await self.tick(ctx, now)
            assert ctx.get(self.unit.fresh) == sum(fresh << group for group, fresh in enumerate(self.model.fresh))
            if self.rng.random() < 0.5:
                await self.compare_states(ctx)

    async def tick(self, ctx, now):
        unit, core = self.unit, self.core
        self.sums.update(self.random_sums(chance=0.6 if len(self.ticks_done) % 24 < 8 else 0.03))
        self.ticks_done.append(now)
        visited, updated, vectors = self.model.tick(now, dict(self.sums))
        ctx.set(unit.timebase, now)
        ctx.set(unit.touched, sum(1 << group for group in self.sums))
        ctx.set(unit.start, 1)
        await ctx.tick()
        ctx.set(unit.start, 0)
        self.clocks.clear()
        self.taken.clear()
        await ctx.tick().until(~unit.busy)
        assert self.taken == vectors
        takes = [group for _, taken, group, _ in self.clocks if taken]
        assert takes == [group for group in visited for _ in range(core.subgroups)]
        assert sum(clock[3] for clock in self.clocks) == updated
        assert not self.sums
        if not self.stall:
            self.check_cycles(len(takes), vectors, visited)

    def check_cycles(self, count, vectors, visited):
        """No bubbles, and the latency that the unit states."""
        flags = [bool(taken) for _, taken, _, _ in self.clocks]
        assert flags[1 : 1 + count] == [True] * count
        last_offers = vectors and (vectors[-1]["group"], vectors[-1]["subgroup"]) == (
            visited[-1],
            self.core.subgroups - 1,
        )
        busy = sum(clock[0] for clock in self.clocks)
        assert busy == (count + self.unit.latency_cycles + bool(last_offers) if count else 0)

    def random_sums(self, chance):
        """Busy times and quiet ones; a touched group whose sums are 0 is among them."""
        core = self.core
        for group in range(core.groups):
            if self.rng.random() < chance:
                sums = self.rng.integers(-40, 160, core.lanes)
                yield group, sums * (self.rng.random() < 0.8)

    async def compare_states(self, ctx):
        """Every group that has started, read through the port."""
        core, port = self.core, self.unit.state_port
        layout = core.neuron.state_layout
        for group in range(core.groups):
            if self.model.fresh[group]:
                continue
            wanted = bits_to_ints(
                layout.to_bits(**{name: self.model.state[group][name] for name in core.neuron.widths}).reshape(
                    core.subgroups, -1
                )
            )
            for subgroup, row in enumerate(wanted):
                assert await read(ctx, port, group * core.subgroups + subgroup) == row


async def read(ctx, port, row):
    ctx.set(port.row, row)
    ctx.set(port.read, 1)
    await ctx.tick()
    ctx.set(port.read, 0)
    await ctx.tick().repeat(READ_CYCLES - 1)
    return ctx.get(port.read_data)


async def write(ctx, port, row, word):
    ctx.set(port.row, row)
    ctx.set(port.write_data, word)
    ctx.set(port.write, 1)
    await ctx.tick()
    ctx.set(port.write, 0)


@pytest.mark.parametrize("name", FABRICS)
@pytest.mark.parametrize(("stall", "gates"), [(0.0, None), (0.5, None), (0.2, 9)])
def test_groups_are_visited_updated_and_skipped_by_the_rules(name, stall, gates):
    bench = Bench(name, stall, gates, seed=40)
    print(f"seed {bench.seed}")
    seen = bench.run()
    assert seen["spikes"] > 10 and seen["start"] > 3 and seen["restart"] > 2
    for case in ("skipped", "rests", "waits", "closed", "dropped"):
        assert seen[case] > 0 or (case == "waits" and bench.core.groups == 1), case
    if bench.config.phase_bits and bench.core.groups > 2:
        assert seen["off"] > 10
    if bench.core.values:
        assert seen["values"] > 50 and not seen["values rest"]
    if bench.core.graded:
        assert seen["relayed"] > 20 and seen["relayed rest"] > 2
        assert bool(seen["graded"]) == bench.core.values
    assert seen["masked"] > 0
    assert bool(bench.waited) == (stall > 0)


@pytest.mark.parametrize("name", ["two_subgroups", "values", "cuba"])
def test_every_table_is_written_and_read_through_its_port(name):
    bench = Bench(name, 0.0, None, seed=50)
    core, rng = bench.core, np.random.default_rng(51)

    async def ports(ctx):
        for region in (Region.GROUPS, Region.NEURONS, Region.STATE):
            port = getattr(bench.unit, f"{region.name.lower()}_port", None)
            if port is None:
                assert region is Region.NEURONS and not core.neuron.tabled("per_neuron")
                continue
            shape = port.signature.shape
            words = [int.from_bytes(rng.bytes(16), "little") % (1 << shape.width) for _ in range(shape.rows)]
            for row, word in enumerate(words):
                await write(ctx, port, row, word)
            assert [await read(ctx, port, row) for row in range(shape.rows)] == words

    simulate(bench.unit, ports)


def test_a_core_that_is_not_writable_ignores_writes():
    bench = Bench("one_group", 0.0, None, seed=60)

    async def ports(ctx):
        before = await read(ctx, bench.unit.groups_port, 0)
        await write(ctx, bench.unit.groups_port, 0, ~before & 1)
        assert await read(ctx, bench.unit.groups_port, 0) == before == bench.rows[Region.GROUPS][0]

    simulate(bench.unit, ports)
