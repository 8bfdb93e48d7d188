"""HDF5 as plain dictionaries: groups become dictionaries, datasets arrays, byte strings text. No format of its own."""

from pathlib import Path

import h5py
import numpy as np

from ...spec.errors import InputError


def tree(path: Path) -> dict:
    """The whole file. Raises InputError if it is no HDF5 file or is cut short."""
    try:
        with h5py.File(path) as file:
            return _group(file)
    except (OSError, RuntimeError, KeyError) as error:
        reason = str(error).strip("'\"").splitlines()[0]
        raise InputError(f"{path}: not a readable HDF5 file ({reason})") from None


def _group(group: h5py.Group) -> dict:
    return {key: _group(item) if isinstance(item, h5py.Group) else _value(item[()]) for key, item in group.items()}


def _value(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return np.array([_value(item) if isinstance(item, bytes) else item for item in value.ravel()]).reshape(
            value.shape
        )
    return value
