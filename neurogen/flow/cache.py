"""Folders of results, addressed by a digest of everything that they depend on. Safe with concurrent runs.

An entry is made in a folder of its own and renamed into place, so it is there as a whole or not at all. Entries carry
the digest of each of their files; a damaged one is made again.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

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


def entry(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder ``kind/key``, filled by ``make(folder)`` where there is none. ``make`` must not keep absolute paths.

    Where two runs make one entry at once, the first stays and both get it. Raises what ``make`` raises.
    """
    folder = root() / kind / key[:40]
    if _intact(folder):
        return folder
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
