"""AEDAT4, what DV writes for iniVation's cameras: read by the package ``aedat``, which is an extra.

The first stream of events counts; frames, triggers and inertial measurements are passed over. Times are those of the
camera's clock, so step 0 begins at the first event.
"""

import importlib.util
from pathlib import Path

import numpy as np

from ...spec.errors import InputError
from ..events import Recording

NAME = "aedat4"
SUMMARY = "AEDAT4 of DV: the first stream of events"
SUFFIXES = (".aedat4",)


def read(path: Path) -> Recording:
    """Raises InputError for a file that cannot be read or has no events, and where the extra is not installed."""
    if importlib.util.find_spec("aedat") is None:
        raise InputError(f"{path}: AEDAT4 needs the package 'aedat'; install neurogen[events]")
    import aedat

    if not path.is_file():
        raise InputError(f"{path}: No such file or directory")
    try:
        decoder = aedat.Decoder(path)
        streams = {number: stream for number, stream in decoder.id_to_stream().items() if stream["type"] == "events"}
        if not streams:
            raise InputError(f"{path}: there is no stream of events in this file")
        number, stream = next(iter(streams.items()))
        parts = [packet["events"] for packet in decoder if packet["stream_id"] == number and "events" in packet]
    except RuntimeError as error:
        raise InputError(f"{path}: not a readable AEDAT4 file ({str(error).splitlines()[0]})") from None
    events = np.concatenate(parts) if parts else np.zeros(0, dtype=[(name, "i8") for name in ("t", "x", "y", "on")])
    t, x, y, on = (events[name].astype(np.int64) for name in ("t", "x", "y", "on"))
    return Recording(t=t, x=x, y=y, p=on, sensor=(stream["width"], stream["height"]), origin="first")
