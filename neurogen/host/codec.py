"""Words to and from a fabric: images, samples and reads as commands; responses as records, outputs and states.

Everything here follows from the tables of ``spec.words`` and ``spec.memory_map``. Commands are arrays of uint32, to be
concatenated in any number; a fabric executes them in order.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..spec import memory_map, words
from ..spec.config import FabricConfig
from ..spec.errors import InputError
from ..spec.fields import Layout, bits_to_ints, words_to_bits
from ..spec.image import Image
from ..spec.memory_map import COUNTERS, Region, Status
from ..spec.words import EXTRA_WORDS, OPCODE_BITS, TICK_BITS, Command, Register, Response

TICKS = 1 << TICK_BITS


def pack(layout: Layout, **columns) -> np.ndarray:
    """Records of at most 32 bits as uint32 words. Raises InputError if a value does not fit its field."""
    bits = np.atleast_2d(layout.to_bits(**columns))
    padded = np.zeros((len(bits), 32), dtype=np.uint8)
    padded[:, : layout.width] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4").ravel().astype(np.uint32)


def unpack(layout: Layout, first_words: np.ndarray) -> dict[str, np.ndarray]:
    """Inverse of :func:`pack`: columns of int64."""
    raw = np.ascontiguousarray(first_words, dtype="<u4").view(np.uint8).reshape(-1, 4)
    return layout.from_bits(np.unpackbits(raw, axis=-1, bitorder="little"))


def command(config: FabricConfig, opcode: Command, **fields) -> np.ndarray:
    """The first word of a command."""
    return np.array([words.commands(config)[opcode].pack(opcode=int(opcode), **fields)], dtype=np.uint32)


def advance(config: FabricConfig, ticks: int = 1) -> np.ndarray:
    """Run ``ticks`` ticks."""
    longest = words.commands(config)[Command.ADVANCE]["count"].range[1]
    counts = [min(longest, ticks - at) for at in range(0, ticks, longest)]
    return np.concatenate([command(config, Command.ADVANCE, count=count) for count in counts or [0]])


def reset(config: FabricConfig) -> np.ndarray:
    """Initial state, empty slots, tick 0 is next."""
    return command(config, Command.RESET)


def end_sample(config: FabricConfig) -> np.ndarray:
    """Drain the fabric, then reset it."""
    return command(config, Command.END_SAMPLE)


def poke(config: FabricConfig, register: Register, value: int) -> np.ndarray:
    """Write a register of the host port."""
    return np.append(command(config, Command.POKE, register=int(register)), np.uint32(value))


def peek(config: FabricConfig, register: Register) -> np.ndarray:
    """Ask for a register of the host port: one PEEKED record."""
    return command(config, Command.PEEK, register=int(register))


def target(config: FabricConfig, core: int) -> np.ndarray:
    """Configuration commands that follow go to this core (row major index)."""
    y, x = divmod(core, config.width)
    return command(config, Command.TARGET, x0=x, x1=x, y0=y, y1=y)


def pixels(config: FabricConfig, values: np.ndarray) -> np.ndarray:
    """A sample's pixels (n,), 0..255, which the fabric's encoder makes events of, from the next step on."""
    padded = np.zeros(words.pixel_words(config.encoder) * words.WORD_PIXELS, dtype=np.uint8)
    padded[: len(values)] = values
    return np.concatenate([command(config, Command.PIXELS), padded.view("<u4").astype(np.uint32)])


def load(image: Image) -> np.ndarray:
    """Write every memory of every core, and the encoder's table; the LOADED register, if there is one, comes last."""
    config, parts, current = image.config, [], None
    largest = words.commands(config)[Command.WRITE]["count"].range[1]
    for core, address, block in image.config_writes():
        if core != current:
            parts.append(target(config, core))
            current = core
        parts.append(command(config, Command.SETADDR, address=address))
        for start in range(0, len(block), largest - 1):  # an even number of 16-bit words, but for the last
            part = block[start : start + largest - 1]
            pairs = np.append(part, np.zeros(len(part) % 2, np.uint16)).astype("<u2").view("<u4")
            parts += [command(config, Command.WRITE, count=len(part)), pairs.astype(np.uint32)]
    if config.encoder:
        parts += [poke(config, Register.ENTRY_ROW, 0)]
        parts += [poke(config, Register.ENTRY, row) for row in bits_to_ints(image.entry_bits())]
    written = np.concatenate(parts)
    if not config.core.starts_empty:
        return written
    crc = zlib.crc32(written.astype("<u4").tobytes()) or 1
    return np.concatenate([poke(config, Register.LOADED, 0), written, poke(config, Register.LOADED, crc)])


def stamp(image: Image) -> int:
    """What LOADED says once ``image`` has been loaded."""
    return int(load(image)[-1])


def begin(image: Image, steps: int, overlapped: bool = False) -> np.ndarray:
    """Set the registers for samples of ``steps`` steps, and reset.

    Raises InputError where ``overlapped`` is asked and the image does not allow it.
    """
    if overlapped and not image.can_overlap(steps):
        why = "an event could cross from one into the next"
        if image.overlappable:
            why = f"a sample has {steps * image.step_ticks} ticks, and a population starts in tick {image.depth}"
        raise InputError(f"samples cannot overlap: {why}")
    registers = {
        Register.SAMPLE_TICKS: steps * image.step_ticks,
        Register.PERIOD_TICKS: image.step_ticks,
        Register.DEPTH: image.depth,
        Register.OVERLAPPED: int(overlapped),
    }
    pokes = [poke(image.config, register, value) for register, value in registers.items()]
    return np.concatenate([*pokes, reset(image.config)])


def pixels_of(inputs: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The pixels (B, n) among inputs of B samples; None where these are events (B, T, n)."""
    return next((values for values in inputs.values() if values.ndim == 2), None)


def extent(image: Image, inputs: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """B and T of inputs (B, T, n), or of pixels (B, n). Raises InputError for pixels where there is no encoder."""
    images = pixels_of(inputs)
    if images is None:
        return next(iter(inputs.values())).shape[:2]
    if image.config.encoder is None:
        raise InputError("there are pixels and the fabric has no encoder")
    return len(images), image.config.encoder.steps


@dataclass(frozen=True)
class Events:
    """Axon events of one tick: ``rectangles`` (k, 4) of x0, x1, y0, y1, ``axons`` (k,) and ``payloads`` (k,)."""

    rectangles: np.ndarray
    axons: np.ndarray
    payloads: np.ndarray

    def __len__(self) -> int:
        return len(self.axons)

    def __getitem__(self, chosen: np.ndarray) -> "Events":
        return Events(self.rectangles[chosen], self.axons[chosen], self.payloads[chosen])


def arrivals(image: Image, inputs: Mapping[str, np.ndarray]) -> list[Events]:
    """The events of every tick of one sample, T * M + depth of them. ``inputs``: input name -> integers (T, n)."""
    steps = len(next(iter(inputs.values())))
    length = steps * image.step_ticks + image.depth
    found = [np.zeros((0, 7), dtype=np.int64)]
    for name, values in inputs.items():
        step, entry = np.nonzero(values[:, image.inputs[name][:, 0]])
        rows = image.inputs[name][entry]
        ticks = step * image.step_ticks + rows[:, 6]
        payloads = values[step, rows[:, 0]].astype(np.int64)
        found.append(np.column_stack([ticks, rows[:, 1:6], payloads]))
    rows = np.concatenate(found)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    edges = np.searchsorted(rows[:, 0], np.arange(length + 1))
    return [Events(part[:, 1:5], part[:, 5], part[:, 6]) for part in np.split(rows, edges)[1:-1]]


def events(config: FabricConfig, tick: int, found: Events) -> np.ndarray:
    """EVENTS commands for one tick (modulo 2**16)."""
    columns = dict(zip(("x0", "x1", "y0", "y1"), found.rectangles.T, strict=True))
    payload = found.payloads if config.core.payload_bits else np.zeros(len(found), dtype=np.int64)
    packed = pack(words.event(config), **columns, axon=found.axons, payload=payload)
    largest = words.commands(config)[Command.EVENTS]["count"].range[1]
    parts = [np.zeros(0, dtype=np.uint32)]
    for start in range(0, len(packed), largest):
        part = packed[start : start + largest]
        parts += [command(config, Command.EVENTS, count=len(part), tick=tick % TICKS), part]
    return np.concatenate(parts)


def sample(image: Image, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """One drained sample after :func:`begin`: events and ADVANCE of every tick, then END_SAMPLE.

    Events of a tick stand right before its ADVANCE, hence always inside the window that the fabric accepts. Those
    of the ticks that END_SAMPLE runs stand before it: they are at most D - 1 ticks later than the last step.
    """
    config, ticks = image.config, arrivals(image, inputs)
    length = len(ticks) - image.depth
    parts = []
    for tick, found in enumerate(ticks):
        parts.append(events(config, tick, found))
        if tick < length:
            parts.append(advance(config))
    return np.concatenate([*parts, end_sample(config)])


def samples(image: Image, inputs: Mapping[str, np.ndarray], overlapped: bool = False) -> np.ndarray:
    """B samples one after the other, each drained; or ``overlapped``: each at once after the other, the last drained.

    ``inputs``: input name -> integers (B, T, n), or the encoder's pixels (B, n). Raises InputError as :func:`begin`
    does, and for pixels where there is no encoder.
    """
    config = image.config
    count, steps = extent(image, inputs)
    start = begin(image, steps, overlapped)
    if (images := pixels_of(inputs)) is not None:
        return np.concatenate([start, *_images(image, images, steps, overlapped)])
    if not overlapped:
        each = [sample(image, {name: values[i] for name, values in inputs.items()}) for i in range(count)]
        return np.concatenate([start, *each])
    joined = {name: values.reshape(-1, values.shape[-1]) for name, values in inputs.items()}
    ticks = enumerate(arrivals(image, joined))
    parts = [part for tick, found in ticks for part in (events(config, tick, found), advance(config))]
    return np.concatenate([start, *parts, reset(config)])


def _images(image: Image, images: np.ndarray, steps: int, overlapped: bool) -> Iterator[np.ndarray]:
    """Samples of pixels after :func:`begin`: of each its pixels, one order for all ticks, and END_SAMPLE."""
    config = image.config
    for values in images:
        yield pixels(config, values)
        yield advance(config, steps * image.step_ticks)
        if not overlapped:
            yield end_sample(config)
    if overlapped:
        yield advance(config, image.depth)
        yield reset(config)


# Responses


@dataclass(frozen=True)
class Records:
    """Responses in order, int64 (n,) each: ``kind`` (a Response), ``value`` (the line, data, tick or register) and
    ``extra`` (the signed value of VALUE; the clocks of TICK_DONE; the register's value of PEEKED)."""

    kind: np.ndarray
    value: np.ndarray
    extra: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, chosen) -> "Records":
        return Records(self.kind[chosen], self.value[chosen], self.extra[chosen])

    def of(self, kind: Response) -> "Records":
        return self[self.kind == kind]


_ARGUMENT = {
    Response.SPIKE: "line",
    Response.VALUE: "line",
    Response.REPLY: "data",
    Response.TICK_DONE: "tick",
    Response.PEEKED: "register",
}
TWO_WORDS = sum(1 << int(response) for response, extra in EXTRA_WORDS.items() if extra == 1)
"""Bit r is set where response r takes two words; all others take one."""


class Decoder:
    """Words from a fabric, in pieces of any length, to :class:`Records`."""

    def __init__(self, config: FabricConfig):
        self._layouts = words.responses(config)
        self._kept = np.zeros(0, dtype=np.uint32)

    def decode(self, received: np.ndarray) -> Records:
        """The messages that are complete by now. Raises ValueError for a word that is no response."""
        stream = np.concatenate([self._kept, received.astype(np.uint32)])
        opcodes = stream & ((1 << OPCODE_BITS) - 1)
        two = (TWO_WORDS >> opcodes) & 1 == 1
        # A word starts a message unless its predecessor starts one of two words. So within a run of words whose opcode
        # is that of two, starts alternate, and a word that follows any other word is a start.
        index = np.arange(len(stream))
        single = np.maximum.accumulate(np.where(two, -1, index)) if len(stream) else index
        before = np.concatenate([[-1], single[:-1]])[: len(stream)]
        starts = index[(index - 1 - before) % 2 == 0]
        if len(starts) and two[starts[-1]] and starts[-1] == len(stream) - 1:
            starts = starts[:-1]
            self._kept = stream[-1:]
        else:
            self._kept = stream[:0]
        return self._records(stream, starts, opcodes[starts].astype(np.int64), two[starts])

    def _records(self, stream: np.ndarray, starts: np.ndarray, kind: np.ndarray, two: np.ndarray) -> Records:
        unknown = np.flatnonzero(~np.isin(kind, list(self._layouts)))
        if len(unknown):
            raise ValueError(f"word {starts[unknown[0]]} is no response: {stream[starts[unknown[0]]]:#010x}")
        value, extra = np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
        for response, name in _ARGUMENT.items():
            chosen = kind == response
            value[chosen] = unpack(self._layouts[response], stream[starts[chosen]])[name]
        extra[two] = stream[starts[two] + 1]
        signed = kind == Response.VALUE
        extra[signed] = extra[signed].astype(np.uint32).view(np.int32)
        return Records(kind, value, extra)


@dataclass(frozen=True)
class Outputs:
    """``spikes``: population -> uint8 (B, T, n); ``values``: population -> int32 (B, T, n). Aligned with the inputs."""

    spikes: dict[str, np.ndarray]
    values: dict[str, np.ndarray]


def outputs(image: Image, records: Records, samples: int, steps: int, overlapped: bool = False) -> Outputs:
    """Outputs of ``samples`` samples of ``steps`` steps, from the records of :func:`samples` commands.

    Raises ValueError where a tick is missing, or an output comes in a tick in which its population does not work.
    """
    done = np.flatnonzero(records.kind == Response.TICK_DONE)
    length = steps * image.step_ticks
    span, runs = (samples * length, 1) if overlapped else (length, samples)  # a run ends with a drain
    run, within = np.divmod(np.arange(runs * (span + image.depth)), span + image.depth)
    if not np.array_equal(records.value[done], within % TICKS):
        raise ValueError(f"the ticks that were run are not {runs} times 0..{span + image.depth - 1}")
    spikes, values = {}, {}
    for output in image.outputs:
        first, size = output["first_line"], output["size"]
        kind = Response.VALUE if output["values"] else Response.SPIKE
        at = np.flatnonzero((records.kind == kind) & (records.value >= first) & (records.value < first + size))
        tick = np.searchsorted(done, at)
        position = within[tick] - output["depth"]
        inside = (position >= 0) & (position < span)
        at, position = at[inside], run[tick[inside]] * span + position[inside]
        if np.any(position % image.step_ticks):
            raise ValueError(f"output {output['population']!r} comes in a tick in which it does not work")
        place = (*np.divmod(position // image.step_ticks, steps), records.value[at] - first)
        array = np.zeros((samples, steps, size), dtype=np.int32 if output["values"] else np.uint8)
        array[place] = records.extra[at] if output["values"] else 1
        (values if output["values"] else spikes)[output["population"]] = array
    return Outputs(spikes, values)


# Reading a core


def region_words(config: FabricConfig, region: Region, rows: int | None = None) -> int:
    """16-bit words of an unbanked region, or of its first ``rows`` rows."""
    shape = memory_map.shapes(config)[region]
    return (shape.rows if rows is None else rows) * shape.words


def read_region(config: FabricConfig, core: int, region: Region, rows: int | None = None) -> np.ndarray:
    """Ask for an unbanked region, or its first ``rows`` rows: :func:`region_words` REPLY records."""
    start = memory_map.address(config).pack(region=int(region), bank=0, row=0, word=0)
    parts = [target(config, core), command(config, Command.SETADDR, address=start)]
    count, largest = region_words(config, region, rows), words.commands(config)[Command.READ]["count"].range[1]
    parts += [command(config, Command.READ, count=min(largest, count - at)) for at in range(0, count, largest)]
    return np.concatenate(parts)


def used_rows(image: Image, core: int) -> int:
    """Rows of a core's STATE region up to the last group in use; what is behind them never changes."""
    used = np.flatnonzero(image.cores[core].groups["size"])
    return (int(used[-1]) + 1) * image.config.core.subgroups if len(used) else 0


@dataclass(frozen=True)
class CoreStatus:
    """``counters``: 32-bit activity counters; ``fresh`` (G,) bool: the group has its initial state."""

    counters: dict[Status, int]
    fresh: np.ndarray


def decode_status(config: FabricConfig, data: Sequence[int]) -> CoreStatus:
    """A core's STATUS region."""
    rows = np.asarray(data, dtype=np.uint16).astype("<u2").view("<u4")
    fresh = np.unpackbits(rows[Status.FRESH :].astype("<u4").view(np.uint8), bitorder="little")
    return CoreStatus({c: int(rows[c]) for c in COUNTERS}, fresh[: config.core.groups].astype(bool))


def initial_state(image: Image, core: int) -> dict[str, np.ndarray]:
    """Every register's value at the start of a sample, int64 (G * P,)."""
    settings, memory = image.config.core, image.cores[core]
    state = {}
    for name in settings.neuron.widths:
        parameter = f"{name}_init"
        values = settings.neuron.constants.get(parameter, 0)
        if parameter in memory.neurons:
            values = memory.neurons[parameter]
        elif parameter in memory.groups:
            values = np.repeat(memory.groups[parameter], settings.lanes)
        state[name] = np.broadcast_to(np.asarray(values, dtype=np.int64), (settings.groups * settings.lanes,))
    return state


def decode_state(image: Image, core: int, data: Sequence[int], fresh: np.ndarray) -> dict[str, np.ndarray]:
    """The first rows of a core's STATE region as one array (neurons,) for each register; fresh groups have their
    initial state."""
    config = image.config
    layout, lanes = config.core.neuron.state_layout, config.core.update_lanes
    words_per_row = memory_map.shapes(config)[Region.STATE].words
    bits = words_to_bits(np.asarray(data, dtype=np.uint16).reshape(-1, words_per_row))
    stored = layout.from_bits(bits[:, : lanes * layout.width].reshape(-1, layout.width))
    neurons = len(bits) * lanes
    is_fresh = np.repeat(fresh, config.core.lanes)[:neurons]
    initial = initial_state(image, core)
    return {name: np.where(is_fresh, initial[name][:neurons], values) for name, values in stored.items()}
