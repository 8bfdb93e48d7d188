"""NIR primitives, one module each, found by a scan: what a node of that type means.

Every module has ``NAME`` (NIR's type), ``KIND``, and ``KEYS``, the arrays that a node cannot do without.

* ``KIND = "map"``: stateless and affine. ``size_in(record)`` is the number of inputs, or None where any will do;
  ``weights(record, size)`` the matrix (n_in, n_out), or None for the identity; ``bias(record)`` (n_out,) or None.
* ``KIND = "neuron"``: ``MODEL`` names the equation of ``SourcePopulation``; ``SHAPED`` the keys whose arrays carry the
  population's shape; ``discretise(record, convention)`` returns (gain, parameters), ``gain`` the factor of the weights.

A ``record`` maps the keys of the file to arrays, strings, and ``metadata`` to a mapping.
"""

import sys
from functools import cache
from types import ModuleType

from ...spec.registry import scan


@cache
def primitives() -> dict[str, ModuleType]:
    """Every primitive's module, by NIR type."""
    return scan(sys.modules[__name__])
