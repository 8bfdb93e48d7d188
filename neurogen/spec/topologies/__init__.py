"""Topologies: where nodes are and which are neighbours; which way a packet goes is decided elsewhere.

A topology is one module here, one in ``rtl.routing`` and one in ``golden.routing``, each of them called ``NAME``.
"""

import sys
from functools import cache
from types import ModuleType

from ..registry import scan


@cache
def topologies() -> dict[str, ModuleType]:
    """Every topology's specification module, by name."""
    return scan(sys.modules[__name__])
