"""The host's side of ``spec.link``: words to bytes and back, without a line, a clock or a thread of its own.

Whoever owns the line feeds what arrives, puts on the line what :meth:`Link.output` gives, and tells the time.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..spec.errors import ToolError
from ..spec.link import (
    END,
    ESCAPE,
    ESCAPED_END,
    ESCAPED_ESCAPE,
    FRAME_WORDS,
    HEADER,
    IDENTITY_WORDS,
    NUMBER_BITS,
    Identity,
)

NUMBERS = 1 << NUMBER_BITS
HEADER_BYTES, CRC_BYTES, WORD_BYTES = HEADER.width // 8, 4, 4
LARGEST_FRAME = 2 * (HEADER_BYTES + FRAME_WORDS * WORD_BYTES + CRC_BYTES)
"""More bytes than that without END are no frame."""

SILENCE_SECONDS = 3.0
"""A board that owes an answer and gives none for so long is gone."""

STALL_SECONDS = 10.0
"""A line that brings answers, but not one new word to the board for so long, is unusable."""

POLL_SECONDS = 0.02
"""How often a board that says nothing is asked, at the least."""

LARGEST_CREDIT = HEADER["credit"].range[1]
SMALLEST_WINDOW, LARGEST_WINDOW = 16, LARGEST_CREDIT
START_WINDOW = 256
FOREIGN_FRAMES = 3
"""So many frames of another session, and none of ours between them, say that ours is over."""
FRAMES_IN_WINDOW = 4


class LinkError(ToolError):
    """The board cannot be reached, or is no longer the one that was opened."""


def escape(frame: bytes) -> bytes:
    """A frame's bytes as they stand on the line, with an END before and after."""
    inside = frame.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPED_ESCAPE]))
    return bytes([END]) + inside.replace(bytes([END]), bytes([ESCAPE, ESCAPED_END])) + bytes([END])


def unescape(inside: bytes) -> bytes:
    """Inverse of :func:`escape` for what stands between two ENDs."""
    plain = inside.replace(bytes([ESCAPE, ESCAPED_END]), bytes([END]))
    return plain.replace(bytes([ESCAPE, ESCAPED_ESCAPE]), bytes([ESCAPE]))


@dataclass(frozen=True)
class Frame:
    """One frame; ``words`` are little-endian bytes."""

    ack: int
    seq: int
    session: int
    credit: int = 0
    open: int = 0
    resend: int = 0
    poll: int = 0
    words: bytes = b""

    def encode(self) -> bytes:
        """As bytes on the line."""
        fields = {key: value for key, value in vars(self).items() if key != "words"}
        fields |= {"ack": self.ack % NUMBERS, "seq": self.seq % NUMBERS, "reserved": 0}
        body = HEADER.pack(**fields).to_bytes(HEADER_BYTES, "little") + self.words
        return escape(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little"))

    @classmethod
    def decode(cls, inside: bytes) -> "Frame | None":
        """The frame between two ENDs; None if it is damaged."""
        frame = unescape(inside)
        body, crc = frame[:-CRC_BYTES], frame[-CRC_BYTES:]
        if len(body) < HEADER_BYTES or len(body) % WORD_BYTES or zlib.crc32(body).to_bytes(CRC_BYTES, "little") != crc:
            return None
        fields = HEADER.unpack(int.from_bytes(body[:HEADER_BYTES], "little"))
        fields.pop("reserved")
        return cls(**fields, words=body[HEADER_BYTES:])


class Deframer:
    """Bytes in pieces of any length to frames."""

    def __init__(self):
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[Frame | None]:
        """The frames that are complete by now, None for each that is damaged."""
        *frames, self._kept = (self._kept + data).split(bytes([END]))
        if len(self._kept) > LARGEST_FRAME:
            frames, self._kept = [*frames, self._kept], b""
        return (Frame.decode(inside) for inside in frames if inside)


class RoundTrip:
    """Smoothed time from a word to its acknowledgement, of words that were sent once (Jacobson; Karn)."""

    def __init__(self):
        self._mean, self._deviation = POLL_SECONDS, POLL_SECONDS / 2
        self._watched: tuple[int, float] | None = None

    @property
    def bound(self) -> float:
        """Seconds after which an answer is late."""
        return self._mean + 4 * self._deviation

    def sent(self, number: int, now: float) -> None:
        self._watched = self._watched or (number, now)

    def acknowledged(self, number: int, now: float) -> None:
        if self._watched and number >= self._watched[0]:
            error = now - self._watched[1] - self._mean
            self._mean += error / 8
            self._deviation += (abs(error) - self._deviation) / 4
            self._watched = None

    def spoilt(self) -> None:
        self._watched = None


class Window:
    """Words that may be on their way: half as many after a loss, more again with every word that arrives.

    What is on its way behind a lost word is lost too, so on a noisy line much costs more than it gains.
    """

    def __init__(self):
        self._words = float(LARGEST_WINDOW)

    @property
    def words(self) -> int:
        return int(self._words)

    def arrived(self, count: int) -> None:
        self._words = min(LARGEST_WINDOW, self._words + count / 8)

    def lost(self) -> None:
        self._words = max(SMALLEST_WINDOW, min(self._words, START_WINDOW) / 2)


class Link:
    """One session with a board.

    Parameters
    ----------
    session : int
        1..65535, drawn at random.
    now : float
        Seconds, as in all methods, of a clock that never goes back.
    capacity : int
        Words that may wait in :meth:`take`; the board holds back more.

    Attributes
    ----------
    identity : Identity or None
        What the board says about itself, once the session is open.
    damaged, resent : int
        Frames that came damaged, and times that words had to be sent again.
    """

    def __init__(self, session: int, now: float, capacity: int = 1 << 20):
        self.identity: Identity | None = None
        self.damaged = self.resent = 0
        self._session, self._capacity = session, capacity
        self._deframer, self._trip = Deframer(), RoundTrip()
        # Numbers count from 0 without end. To the board: words from `base` on are in `outgoing`.
        self._outgoing, self._base, self._next, self._limit = bytearray(), 0, 0, 0
        self._incoming, self._expected, self._latest = bytearray(), 0, -1
        self._out_window, self._in_window = Window(), Window()
        self._owes_ack = self._wants_resend = False
        self._went_back = self._asked_back = (-1, 0.0)  # the number, and until when not again
        self._poll_at, self._heard, self._progress = now, now, now
        self._expecting, self._foreign = True, 0

    # The user's side

    def send(self, words: np.ndarray) -> None:
        """Queue words for the board."""
        self._outgoing += np.ascontiguousarray(words, dtype="<u4").tobytes()

    def take(self) -> np.ndarray:
        """Words from the board that have come since the last call."""
        found = np.frombuffer(bytes(self._incoming), dtype="<u4").astype(np.uint32)
        self._incoming.clear()
        return found

    def expect(self, more: bool, now: float) -> None:
        """Whether words from the board are waited for: only then it is polled when nothing is under way to it."""
        if more and not self._waiting:
            self._heard = self._progress = now
        self._expecting = more

    @property
    def unsent(self) -> int:
        """Words that the board does not have yet, as far as is known."""
        return len(self._outgoing) // WORD_BYTES

    @property
    def _waiting(self) -> bool:
        return self.identity is None or self._expecting or bool(self._outgoing)

    # The line's side

    def feed(self, data: bytes, now: float) -> None:
        """Take bytes from the line. Raises LinkError if the board is no longer in this session."""
        for frame in self._deframer.feed(data):
            if frame is None:
                self.damaged += 1
                self._poll_at = min(self._poll_at, now)  # the answer tells whether words were lost
            elif frame.session == self._session:
                self._heard, self._foreign = now, 0
                self._poll_at = now + self._patience
                self._open(frame) if frame.open else self._follow(frame, now)
            elif self.identity is not None:
                self._foreign += 1
                if self._foreign == FOREIGN_FRAMES:
                    raise LinkError("the board was reset, or another program has opened it")

    def output(self, now: float) -> bytes:
        """Bytes to put on the line. Raises LinkError where the board has been silent, or stuck, for too long."""
        if self._waiting:
            self._judge(now)
        polls = self._waiting and now >= self._poll_at
        if polls:
            self._poll_at = now + self._patience
        if self.identity is None:
            return self._frame(open=1).encode() if polls else b""
        frames = []
        end = min(self._limit, self._base + min(self.unsent, self._out_window.words))
        while self._next < end:
            frames.append(self._words(end, now))
        if polls or self._wants_resend or (self._owes_ack and not frames):
            frames.append(self._frame(poll=int(polls), resend=int(self._wants_resend)))
        self._owes_ack = self._wants_resend = False
        return b"".join(frame.encode() for frame in frames)

    def wake_at(self) -> float:
        """When :meth:`output` should be called even if nothing has come."""
        return self._poll_at if self._waiting else float("inf")

    @property
    def _patience(self) -> float:
        return max(POLL_SECONDS, self._trip.bound)

    def _judge(self, now: float) -> None:
        if now - self._heard > SILENCE_SECONDS:
            what = "there is no answer" if self.identity is None else "the board has not answered"
            raise LinkError(f"{what} for {SILENCE_SECONDS:.0f} s")
        if not self._outgoing or self._limit <= self._base:
            self._progress = now
        elif now - self._progress > STALL_SECONDS:
            raise LinkError(f"the line is too noisy: no word has come through for {STALL_SECONDS:.0f} s")

    def _frame(self, **fields) -> Frame:
        room = max(0, self._capacity - len(self._incoming) // WORD_BYTES)
        credit = min(room, self._in_window.words)
        return Frame(ack=self._expected, seq=self._next, session=self._session, credit=credit, **fields)

    def _words(self, end: int, now: float) -> Frame:
        """A frame of the next words, of those before ``end``."""
        at = self._next - self._base
        count = min(end - self._next, FRAME_WORDS, self._out_window.words // FRAMES_IN_WINDOW)
        frame = self._frame(words=bytes(self._outgoing[at * WORD_BYTES : (at + count) * WORD_BYTES]))
        self._next += count
        self._trip.sent(self._next, now)
        self._poll_at = max(self._poll_at, now + self._patience)
        return frame

    def _open(self, frame: Frame) -> None:
        """The answer to OPEN. A board that has counted already was in a session of the same number: try the next."""
        if self.identity is not None or len(frame.words) != IDENTITY_WORDS * WORD_BYTES:
            return
        if frame.ack or frame.seq:
            self._session = self._session % (NUMBERS - 1) + 1
            return
        self.identity = Identity.unpack(int.from_bytes(frame.words, "little"))
        self._limit = frame.credit

    def _follow(self, frame: Frame, now: float) -> None:
        """What a frame of the open session says."""
        if self.identity is None:
            return
        ack = self._base + (frame.ack - self._base) % NUMBERS
        if ack <= self._base + self.unsent:
            self._acknowledge(ack, now)
            self._limit = max(self._limit, ack + frame.credit)
            if frame.resend and ack < self._next and not (ack == self._went_back[0] and now < self._went_back[1]):
                self._next, self._went_back = ack, (ack, now + self._trip.bound)
                self._out_window.lost()
                self._trip.spoilt()
                self.resent += 1
        self._receive(frame, now)

    def _acknowledge(self, ack: int, now: float) -> None:
        if ack == self._base:
            return
        self._out_window.arrived(ack - self._base)
        del self._outgoing[: (ack - self._base) * WORD_BYTES]
        self._base, self._next, self._progress = ack, max(self._next, ack), now
        self._trip.acknowledged(ack, now)

    def _receive(self, frame: Frame, now: float) -> None:
        ahead = (frame.seq - self._expected + NUMBERS // 2) % NUMBERS - NUMBERS // 2
        number = self._expected + ahead
        if ahead > 0:
            # The board counts on after a loss. If it has gone back since we asked, its answer was lost too.
            self._ask_back(now, again=number <= self._latest)
        elif ahead == 0 and frame.words:
            self._incoming += frame.words
            self._in_window.arrived(len(frame.words) // WORD_BYTES)
            self._expected += len(frame.words) // WORD_BYTES
        self._owes_ack |= bool(frame.words)
        self._latest = number

    def _ask_back(self, now: float, again: bool = False) -> None:
        if self.identity is not None and (again or self._expected != self._asked_back[0] or now >= self._asked_back[1]):
            self._wants_resend = True
            self._in_window.lost()
            self._asked_back = (self._expected, now + self._trip.bound)
