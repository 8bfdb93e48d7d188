"""A line that hates the link: random bytes, and frames that are cut, repeated, swallowed, glued and damaged, both ways.

``python -m rtl_tests.link_fuzz [FRAMES]`` does so to FRAMES frames, by default 100,000, between the host's link and the
plain model of the board, then between the host's link and the hardware in a simulator, at its pins. What is claimed:
every word arrives once, in order, unchanged, in both directions, whatever the line does, and in bounded time.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from neurogen.host.link import Link
from rtl_tests.link_board import Board

END = b"\xc0"
FRAMES = 100_000
BYTE_SECONDS = 1e-5
MOST_WORDS = 400
DAMAGE = 0.2
SECONDS = 60.0
"""Of the line's time: within it everything that was sent must have come back."""


def answer(word: int, number: int) -> int:
    """What the fabric at the end of the line makes of the ``number``-th word since it was reset."""
    return (word << 1 & 0xFFFFFFFE | word >> 31) ^ number


class Adversary:
    """Lets most frames of one direction pass, and does something to the others."""

    def __init__(self, rng: np.random.Generator):
        self._rng, self._kept, self._past = rng, b"", []
        self.done: Counter[str] = Counter()

    def __call__(self, data: bytes) -> bytes:
        *frames, self._kept = (self._kept + data).split(END)
        return b"".join(self._mistreat(frame) for frame in frames)

    def forget(self) -> None:
        """Repeat no frame from before: a line may repeat what it carries, but not what it carried to another host."""
        self._past = []

    def _mistreat(self, frame: bytes) -> bytes:
        """One frame, without its END, as it arrives: with one, mostly."""
        if not frame:
            return END
        self.done["frames"] += 1
        self._past = [*self._past[-30:], frame]
        rng = self._rng
        if rng.random() >= DAMAGE:
            return frame + END
        kind = ("cut", "twice", "late", "lost", "glued", "noise", "flips", "byte_lost")[rng.integers(8)]
        self.done[kind] += 1
        at = int(rng.integers(len(frame)))
        if kind == "cut":
            return frame[:at] + END
        if kind == "twice":
            return frame + END + frame + END
        if kind == "late":
            return frame + END + self._past[rng.integers(len(self._past))] + END
        if kind == "lost":
            return b""
        if kind == "glued":
            return frame
        if kind == "noise":
            return frame + END + rng.bytes(int(rng.integers(1, 60)))
        if kind == "flips":
            return bytes(byte ^ (1 << rng.integers(8)) * (rng.random() < 0.1) for byte in frame) + END
        return frame[:at] + frame[at + 1 :] + END


class Trial:
    """Words there and back, in one session after the other, until ``frames`` frames have been mistreated or passed."""

    def __init__(self, seed: int, frames: int):
        self._rng, self._frames = np.random.default_rng(seed), frames
        self.seed = seed
        self.there, self.back = Adversary(np.random.default_rng(seed + 1)), Adversary(np.random.default_rng(seed + 2))
        self.words = self.sessions = self.vanished = 0
        self._session = int(self._rng.integers(1, 1000))
        self._start(0.0)

    def _start(self, now: float) -> None:
        """A host comes, which knows nothing of an earlier one."""
        self._session = self._session % 0xFFFF + 1
        self.sessions += 1
        self._host = Link(self._session, now)
        self.there.forget()
        self.back.forget()
        self._asked: list[int] = []
        self._answered = 0
        self._since = now
        self._goes_after = int(self._rng.integers(1, 3000))

    @property
    def finished(self) -> bool:
        return self.frames >= self._frames and self._answered == len(self._asked)

    @property
    def frames(self) -> int:
        return self.there.done["frames"] + self.back.done["frames"]

    def to_board(self, now: float) -> bytes:
        """Bytes that arrive at the board."""
        if self._answered == len(self._asked) and self._host.unsent == 0 and self.frames < self._frames:
            burst = self._rng.integers(0, 1 << 32, self._rng.integers(1, MOST_WORDS), dtype=np.uint64)
            self._asked += burst.tolist()
            self._host.send(burst.astype(np.uint32))
            self._since = now
        self._host.expect(self._answered < len(self._asked), now)
        out = self._host.output(now)
        if self._answered > self._goes_after:  # the host vanishes, in the middle of a frame if it sends one
            out = out[: int(self._rng.integers(len(out) + 1))]
            self.vanished += 1
            self._start(now)
        assert now - self._since < SECONDS, f"nothing new for {SECONDS} s (seed {self.seed})"
        return self.there(out)

    def from_board(self, data: bytes, now: float) -> None:
        """Bytes that the board has sent."""
        self._host.feed(self.back(data), now)
        for word in self._host.take().tolist():
            expected = answer(self._asked[self._answered], self._answered)
            assert word == expected, f"word {self._answered}: expected {expected:#x}, got {word:#x} (seed {self.seed})"
            self._answered += 1
            self.words += 1
            self._since = now

    def check(self) -> None:
        """Everything came back, and everything was tried."""
        assert self.finished and self.words > self._frames and self.vanished > 2
        for direction in (self.there, self.back):
            assert len(direction.done) == 9, f"not everything was tried: {direction.done}"

    def __str__(self) -> str:
        counts = self.there.done + self.back.done
        return f"{self.words} words in {self.sessions} sessions; " + ", ".join(f"{n} {k}" for k, n in counts.items())


class ModelLine:
    """The plain model of the board, ``CHUNK`` bytes at a time."""

    def __init__(self):
        self._count = 0
        self._board, self._out = Board(self._fabric), b""

    def _fabric(self, words: list[int] | None) -> list[int]:
        if words is None:
            self._count = 0
            return []
        self._count += len(words)
        return [answer(word, self._count - len(words) + i) for i, word in enumerate(words)]

    async def exchange(self, data: bytes) -> bytes:
        for byte in data:
            self._board.feed(byte)
        self._board.work()
        while len(self._out) < CHUNK and (frame := self._board.frame()):
            self._out += frame
        found, self._out = self._out[:CHUNK], self._out[CHUNK:]
        return found


CHUNK = 48


async def play(trial: Trial, line) -> None:
    """Run a trial on a line that takes and gives bytes by ``exchange``."""
    now, waiting = 0.0, b""
    while not trial.finished:
        waiting += trial.to_board(now)
        found = await line.exchange(waiting[:CHUNK])
        waiting = waiting[CHUNK:]
        now += CHUNK * BYTE_SECONDS
        trial.from_board(found, now)
    trial.check()


def on_model(frames: int, seed: int) -> Trial:
    """A trial on the model."""
    trial = Trial(seed, frames)
    asyncio.run(play(trial, ModelLine()))
    return trial


def on_hardware(frames: int, seed: int, folder: Path, simulator: str = "verilator") -> str:
    """A trial on the hardware in a simulator; what was done."""
    from rtl_tests.cocotb.link_bench import run

    return run(frames, seed, folder, simulator)


def main(arguments: list[str]) -> int:
    frames = int(arguments[0]) if arguments else FRAMES
    print(f"model, seed 1: {on_model(frames, 1)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(f"hardware, seed 2: {on_hardware(frames, 2, Path(folder))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
