"""Folders of results, addressed by a digest of everything that they depend on. Safe with concurrent runs.

An entry is made in a folder of its own and renamed into place, so it is there as a whole or not at all. Entries carry
the digest of each of their files; a damaged one is made again.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

SEAL = "seal.json"


def root() -> Path:
    """Where entries live; ``NEUROGEN_CACHE`` says another place."""
    return Path(os.environ.get("NEUROGEN_CACHE") or platformdirs.user_cache_dir("neurogen"))


def digest(*parts: str) -> str:
    """SHA-256 of strings, hexadecimal; ("ab", "c") and ("a", "bc") differ."""
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part.encode()).digest())
    return found.hexdigest()


def content(value: Any) -> str:
    """SHA-256 of all that a value is made of: dataclasses, mappings, sequences, arrays and plain values."""
    found = hashlib.sha256()
    _feed(found, value)
    return found.hexdigest()


def _feed(into, value: Any) -> None:
    if isinstance(value, np.ndarray):
        into.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value):
        _feed(into, {item.name: getattr(value, item.name) for item in fields(value)})
    elif isinstance(value, Mapping):
        _feed(into, sorted(value))
        for key in sorted(value):
            _feed(into, value[key])
    elif isinstance(value, (list, tuple)):
        into.update(f"({len(value)}".encode())
        for item in value:
            _feed(into, item)
    else:
        into.update(f"{type(value).__name__} {value!r};".encode())


def find(kind: str, key: str) -> Path | None:
    """The folder ``kind/key``, if it is there as a whole."""
    folder = root() / kind / key[:40]
    return folder if _intact(folder) else None


def entry(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder ``kind/key``, filled by ``make(folder)`` where there is none. ``make`` must not keep absolute paths.

    Where two runs make one entry at once, the first stays and both get it. Raises what ``make`` raises.
    """
    if found := find(kind, key):
        return found
    folder = root() / kind / key[:40]
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{key[:8]}-", dir=folder.parent))
    try:
        make(partial)
        (partial / SEAL).write_text(json.dumps(_digests(partial)))
        _install(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _install(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:  # another run was faster, or a damaged entry is in the way
        if _intact(folder):
            return
        damaged = folder.with_name(f"{partial.name}-damaged")
        folder.rename(damaged)
        partial.rename(folder)
        shutil.rmtree(damaged, ignore_errors=True)


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != SEAL)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)
    }


def _intact(folder: Path) -> bool:
    try:
        return json.loads((folder / SEAL).read_text()) == _digests(folder)
    except (OSError, ValueError):
        return False
