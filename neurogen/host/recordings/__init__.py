"""Files of events. A format is one module: ``NAME``, ``SUMMARY``, ``SUFFIXES`` and ``read(path) -> Recording``."""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from ...spec.errors import InputError
from ...spec.registry import scan
from ..events import Recording


@cache
def formats() -> dict[str, ModuleType]:
    """Every format of files that hold one recording each, by name."""
    return scan(sys.modules[__name__])


def suffixes() -> dict[str, ModuleType]:
    """The format of each suffix."""
    return {suffix: module for module in formats().values() for suffix in module.SUFFIXES}


def read_folder(path: Path) -> tuple[Recording, np.ndarray | None]:
    """All recordings below a folder, one sample each, sorted by their paths, and their labels (B,).

    A label is the name of the file's own folder, if that is a number for every file; else there are none.

    Raises InputError if there is no recording, or the formats are mixed.
    """
    found = sorted(file for file in path.rglob("*") if file.suffix in suffixes())
    if not found:
        raise InputError(f"{path}: there is no recording in this folder ({', '.join(sorted(suffixes()))})")
    if len({file.suffix for file in found}) > 1:
        raise InputError(f"{path}: recordings of several formats: {', '.join(sorted({f.suffix for f in found}))}")
    names = [file.parent.name for file in found]
    labels = np.array([int(name) for name in names]) if all(name.isdecimal() for name in names) else None
    return _joined([suffixes()[file.suffix].read(file) for file in found]), labels


def _joined(parts: list[Recording]) -> Recording:
    """Recordings of one format as the samples of one."""
    first = parts[0]
    sensors = {part.sensor for part in parts}
    return Recording(
        t=np.concatenate([part.t for part in parts]),
        x=np.concatenate([part.x for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        p=None if first.p is None else np.concatenate([part.p for part in parts]),
        sample=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        samples=len(parts),
        sensor=first.sensor if len(sensors) == 1 else None,
        origin=first.origin,
    )
