"""Compares a fabric with ``golden.fabric``: every output, every neuron's state after every tick, every counter.

``tb.plan`` says what was asked and what must come; the answers are held against it here, in order.
"""

from dataclasses import dataclass

import numpy as np

from ..host import codec
from ..host.codec import Records
from ..spec.image import Image
from ..spec.memory_map import COUNTERS, Region, Status
from ..spec.words import Response
from .plan import Expectation, Plan


class Mismatch(AssertionError):
    """The fabric differs from the golden model. ``where`` has: what, sample, tick, core, neuron, expected, got."""

    def __init__(self, **where):
        self.where = where
        super().__init__(", ".join(f"{name} {value}" for name, value in where.items() if value is not None))


@dataclass
class Statistics:
    """What was compared. ``bound_cycles`` is the golden model's lower bound for ``tick_cycles``.

    ``exact_ticks`` are those whose clocks had to be the golden model's.
    """

    ticks: int = 0
    spikes: int = 0
    outputs: int = 0
    values: int = 0
    states: int = 0
    counters: int = 0
    tick_cycles: int = 0
    bound_cycles: int = 0
    exact_ticks: int = 0

    def add(self, other: "Statistics") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Checker:
    """Checks the answers of one fabric, sample by sample.

    Parameters
    ----------
    image : the image that the fabric runs
    exact_cycles : bool
        The golden model's cycles hold. Not so in a fabric with gates in its streams: passes are formed otherwise.
    """

    def __init__(self, image: Image, exact_cycles: bool = True):
        self.image, self._exact_cycles = image, exact_cycles
        self._offsets: dict[int, dict[Status, int]] = {}

    def check(self, plan: Plan, records: Records, sample: int = 0, stalled: bool = True) -> Statistics:
        """Hold ``records`` against ``plan``. Raises Mismatch at the first difference.

        Unless words were ``stalled`` on their way out, a fabric of one core takes the golden model's clocks exactly.
        """
        found, at = Statistics(spikes=plan.spikes), 0
        exact = self._exact_cycles and not stalled and self.image.config.nodes == 1
        for expectation in plan.expectations:
            at = self._take(expectation, records, at, sample, found, exact)
        if at != len(records):
            raise Mismatch(what="words after the last answer", sample=sample, expected=0, got=len(records) - at)
        return found

    def _take(self, e: Expectation, records: Records, at: int, sample: int, found: Statistics, exact: bool) -> int:
        """Check one expectation from record ``at``; where the next one starts."""
        if e.tick is not None:
            end = at + int(np.argmax(records.kind[at:] == Response.TICK_DONE)) if at < len(records) else at
            self._kinds(records[at : end + 1], Response.TICK_DONE, sample, e.at, last=True)
            self._tick(e, records[at:end], sample, found)
            if records.value[end] != e.tick.tick:
                raise Mismatch(
                    what="tick number", sample=sample, tick=e.at, expected=e.tick.tick, got=records.value[end]
                )
            self._cycles(e, int(records.extra[end]), sample, found, exact and e.alone)
            return end + 1
        kind, count = Response.RESET_DONE, 1
        if e.register is not None:
            kind = Response.PEEKED
        elif e.core is not None:
            kind = Response.REPLY
            count = self._reply_words(e)
        part = records[at : at + count]
        self._kinds(part, kind, sample, e.at)
        if len(part) < count:
            raise Mismatch(what=f"{kind.name} words", sample=sample, tick=e.at, expected=count, got=len(part))
        if e.register is not None and part.extra[0]:
            raise Mismatch(what=e.register.name, sample=sample, tick=e.at, expected=0, got=int(part.extra[0]))
        if e.counters is not None:
            self._status(e, part.value, sample, found)
        elif e.core is not None:
            self._state(e, part.value, sample, found)
        return at + count

    def _reply_words(self, e: Expectation) -> int:
        if e.counters is not None:
            return codec.region_words(self.image.config, Region.STATUS)
        return codec.region_words(self.image.config, Region.STATE, codec.used_rows(self.image, e.core))

    @staticmethod
    def _kinds(part: Records, kind: Response, sample: int, tick: int, last: bool = False) -> None:
        """All of ``part`` is of ``kind``; or, where only the ``last`` must be, the others are outputs."""
        allowed = np.isin(part.kind, (Response.SPIKE, Response.VALUE) if last else (kind,))
        if last and len(part):
            allowed[-1] = part.kind[-1] == kind
        if not allowed.all() or not len(part):
            got = Response(part.kind[np.argmin(allowed)]).name if len(part) else "nothing"
            raise Mismatch(what="answer", sample=sample, tick=tick, expected=kind.name, got=got)

    def _tick(self, e: Expectation, part: Records, sample: int, found: Statistics) -> None:
        lines = np.sort(part.of(Response.SPIKE).value)
        if not np.array_equal(lines, e.tick.spikes):
            unique = np.union1d(lines, e.tick.spikes)
            wanted, got = np.isin(unique, e.tick.spikes), np.array([(lines == line).sum() for line in unique])
            wrong = int(np.flatnonzero(got != wanted)[0])
            raise Mismatch(what="output spikes", sample=sample, tick=e.at, **self._owner(int(unique[wrong])),
                           expected=int(wanted[wrong]), got=int(got[wrong]))  # fmt: skip
        values = part.of(Response.VALUE)
        order = np.argsort(values.value, kind="stable")
        got = np.column_stack([values.value[order], values.extra[order]])
        if got.shape != e.tick.values.shape:
            raise Mismatch(what="values", sample=sample, tick=e.at, expected=len(e.tick.values), got=len(got))
        wrong = np.flatnonzero((got != e.tick.values).any(axis=1))
        if len(wrong):
            (line, expected), (_, value) = e.tick.values[wrong[0]].tolist(), got[wrong[0]].tolist()
            raise Mismatch(what="output value", sample=sample, tick=e.at, **self._owner(line), expected=expected,
                           got=value)  # fmt: skip
        found.ticks += 1
        found.outputs += len(lines)
        found.values += len(got)

    def _owner(self, line: int) -> dict:
        """Core, neuron and output of a line."""
        for output in self.image.outputs:
            index = line - output["first_line"]
            for p in self.image.placements if 0 <= index < output["size"] else ():
                if p.population == output["population"] and (place := p.place_of(index)) is not None:
                    return {"core": p.core, "neuron": place, "output": f"{p.population}[{index}]"}
        return {"line": line}

    def _cycles(self, e: Expectation, cycles: int, sample: int, found: Statistics, exact: bool) -> None:
        bound = e.tick.tick_cycles() if self._exact_cycles else 0
        if cycles < bound or (exact and cycles > bound):
            expected = bound if exact else f">= {bound}"
            raise Mismatch(what="clocks of the tick", sample=sample, tick=e.at, expected=expected, got=cycles)
        found.exact_ticks += exact
        found.tick_cycles += cycles
        found.bound_cycles += bound

    def _status(self, e: Expectation, data: np.ndarray, sample: int, found: Statistics) -> None:
        status = codec.decode_status(self.image.config, data)
        mask = (1 << self.image.config.core.counter_bits) - 1
        start = self._offsets.setdefault(e.core, {c: status.counters[c] - e.counters[c] for c in COUNTERS})
        for counter in COUNTERS:
            got = (status.counters[counter] - start[counter]) & mask
            if counter is Status.INTEGRATE_CYCLES and not self._exact_cycles:
                continue
            if got != e.counters[counter] or (counter is Status.COLLISIONS and got):
                expected = 0 if counter is Status.COLLISIONS else e.counters[counter]
                raise Mismatch(
                    what=f"counter {counter.name}", sample=sample, tick=e.at, core=e.core, expected=expected, got=got
                )
        wrong = np.flatnonzero(status.fresh != e.fresh)
        if len(wrong):
            neuron = int(wrong[0]) * self.image.config.core.lanes
            raise Mismatch(what="initial state pending", sample=sample, tick=e.at, core=e.core, neuron=neuron,
                           expected=bool(e.fresh[wrong[0]]), got=bool(status.fresh[wrong[0]]))  # fmt: skip
        found.counters += len(COUNTERS)

    def _state(self, e: Expectation, data: np.ndarray, sample: int, found: Statistics) -> None:
        got = codec.decode_state(self.image, e.core, data, e.fresh)
        sizes = self.image.cores[e.core].groups["size"]
        used = (np.arange(self.image.config.core.lanes) < sizes[:, None]).ravel()
        for name, expected in e.state.items():
            read = len(got[name])
            wrong = np.flatnonzero((got[name] != expected[:read]) & used[:read])
            if len(wrong):
                raise Mismatch(what=f"state {name}", sample=sample, tick=e.at, core=e.core, neuron=int(wrong[0]),
                               expected=int(expected[wrong[0]]), got=int(got[name][wrong[0]]))  # fmt: skip
        found.states += int(used.sum())
