"""Where tests find the material that stands beside the project and is not part of it (licences, size)."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(name: str) -> Path:
    """Path of ``../shared/<name>``; skips the calling test, saying why, where it does not exist."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/{name} is not there")
    return path
