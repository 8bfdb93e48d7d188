"""Events as arrays: a structured array, or one array for each column of an ``.npz``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..spec.errors import InputError
from .events import Recording

NAMES = {
    "t": ("t", "ts", "timestamp"),
    "x": ("x",),
    "y": ("y",),
    "p": ("p", "pol", "polarity", "on"),
    "sample": ("sample",),
}
"""Column -> what it may be called."""


def find(arrays: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray] | None:
    """The columns of the events in a file: its one structured array, or its arrays by name; None if there are none."""
    for array in arrays.values():
        if array.dtype.names:
            return {name: array[name] for name in array.dtype.names}
    return arrays if any(name in arrays for name in NAMES["t"]) else None


def read(path: Path, columns: Mapping[str, np.ndarray]) -> Recording:
    """The recording of ``columns``: t and x, and y, p and sample where there are any; in any order, integers or bool.

    A sensor without ``y`` is one pixel high. ``p`` is 1 or true for on, 0, -1 or false for off.

    Raises InputError for columns that are missing, of unequal length or no integers, and for another polarity.
    """
    found = {column: columns[name] for column, names in NAMES.items() for name in names if name in columns}
    for column in ("t", "x"):
        if column not in found:
            raise InputError(f"{path}: events have no column {column!r}; there are {', '.join(columns)}")
    length = found["t"].shape
    for column, values in found.items():
        if values.dtype.kind not in "bui":
            raise InputError(f"{path}: column {column!r} of the events holds {values.dtype}, not integers")
        if values.ndim != 1 or values.shape != length:
            raise InputError(f"{path}: column {column!r} of the events has shape {values.shape}, 't' has {length}")
    found = {column: values.astype(np.int64) for column, values in found.items()}
    if "p" in found and not np.isin(found["p"], (-1, 0, 1)).all():
        wrong = found["p"][~np.isin(found["p"], (-1, 0, 1))][0]
        raise InputError(f"{path}: column 'p' of the events holds {wrong}; it is 1 for on and 0 or -1 for off")
    sample = found.get("sample")
    if sample is not None and sample.min(initial=0) < 0:
        raise InputError(f"{path}: column 'sample' of the events holds {sample.min()}, not 0 or more")
    return Recording(
        t=found["t"],
        x=found["x"],
        y=found.get("y", np.zeros_like(found["t"])),
        p=(found["p"] > 0).astype(np.int64) if "p" in found else None,
        sample=sample,
        samples=1 if sample is None else int(sample.max(initial=0)) + 1,
    )
