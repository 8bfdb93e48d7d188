"""A second implementation of the board's side of the link, in plain Python, and a line whose bytes take their time.

Written from ``spec.link``'s text, with nothing of the host's or the hardware's code: both are tested against it.
"""

import binascii
from collections import deque
from collections.abc import Callable

import numpy as np

from neurogen.spec.link import IDENTITY_WORDS, Identity

END, ESC = 0xC0, 0xDB
IDENTITY = Identity(12_000_000, 0x12345678, 0xFEDCBA9876543210, "model", 8, 8)


def stuffed(body: bytes) -> bytes:
    """A frame's body with its CRC, as bytes on the line."""
    line = bytearray([END])
    for byte in body + binascii.crc32(body).to_bytes(4, "little"):
        line += {END: b"\xdb\xdc", ESC: b"\xdb\xdd"}.get(byte, bytes([byte]))
    return bytes(line) + bytes([END])


def header(ack: int, flags: int, credit: int, session: int, seq: int) -> bytes:
    return b"".join(value.to_bytes(2, "little") for value in (ack & 0xFFFF, flags | credit << 4, session, seq & 0xFFFF))


class Board:
    """The board's side. ``fabric`` maps the words that it is given to those that it gives; ``None`` starts it anew."""

    ROOM = 255

    def __init__(self, fabric: Callable[[list[int] | None], list[int]], slow: int = 0):
        self._fabric, self._slow = fabric, slow
        self.session, self.sessions = 0, 0
        self.taken: list[int] = []  # every word that the fabric was given in this session
        self._body, self._escape = bytearray(), False
        self._restart()
        self._open = self._answer = self._resend = False

    def _restart(self) -> None:
        self.expected, self._waiting = 0, deque()
        self._base, self._next, self._kept, self._credit = 0, 0, [], 0
        self.taken = []
        self._scarce = False
        self._fabric(None)

    def work(self) -> None:
        """The fabric takes what waits, and gives what the ring has room for."""
        words = []
        while self._waiting:
            words.append(self._waiting.popleft())
        self.taken += words
        self._kept += self._fabric(words)
        if self._scarce and self.ROOM - len(self._waiting) >= 128:
            self._answer = True

    def feed(self, byte: int) -> None:
        """A byte from the line."""
        if byte == END:
            if self._body:
                self._end(bytes(self._body))
            self._body, self._escape = bytearray(), False
        elif byte == ESC and not self._escape:
            self._escape = True
        else:
            self._body.append({0xDC: END, 0xDD: ESC}.get(byte, byte) if self._escape else byte)
            self._escape = False

    def _end(self, frame: bytes) -> None:
        body = frame[:-4]
        if len(body) < 8 or len(body) % 4 or binascii.crc32(body) != int.from_bytes(frame[-4:], "little"):
            self._answer = self._resend = True
            return
        ack, flags, session, seq = (int.from_bytes(body[i : i + 2], "little") for i in range(0, 8, 2))
        if flags & 1:
            if session != self.session:
                self.session, self.sessions = session, self.sessions + 1
                self._restart()
            self._open = True
        elif session != self.session:
            self._answer = True
        else:
            self._follow(ack, flags, seq, body[8:])

    def _follow(self, ack: int, flags: int, seq: int, words: bytes) -> None:
        known = (ack - self._base) & 0xFFFF
        if known <= min(len(self._kept), 256):
            del self._kept[:known]
            self._base += known
            self._credit = flags >> 4
            self._next = self._base if flags & 2 else max(self._next, self._base)
        if words or flags & 4:
            self._answer = True
        ahead = (seq - self.expected) & 0xFFFF
        self._resend |= 0 < ahead < 0x8000
        if words and ahead == 0 and len(words) // 4 <= self.ROOM - len(self._waiting):
            self._waiting += np.frombuffer(words, "<u4").tolist()
            self.expected += len(words) // 4

    def frame(self) -> bytes:
        """The next frame for the line; empty if there is nothing to say."""
        at = self._next - self._base
        count = max(0, min(64, len(self._kept) - at, self._credit - at, 256 - at))
        if not (self._open or self._answer or self._resend or count):
            return b""
        flags = self._open | self._resend << 1
        room = self.ROOM - len(self._waiting)
        body = header(self.expected, flags, room, self.session, self._next)
        if self._open:
            body += IDENTITY.pack().to_bytes(4 * IDENTITY_WORDS, "little")
        else:
            body += np.array(self._kept[at : at + count], dtype="<u4").tobytes()
            self._next += count
        self._open = self._answer = self._resend = False
        self._scarce = room < 128
        return stuffed(body)


class Noise:
    """Damage on a line, drawn from a seed: probabilities of a changed, a lost and an added byte."""

    def __init__(self, seed: int, change: float = 0.0, drop: float = 0.0, insert: float = 0.0):
        self._rng = np.random.default_rng(seed)
        self._limits = np.cumsum([change, drop, insert])
        self.damage = 0

    def __call__(self, byte: int) -> bytes:
        kind = int(np.searchsorted(self._limits, self._rng.random(), side="right"))
        if kind == 3:
            return bytes([byte])
        self.damage += 1
        extra = int(self._rng.integers(256))
        return (bytes([byte ^ (1 << extra % 8)]), b"", bytes([extra, byte]))[kind]


class Line:
    """Host and board at two ends of a line of ``rate`` bytes a second, ``latency`` seconds long each way."""

    def __init__(self, host, board: Board, there=None, back=None, rate: float = 100_000, latency: float = 0.001):
        self.host, self.board, self.now = host, board, 0.0
        self._noise = (there or Noise(0), back or Noise(0))
        self._byte, self._latency = 1 / rate, latency
        self._out, self._in = deque(), deque()  # bytes that wait to be sent
        self._flying = (deque(), deque())  # (time of arrival, bytes)
        self.bytes = [0, 0]

    def step(self) -> None:
        """One byte's time."""
        self.now += self._byte
        self._out += self.host.output(self.now)
        self.board.work()
        if not self._in:
            self._in += self.board.frame()
        for i, queue in enumerate((self._out, self._in)):
            if queue:
                self.bytes[i] += 1
                self._flying[i].append((self.now + self._latency, self._noise[i](queue.popleft())))
        for i, flying in enumerate(self._flying):
            while flying and flying[0][0] <= self.now:
                found = flying.popleft()[1]
                if i:
                    self.host.feed(found, self.now)
                else:
                    for byte in found:
                        self.board.feed(byte)
