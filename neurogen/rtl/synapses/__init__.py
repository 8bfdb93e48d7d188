"""Synapse stores: what turns the sequencer's steps into sums. One module each, found by a scan."""

import sys
from functools import cache
from types import ModuleType

from ...spec.registry import scan


@cache
def stores() -> dict[str, ModuleType]:
    """Every synapse store's module, by name."""
    return scan(sys.modules[__name__])
