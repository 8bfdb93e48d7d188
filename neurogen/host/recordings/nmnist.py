"""N-MNIST and N-Caltech101: 40 bits for each event.

Big-endian, without a header, in the order of time (G. Orchard et al., "Converting static image datasets to spiking
neuromorphic datasets using saccades", Frontiers in Neuroscience 9:437, 2015, and the data set's page)::

    39..32 x    31..24 y    23 polarity, 1 on    22..0 time in microseconds

N-MNIST's sensor is 34x34 pixels; for N-Caltech101 it has to be said.
"""

from pathlib import Path

import numpy as np

from ...spec.errors import InputError
from ..events import Recording

NAME = "nmnist"
SUMMARY = "N-MNIST: 40 bits for each event"
SUFFIXES = (".bin",)

EVENT_BYTES = 5
SENSOR = (34, 34)


def read(path: Path) -> Recording:
    """Raises InputError for a file that cannot be read or ends within an event."""
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if len(data) % EVENT_BYTES:
        raise InputError(f"{path}: {len(data)} bytes are no whole number of 5-byte events; the file may be cut off")
    x, y, high, middle, low = data.reshape(-1, EVENT_BYTES).T.astype(np.int64)
    return Recording(t=(high & 0x7F) << 16 | middle << 8 | low, x=x, y=y, p=high >> 7, sensor=SENSOR)
