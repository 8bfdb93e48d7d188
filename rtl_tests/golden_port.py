"""A fabric that speaks words and computes with ``golden.fabric``: the host is tested against it, without hardware.

It decodes every word by itself, field after field from the tables of ``spec``, so an encoding mistake is not met by
its own inverse.
"""

from collections.abc import Iterator

import numpy as np

from golden.fabric import Fabric, Tick
from neurogen.spec import memory_map, words
from neurogen.spec.fields import Layout, bits_to_words
from neurogen.spec.image import Image
from neurogen.spec.memory_map import COUNTERS, Region, Status
from neurogen.spec.words import Command, Register, Response


def fields(layout: Layout, word: int) -> dict[str, int]:
    return {f.name: word >> layout.offsets[f.name] & ((1 << f.width) - 1) for f in layout.fields}


class GoldenPort:
    """Executes command words; ``written`` collects 16-bit words by core and address of the block's start."""

    def __init__(self, image: Image):
        self.image, self.config, self.fabric = image, image.config, Fabric(image)
        self.written: dict[tuple[int, int], list[int]] = {}
        self.pokes: dict[Register, int] = {}
        self.largest_events = 0
        self._core, self._address = 0, 0

    def execute(self, stream: np.ndarray) -> np.ndarray:
        source = iter(stream.tolist())
        return np.array([word for first in source for word in self._command(first, source)], dtype=np.uint32)

    def _command(self, first: int, source: Iterator[int]) -> Iterator[int]:
        command = Command(first & 15)
        f = fields(words.commands(self.config)[command], first)
        if command is Command.EVENTS:
            self.largest_events = max(self.largest_events, f["count"])
            for _ in range(f["count"]):
                e = fields(words.event(self.config), next(source))
                rectangle = (e["x0"], e["x1"], e["y0"], e["y1"])
                self.fabric.events(
                    f["tick"], rectangle, e["axon"], e["payload"] if self.config.core.payload_bits else 1
                )
        elif command is Command.ADVANCE:
            for tick in self.fabric.advance(f["count"]):
                yield from self._tick(tick)
        elif command is Command.RESET:
            self.fabric.reset()
            yield Response.RESET_DONE
        elif command is Command.END_SAMPLE:
            for tick in self.fabric.end_sample():
                yield from self._tick(tick)
            yield Response.RESET_DONE
        elif command is Command.TARGET:
            assert (f["x0"], f["y0"]) == (f["x1"], f["y1"])
            self._core = f["y0"] * self.config.width + f["x0"]
        elif command is Command.SETADDR:
            self._address = f["address"]
            self.fabric.count_flits(self._rectangle, 1)
        elif command is Command.WRITE:
            pairs = [next(source) for _ in range((f["count"] + 1) // 2)]
            data = [half for pair in pairs for half in (pair & 0xFFFF, pair >> 16)]
            self.written.setdefault((self._core, self._address), []).extend(data[: f["count"]])
        elif command is Command.READ:
            for word in self._read(f["count"]):
                yield Response.REPLY | word << 4
        elif command is Command.POKE:
            self.pokes[Register(f["register"])] = self.fabric.registers[Register(f["register"])] = next(source)
        elif command is Command.PEEK:
            yield Response.PEEKED | f["register"] << 4
            yield self.fabric.refused if f["register"] == Register.REFUSED else 0

    @property
    def _rectangle(self) -> tuple[int, int, int, int]:
        y, x = divmod(self._core, self.config.width)
        return x, x, y, y

    def _tick(self, tick: Tick) -> Iterator[int]:
        for line in tick.spikes[::-1].tolist():
            yield Response.SPIKE | line << 4
        for line, value in tick.values.tolist():
            yield Response.VALUE | line << 4
            yield value & 0xFFFFFFFF
        yield Response.TICK_DONE | tick.tick << 4
        yield tick.tick_cycles()

    def _read(self, count: int) -> list[int]:
        """A whole region, from its first word."""
        region = Region(fields(memory_map.address(self.config), self._address)["region"])
        self.fabric.count_flits(self._rectangle, 1)
        found = self._region(region)[:count].tolist()
        self.fabric.count_flits(self._rectangle, 0, replies=count)
        return found

    def _region(self, region: Region) -> np.ndarray:
        core = self.config.core
        if region is Region.STATUS:
            counters = self.fabric.counters(self._core)
            fresh = np.zeros(-(-core.groups // 32) * 32, dtype=np.uint8)
            fresh[: core.groups] = self.fabric.fresh(self._core)
            rows = [[counters[c] >> i & 1 for i in range(32)] for c in COUNTERS]
            assert len(rows) == Status.FRESH
            return bits_to_words(np.concatenate([np.array(rows, dtype=np.uint8), fresh.reshape(-1, 32)])).ravel()
        state = {k: v.reshape(-1, core.update_lanes) for k, v in self.fabric.state(self._core).items()}
        bits = core.neuron.state_layout.to_bits(**state)
        hidden = np.repeat(self.fabric.fresh(self._core), core.subgroups)
        bits[hidden] = 1  # what the memory holds where the state is still initial does not matter
        return bits_to_words(bits.reshape(len(bits), -1)).ravel()
