"""A board at the end of a line: words to and from its fabric, and all that they are used for."""

import os
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import serial

from ..spec.errors import CheckError, InputError
from ..spec.image import Image
from ..spec.link import PROTOCOL, Identity
from ..spec.memory_map import Region
from ..spec.words import Register, Response
from . import codec, readback
from .codec import CoreStatus, Outputs, Records
from .link import Link, LinkError

BAUD = 1_000_000
PATIENCE_SECONDS = 60.0
"""A fabric that owes an answer and gives no word for so long is stuck."""
READ_SECONDS = 0.002
"""Longest wait for a byte: how late a silent board may be polled."""
AHEAD = 2
"""Parts of a stream whose words are queued before the answers to the first have come: the line has no pause."""


class Line(Protocol):
    """What is used of a line: pyserial's objects have it."""

    in_waiting: int

    def read(self, size: int) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...

    def close(self) -> None: ...


def open_line(port: str, baud: int = BAUD) -> Line:
    """The line at ``port``: a serial device, or a URL of pyserial's (``socket://HOST:PORT``).

    Raises InputError if it cannot be opened.
    """
    try:
        return serial.serial_for_url(port, baudrate=baud, timeout=READ_SECONDS)
    except (serial.SerialException, ValueError, OSError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number else str(error).rpartition("] ")[2]
        raise InputError(f"{port}: cannot be opened: {reason}") from None


class Device:
    """A board that runs an image. A context manager; all methods but :meth:`open` need an open device.

    One session: opening resets the fabric, and so does closing it; memories keep what is in them. Commands are sent
    ahead, as far as the board has room, so throughput is the line's.

    Parameters
    ----------
    line : Line
    image : :class:`~neurogen.spec.image.Image`
        Of the network that the fabric runs.
    build : int, optional
        The build digest that the board must have.
    name : str
        What errors call the board.
    """

    def __init__(self, line: Line, image: Image, build: int | None = None, name: str = "board"):
        self.image, self.config, self.name = image, image.config, name
        self._line, self._build = line, build
        self._link = Link(secrets.randbelow(0xFFFF) + 1, time.monotonic())
        self._decoder = codec.Decoder(self.config)
        self._received: deque[Records] = deque()
        self._parts = [self._decoder.decode(np.zeros(0, np.uint32))]  # of the answer that is coming

    @classmethod
    def at(cls, port: str, image: Image, build: int | None = None, baud: int = BAUD) -> Self:
        """The device at a port, not yet open. Raises InputError if the port cannot be opened."""
        return cls(open_line(port, baud), image, build, port)

    # The session

    def open(self) -> Identity:
        """Start a session; what the board is.

        Raises InputError if the board holds another build, LinkError if there is no answer.
        """
        while self._link.identity is None:
            self._exchange_bytes()
        self._link.expect(False, time.monotonic())
        self._check(self._link.identity)
        return self._link.identity

    def _check(self, found: Identity) -> None:
        if found.protocol != PROTOCOL:
            raise InputError(f"{self.name}: the board speaks version {found.protocol} of the link, this is {PROTOCOL}")
        if self._build is not None and found.build != self._build:
            raise InputError(
                f"{self.name}: {found.device} holds build {found.build:016x}, not {self._build:016x}; flash this build"
            )
        config = int(self.config.digest, 16) & 0xFFFFFFFF
        if found.config != config:
            raise InputError(f"{self.name}: {found.device} holds fabric {found.config:08x}, not {config:08x}")

    @property
    def identity(self) -> Identity:
        """What the board is."""
        return self._link.identity

    @property
    def damaged(self) -> int:
        """Frames that came damaged."""
        return self._link.damaged

    @property
    def resent(self) -> int:
        """Times that words were sent again."""
        return self._link.resent

    def close(self) -> None:
        """End the session: the fabric is reset and at rest, whatever it was doing."""
        last = Link(secrets.randbelow(0xFFFF) + 1, time.monotonic())
        try:
            self._line.write(last.output(time.monotonic()))
        except (serial.SerialException, OSError):
            pass  # a line that is gone needs no farewell
        finally:
            self._line.close()

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self._line.close()
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # Words

    def exchange(self, commands: np.ndarray) -> Records:
        """Send commands, wait until all are executed, and return what came back."""
        return next(self.stream([commands]))

    def send(self, commands: np.ndarray) -> None:
        """Send commands and wait for no answer: :meth:`receive` takes what comes, in real time for example."""
        self._link.send(commands)

    def receive(self, seconds: float) -> Records:
        """What comes within some time. Raises LinkError if the board cannot be reached."""
        end = time.monotonic() + seconds
        self._link.expect(True, time.monotonic())
        while time.monotonic() < end:
            self._exchange_bytes()
        self._sort(self._decoder.decode(self._link.take()))
        found, self._parts = _joined(self._parts), self._parts[:0] or [self._parts[0][:0]]
        return found

    def stream(self, parts: Iterable[np.ndarray]) -> Iterator[Records]:
        """Send parts of a stream of commands, each before the answers to earlier ones have come; the answers to each.

        Raises LinkError if the board cannot be reached, or its fabric stops.
        """
        end = codec.peek(self.config, Register.IDENTITY)
        owed = 0
        for part in parts:
            self._link.send(np.concatenate([part, end]))
            owed += 1
            if owed > AHEAD:
                yield self._answer()
                owed -= 1
        for _ in range(owed):
            yield self._answer()

    def _answer(self) -> Records:
        """The records up to the next PEEKED of IDENTITY."""
        self._link.expect(True, time.monotonic())
        latest = time.monotonic()
        while not self._received:
            self._exchange_bytes()
            words = self._link.take()
            now = time.monotonic()
            if len(words):
                latest = now
                self._sort(self._decoder.decode(words))
            elif self._link.unsent == 0 and now - latest > PATIENCE_SECONDS:
                raise LinkError(f"{self.name}: the fabric has given no word for {PATIENCE_SECONDS:.0f} s")
        return self._received.popleft()

    def _sort(self, records: Records) -> None:
        """Cut records into answers."""
        start = 0
        for end in np.flatnonzero((records.kind == Response.PEEKED) & (records.value == Register.IDENTITY)):
            self._received.append(_joined([*self._parts, records[start:end]]))
            self._parts, start = [], int(end) + 1
        self._parts.append(records[start:])

    def _exchange_bytes(self) -> None:
        """Give the line what is due and take what there is; waits ``READ_SECONDS`` at most."""
        try:
            if due := self._link.output(time.monotonic()):
                self._line.write(due)
            found = self._line.read(1)
            while found and (more := self._line.in_waiting):
                found += self._line.read(more)
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.name}: the line is broken: {error}") from None
        except LinkError as error:
            raise LinkError(f"{self.name}: {error}") from None
        self._link.feed(found, time.monotonic())

    # What words are used for

    @property
    def has_image(self) -> bool:
        """Whether the fabric says that it has loaded this image, from the board's flash or from a host. One that has
        no register for it never says so."""
        return self.register(Register.LOADED) == codec.stamp(self.image)

    def load(self) -> None:
        """Write the image into the fabric's memories."""
        self.exchange(codec.load(self.image))

    def verify_loaded(self) -> int:
        """Read the memories back; how many 16-bit words were compared. Raises CheckError at the first that differs."""
        records = self.exchange(readback.words(self.image))
        if wrong := readback.compare(self.image, records):
            raise CheckError(f"{self.name}: {wrong.place}: expected {wrong.expected}, got {wrong.got}")
        return len(records)

    def reset(self) -> None:
        """Initial state, empty slots, tick 0 is next."""
        self.exchange(codec.reset(self.config))

    def begin(self, steps: int, overlapped: bool = False) -> None:
        """Set the fabric up for samples of ``steps`` steps."""
        self.exchange(codec.begin(self.image, steps, overlapped))

    def step(self, events: Mapping[int, codec.Events] | None = None, ticks: int = 1) -> Records:
        """Send the events of coming ticks (tick -> events), run ``ticks`` ticks, and return their records."""
        parts = [codec.events(self.config, tick, found) for tick, found in (events or {}).items()]
        return self.exchange(np.concatenate([*parts, codec.advance(self.config, ticks)]))

    def run(self, inputs: Mapping[str, np.ndarray], overlapped: bool = False) -> Outputs:
        """Outputs of B samples: ``inputs`` name -> integers (B, T, n), or the encoder's pixels (B, n)."""
        return next(self.run_parts([inputs], overlapped))

    def run_parts(self, parts: Iterable[Mapping[str, np.ndarray]], overlapped: bool = False) -> Iterator[Outputs]:
        """Outputs of each of several batches, sent one behind the other without a pause."""
        shapes: deque[tuple[int, int]] = deque()

        def commands() -> Iterator[np.ndarray]:
            for inputs in parts:
                shapes.append(codec.extent(self.image, inputs))
                yield codec.samples(self.image, inputs, overlapped)

        for records in self.stream(commands()):
            yield codec.outputs(self.image, records, *shapes.popleft(), overlapped)

    def real_time(self, tick_cycles: int) -> None:
        """From now on start a tick every ``tick_cycles`` clocks; 0: on ADVANCE again.

        Raises InputError if the fabric's host port is small.
        """
        if self.config.host_port == "small":
            raise InputError(f"{self.name}: the fabric has a small host port, which knows no real time")
        self.exchange(codec.poke(self.config, Register.TICK_CYCLES, tick_cycles))

    def register(self, register: Register) -> int:
        """A register of the host port."""
        asked = codec.peek(self.config, register)
        records = self.exchange(asked) if register is not Register.IDENTITY else None
        return self.identity.config if records is None else int(records.of(Response.PEEKED).extra[0])

    def status(self, core: int) -> CoreStatus:
        """A core's counters, and which groups have their initial state."""
        records = self.exchange(codec.read_region(self.config, core, Region.STATUS))
        return codec.decode_status(self.config, records.of(Response.REPLY).value)

    def state(self, core: int) -> dict[str, np.ndarray]:
        """The registers of a core's neurons, int64 (neurons,) each."""
        rows = codec.used_rows(self.image, core)
        if not rows:
            return codec.initial_state(self.image, core)
        fresh = self.status(core).fresh
        records = self.exchange(codec.read_region(self.config, core, Region.STATE, rows))
        return codec.decode_state(self.image, core, records.of(Response.REPLY).value, fresh)


def _joined(parts: list[Records]) -> Records:
    return Records(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("kind", "value", "extra")))
