"""X to Y on a board at the end of a line. Y is what ``simulate`` writes."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..host import data
from ..host.device import BAUD, Device
from ..spec.link import Identity
from .session import Progress
from .simulate import Chunk, Simulation, by_chunks, is_done, save_chunk
from .target import Target, resolve
from .virtual_board import Noise, VirtualBoard

VIRTUAL = "sim"
"""The port that starts a simulated board."""

CHUNK = 4


@dataclass
class Throughput:
    """What a run took. ``samples`` that were run now, in ``seconds``; loading the image is counted apart."""

    board: Identity | None = None
    samples: int = 0
    seconds: float = 0.0
    load_seconds: float = 0.0
    damaged: int = 0
    resent: int = 0

    @property
    def samples_per_second(self) -> float | None:
        """None where all samples had been run before."""
        return self.samples / self.seconds if self.samples else None


@dataclass
class _Board:
    """An executor of chunks (see :func:`~.simulate.by_chunks`)."""

    port: str
    baud: int
    noise: Noise | None
    throughput: Throughput = field(default_factory=Throughput)

    def __call__(
        self, target: Target, samples: data.Samples, chunks: list[Chunk], folder: Path, progress: Progress | None
    ) -> None:
        left = [chunk for chunk in chunks if not is_done(folder, chunk)]
        with ExitStack() as stack:
            port = self.port
            if port == VIRTUAL:
                port = stack.enter_context(VirtualBoard(target, self.noise)).url
            device = stack.enter_context(Device.at(port, target.image, target.build_digest, self.baud))
            self._load(device, target)
            started = time.perf_counter()
            outputs = device.run_parts(samples[first:end].sent for _, first, end in left)
            for done, (chunk, found) in enumerate(zip(left, outputs, strict=True), start=1):
                save_chunk(folder, chunk, found.spikes, found.values)
                self.throughput.samples += chunk[2] - chunk[1]
                self.throughput.seconds = time.perf_counter() - started
                if progress:
                    progress(len(chunks) - len(left) + done, len(chunks))
            self.throughput.damaged, self.throughput.resent = device.damaged, device.resent

    def _load(self, device: Device, target: Target) -> None:
        """Load the image and read it back, unless it is in the bitstream, or in the fabric already."""
        self.throughput.board = device.identity
        if not target.folded and not (target.config.core.starts_empty and device.has_image):
            started = time.perf_counter()
            device.load()
            self.throughput.load_seconds = time.perf_counter() - started
            device.verify_loaded()


def run(
    target: Target | Path | str | None,
    port: str,
    x_path: Path,
    y_path: Path | None,
    baud: int | None = None,
    decide: str | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
    binning: data.Binning | None = None,
    noise: Noise | None = None,
) -> tuple[Simulation, Throughput]:
    """Run the samples of ``x_path`` on the board at ``port``, and write Y to ``y_path`` (None: do not).

    ``port`` is a serial device, a URL of pyserial's, or ``sim``: a virtual board, with ``noise`` on its line. Finished
    chunks are kept as :func:`~.simulate.simulate` does, so the same call goes on where one was stopped.

    Raises InputError for what the user gave, and for a board that holds another build; ToolError for a board that
    cannot be reached; CheckError if it does not hold what was loaded.
    """
    target = resolve(target, options)
    board = _Board(port, baud or target.board_baud or BAUD, noise)
    key = ("board", f"{target.build_digest:016x}")
    return by_chunks(target, x_path, y_path, board, CHUNK, key, decide, progress, binning), board.throughput
