"""Where tests find the material that stands beside the project and is not part of it (licences, size)."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(name: str) -> Path:
    """Path of ``name`` under ``../shared``; skips the calling test, saying why, where it does not exist.

    A pattern such as ``references/*.json`` is checked to match something and returned as it is, for ``Path.glob``.
    """
    if not any(SHARED.glob(name)):
        pytest.skip(f"../shared/{name} is not there")
    return SHARED / name
