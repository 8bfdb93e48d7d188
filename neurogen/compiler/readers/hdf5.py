"""HDF5 as plain dictionaries: groups become dictionaries, datasets arrays, byte strings text. No format of its own.

The HDF5 library can crash or loop forever on damaged files, and nothing inside the process can stop it then. So files
are read by a process of its own, which lives as long as it answers; the first read pays for its start, about 0.2 s.
"""

import atexit
import contextlib
import os
import pickle
import selectors
import subprocess
import sys
from pathlib import Path
from threading import Lock

from ...spec.errors import InputError
from . import hdf5_process

TIMEOUT_SECONDS = 10
START_SECONDS = 60  # a busy machine may take so long to start the process
PROGRAM = hdf5_process.__file__
BYTES_PER_SECOND = 4 << 20  # what slow storage delivers: large files may take longer


def tree(path: Path) -> dict:
    """The whole file. Raises InputError if it is no HDF5 file, or is cut short or damaged."""
    limit = TIMEOUT_SECONDS + path.stat().st_size / BYTES_PER_SECOND
    with _lock:
        reader = _reader(os.getpid())
        answer = reader.ask(path.resolve(), limit)
        if answer is None:
            reader.close()
            answer = "the file is damaged: the HDF5 library does not come back from it"
    if isinstance(answer, str):
        raise InputError(f"{path}: not a readable HDF5 file ({answer})")
    return answer


_lock = Lock()


class _Reader:
    """The process that reads: paths in, pickled answers out, each with its length before it."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-P", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._is_ready = self._answer(START_SECONDS) is not None

    def ask(self, path: Path, seconds: float) -> dict | str | None:
        """The file's content, the reason why there is none, or None where no answer came in time."""
        if not self._is_ready:
            return None
        with contextlib.suppress(BrokenPipeError):
            hdf5_process.send(self.process.stdin, os.fsencode(path))
        answer = self._answer(seconds)
        return None if answer is None else pickle.loads(answer)

    def _answer(self, seconds: float) -> bytes | None:
        """The next message, or None where none came in time."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            return hdf5_process.receive(self.process.stdout) if selector.select(seconds) else None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


_readers: dict[int, _Reader] = {}


def _reader(owner: int) -> _Reader:
    """The living reader of the process ``owner``: a fork starts its own."""
    if owner not in _readers or _readers[owner].process.poll() is not None:
        _readers[owner] = _Reader()
    return _readers[owner]


@atexit.register
def _close() -> None:
    if os.getpid() in _readers:
        _readers[os.getpid()].close()
