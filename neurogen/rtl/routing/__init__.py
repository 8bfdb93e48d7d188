"""Routing decisions, one module for each topology of ``neurogen.spec.topologies``."""

import sys
from functools import cache
from types import ModuleType

from ...spec.registry import scan


@cache
def routings() -> dict[str, ModuleType]:
    """Every routing module, by the name of its topology."""
    return scan(sys.modules[__name__])
