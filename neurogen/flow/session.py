"""A job in a simulator: prepared in a folder, run there, watched from outside, and resumable."""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..host import data
from ..tb import play_files as files
from ..tb.play_files import Job
from . import simulators
from .target import Target

Progress = Callable[[int, int], None]
POLL_SECONDS = 0.2
TESTS = "neurogen.tb.play"


def run(
    target: Target,
    simulator: str,
    test: str,
    inputs: Mapping[str, np.ndarray],
    job: Job,
    folder: Path,
    progress: Progress | None = None,
) -> None:
    """Run the cocotb test ``test`` with ``job`` on the target's Verilog; results are left in ``folder``.

    Items that have a result already are not run again. Raises ToolError if the simulator or the test fails.
    """
    model = simulators.bench(simulator, target.emitted.verilog, target.emitted.top)
    folder.mkdir(parents=True, exist_ok=True)
    target.image.save(folder / files.IMAGE)
    data.save(folder / files.SAMPLES, {f"input.{i}": inputs[name] for i, name in enumerate(target.image.input_sizes)})
    job.write(folder)
    with _watched(folder / files.PROGRESS, progress):
        simulators.run(model, TESTS, test, folder, job.seed)


@contextmanager
def _watched(file: Path, progress: Progress | None):
    """Pass on what the simulation writes into its progress file."""
    stop = threading.Event()

    def watch() -> None:
        seen = None
        while True:
            last = stop.wait(POLL_SECONDS)
            try:
                found = tuple(json.loads(file.read_text()))
            except (OSError, ValueError):
                found = None
            if found and found != seen:
                progress(*found)
                seen = found
            if last:
                return

    watcher = threading.Thread(target=watch, daemon=True)
    if progress:
        watcher.start()
    try:
        yield
    finally:
        stop.set()
        if progress:
            watcher.join()
