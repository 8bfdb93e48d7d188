"""The simulators that tests run on. Verilator has to be there; Icarus is a second opinion where it is installed."""

import pytest

from neurogen.flow.simulators import installed

SIMULATORS = ("verilator", "icarus")


def needs(name: str) -> str:
    """The simulator's name; skips the calling test where Icarus is not installed, and fails without Verilator."""
    if name == "icarus" and name not in installed():
        pytest.skip("Icarus is not installed")
    assert name in installed(), f"{name} does not work here; python -m neurogen doctor says why"
    return name
