"""A weight for every axon and neuron of the core, each axon's rows where its number says: nothing is looked up."""

from ..errors import InputError
from ..fields import Layout
from . import dense

NAME = "full"
SUMMARY = "rows of weights for all groups at a place of the axon's own, without a table; else as the dense store"
WALK = """
for g = 0 .. G - 1:
    row (axon // K) * G + g: weight[lane] to (group g, lane)
"""


def axon(core) -> Layout:
    """Nothing."""
    return Layout("axon", ())


def walk(core) -> None:
    return None


def walks(core) -> int:
    """All events take the same walk."""
    return 1


def synapse(core) -> Layout:
    """As in the dense store."""
    return dense.synapse(core)


def check(core) -> None:
    """Raises InputError unless there are rows for all axons and groups."""
    if core.rows != core.bank_axons * core.groups:
        raise InputError("synapse_rows is 0 in a full store: it has a row for every axon and group")
