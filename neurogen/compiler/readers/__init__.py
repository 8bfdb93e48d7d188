"""File formats, one module each, found by a scan. A module has ``NAME``, ``SUFFIXES`` and ``read(path, options)``."""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from ...spec.errors import InputError
from ...spec.registry import scan
from ..conventions import Options
from ..source import Source

DEFAULT = Options()


@cache
def readers() -> dict[str, ModuleType]:
    """Every reader's module, by name."""
    return scan(sys.modules[__name__])


def read(path: Path | str, options: Options = DEFAULT) -> Source:
    """Read a network file of any known format.

    Raises InputError if the file is missing, unreadable or of an unknown format, or holds what cannot be built.
    """
    path = Path(path)
    suffixes = {suffix: reader for reader in readers().values() for suffix in reader.SUFFIXES}
    if not path.is_file():
        raise InputError(f"{path}: there is no such file" + (" or build directory" if not path.suffix else ""))
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{path}: unknown kind of network file; known are {', '.join(sorted(suffixes))}")
    return suffixes[path.suffix.lower()].read(path, options)
