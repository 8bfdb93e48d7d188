"""What to ask a fabric, and what it must answer: the golden model runs first and decides.

Nothing here knows whether a simulator, a netlist or a board answers; ``tb.checker`` holds the answers against the plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.fabric import Fabric, Tick

from ..host import codec
from ..spec.image import Image
from ..spec.memory_map import Region, Status
from ..spec.words import Register

MODES = ("stepped", "drained", "overlapped")
SILENT_REGISTERS = (Register.REFUSED, Register.LATE, Register.ERRORS)


@dataclass(frozen=True)
class Expectation:
    """What comes next in the stream: a ``tick``'s outputs, a core's ``status`` or ``state``, a register, or a reset."""

    at: int  # ticks since the last reset
    tick: Tick | None = None
    alone: bool = False  # no events are sent while the tick runs
    core: int | None = None
    counters: Mapping[Status, int] | None = None
    fresh: np.ndarray | None = None
    state: Mapping[str, np.ndarray] | None = None
    register: Register | None = None


@dataclass
class Plan:
    """Words to send and what must come back. ``fired`` (cores * G * P,) and ``reached`` (cores,) say what took part."""

    words: np.ndarray
    expectations: list[Expectation]
    fired: np.ndarray
    reached: np.ndarray
    spikes: int = 0


class Planner:
    """Plans one sample after the other on a fabric, from reset to reset.

    Parameters
    ----------
    image : the image that the fabric runs
    states : int
        Read all states and counters after every so many ticks, and after the last.
    seed : int, optional
        Events are sent up to D - 2 ticks before their own, as early as the fabric takes them, drawn from this seed. If
        not given, each is sent right before its tick.
    """

    def __init__(self, image: Image, states: int = 1, seed: int | None = None):
        self.image, self.golden = image, Fabric(image)
        self._states, self._rng = states, None if seed is None else np.random.default_rng(seed)
        core = image.config.core
        self.real = np.tile(np.arange(core.groups * core.lanes) < core.neurons, image.config.nodes)

    def plan(self, inputs: Mapping[str, np.ndarray], mode: str = "stepped") -> Plan:
        """One sample, ``inputs`` (T, n) each, with every tick advanced on its own (``stepped``) or with END_SAMPLE
        (``drained``, states are then not read while it drains); or (B, T, n) that follow each other (``overlapped``).
        Instead of events, ``inputs`` may be the encoder's pixels, (n,) or (B, n).
        """
        golden, image = self.golden, self.image
        overlapped = mode == "overlapped"
        batch = {name: values if overlapped else values[None] for name, values in inputs.items()}
        steps, pixels = codec.extent(image, batch)[1], codec.pixels_of(batch)
        length = steps * image.step_ticks
        if pixels is None:
            joined = {name: values.reshape(-1, values.shape[-1]) for name, values in batch.items()}
            departures = self._departures(codec.arrivals(image, joined))
        else:
            departures = [[] for _ in range(len(pixels) * length + image.depth)]
            departures[: len(pixels) * length : length] = [[(None, values)] for values in pixels]
        golden.reset()
        golden.registers |= {Register.SAMPLE_TICKS: length, Register.OVERLAPPED: int(overlapped)}
        plan = _Plan(self, codec.begin(image, steps, overlapped))
        plan.expect(Expectation(0))
        plan.read_cores(0)
        ticks = len(departures)
        stepped = ticks - (image.depth if mode == "drained" else 0)
        for tick, leaving in enumerate(departures):
            for due, what in leaving:
                plan.give(due, what)
            if tick < stepped:
                plan.send(codec.advance(image.config))
                reads = (tick + 1) % self._states == 0 or tick + 1 == stepped
                plan.run_tick(tick, alone=reads)
                if reads:
                    plan.read_cores(tick + 1)
        plan.send((codec.end_sample if mode == "drained" else codec.reset)(image.config))
        for tick in range(stepped, ticks):
            plan.run_tick(tick, alone=True)
        golden.reset()
        plan.expect(Expectation(ticks))
        plan.read_cores(ticks)
        plan.read_registers(ticks)
        return plan.finish()

    def _departures(self, arrivals: list[codec.Events]) -> list[list[tuple[int, codec.Events]]]:
        """What is sent before each tick is ordered: (tick, events of that tick)."""
        if self._rng is None:
            return [[(tick, events)] if len(events) else [] for tick, events in enumerate(arrivals)]
        found: list[list[tuple[int, codec.Events]]] = [[] for _ in arrivals]
        window = self.image.config.core.delay_slots - 2
        for tick, events in enumerate(arrivals):
            lead = self._rng.integers(min(tick, window) + 1, size=len(events))
            for early in np.unique(lead):
                found[tick - early].append((tick, events[lead == early]))
        return found


class _Plan:
    """A plan in the making: the golden model goes along with what is sent."""

    def __init__(self, planner: Planner, words: np.ndarray):
        self._image, self._golden, self._real = planner.image, planner.golden, planner.real
        self._parts, self._expectations = [words], []
        config = self._image.config
        self._fired = np.zeros(len(self._real), dtype=bool)
        self._reached = np.zeros(config.nodes, dtype=bool)
        self._spikes = 0

    def send(self, words: np.ndarray) -> None:
        self._parts.append(words)

    def give(self, due: int | None, what: codec.Events | np.ndarray) -> None:
        """Events for the tick ``due``, or a sample's pixels."""
        if due is None:
            self._golden.pixels(what)
            self.send(codec.pixels(self._image.config, what))
        else:
            self._golden.events(due, what.rectangles, what.axons, what.payloads)
            self.send(codec.events(self._image.config, due, what))

    def expect(self, expectation: Expectation) -> None:
        self._expectations.append(expectation)

    def run_tick(self, at: int, alone: bool) -> None:
        tick = self._golden.tick()
        core = self._image.config.core
        spiking = tick.emitted[~tick.tables.delivers[tick.emitted // core.lanes]]
        self._fired[tick.emitted] = True
        self._reached[tick.axons // core.axons] = True
        self._spikes += len(spiking)
        self.expect(Expectation(at, tick=tick, alone=alone))

    def read_cores(self, at: int) -> None:
        """Status and state of every core. The reads travel the mesh too, so the golden model counts their hops."""
        config, golden = self._image.config, self._golden
        for core in range(config.nodes):
            y, x = divmod(core, config.width)
            rectangle = (x, x, y, y)
            self.send(codec.read_region(config, core, Region.STATUS))
            golden.count_flits(rectangle, 2)  # SETADDR and READ have arrived when HOPS is read, the replies leave after
            counters = golden.counters(core)
            golden.count_flits(rectangle, 0, replies=codec.region_words(config, Region.STATUS))
            fresh = golden.fresh(core)
            self.expect(Expectation(at, core=core, counters=counters, fresh=fresh))
            rows = codec.used_rows(self._image, core)
            if not rows:
                continue
            states = codec.region_words(config, Region.STATE, rows)
            self.send(codec.read_region(config, core, Region.STATE, rows))
            golden.count_flits(rectangle, 2, replies=states)
            self.expect(Expectation(at, core=core, state=golden.state(core), fresh=fresh))

    def read_registers(self, at: int) -> None:
        """Nothing was refused, late or wrong."""
        for register in SILENT_REGISTERS:
            self.send(codec.peek(self._image.config, register))
            self.expect(Expectation(at, register=register))

    def finish(self) -> Plan:
        return Plan(np.concatenate(self._parts), self._expectations, self._fired, self._reached, self._spikes)


def silence(image: Image, fired: np.ndarray, reached: np.ndarray) -> str | None:
    """Why a run proves little, or None.

    Little is: a population with fewer than 3 firing neurons (or all, if smaller), a core in use that no event reached.
    """
    lanes = image.config.core.groups * image.config.core.lanes
    if not fired.any():
        return "no neuron fired"
    active: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for p in image.placements:
        active[p.population] = active.get(p.population, 0) + int(fired[p.core * lanes + p.places].sum())
        sizes[p.population] = sizes.get(p.population, 0) + p.count
        if not reached[p.core]:
            return f"no event reached core {p.core}"
    for name, count in active.items():
        if count < min(3, sizes[name]):
            return f"only {count} of {sizes[name]} neurons of population {name!r} fired"
    return None
