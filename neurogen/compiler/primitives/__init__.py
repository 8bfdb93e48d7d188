"""NIR primitives, one module each, found by a scan: what a node of that type means.

Every module has ``NAME`` (NIR's type), ``KIND``, and ``KEYS``, the arrays of numbers that a node cannot do without. A
``record`` maps the keys of the file to arrays, strings, and ``metadata`` to a mapping.

* ``KIND = "map"``: stateless and affine. ``takes(record)`` is the shape that it takes, with None for what is free (a
  shape of one number takes anything of that size), or None where any shape will do. ``shape(record, taken)`` is the
  shape that it puts out, ``apply(record, taken)`` its map and its bias (n_out,) or None. ``taken`` is None where it is
  not known, and ``shape`` may then not know either. ``guess(record)``, if there is one, says what had to be guessed.
* ``KIND = "delay"``: ``delays(record, taken)`` are times (n,).
* ``KIND = "neuron"``: ``MODEL`` names the equation of ``SourcePopulation``; ``SHAPED`` the keys whose arrays carry the
  population's shape; ``OPEN`` what NIR leaves open about it (``dt``, ``decay``, ``reset``, ``reset_timing``,
  ``compare``); ``SPIKING`` whether it fires. ``discretise(record, convention)`` returns (gain, parameters), ``gain``
  the factor of the weights.

Raises InputError, without naming the node, where a record makes no sense.
"""

import sys
from functools import cache
from types import ModuleType

from ...spec.registry import scan


@cache
def primitives() -> dict[str, ModuleType]:
    """Every primitive's module, by NIR type."""
    return scan(sys.modules[__name__])
