"""A weight for every neuron of a range of groups."""

from ..fields import Field, Layout
from ..fixed import index_bits

NAME = "dense"
SUMMARY = "rows of weights for a range of groups; the banks work together and share one adder tree"
WALK = """
for g = first .. last of the axon's range:
    row base + g - first: weight[lane] to (group g, lane)
"""


def axon(core) -> Layout:
    """One axon: where its synapse rows start and which groups they reach."""
    return Layout(
        "axon",
        (
            Field("base", max(1, index_bits(core.rows)), "first synapse row in the axon's bank"),  # no row is empty
            Field("range", index_bits(core.ranges), "row of the range table"),
        ),
    )


def walk(core) -> Layout:
    """Groups first..last, which an axon's consecutive synapse rows reach in order."""
    bits = core.group_bits
    return Layout("range", (Field("first", bits, "first group"), Field("last", bits, "last group, >= first")))


def walks(core) -> int:
    return core.ranges


def synapse(core) -> Layout:
    """One weight; a synapse row is ``lanes`` of them, lane 0 first."""
    return Layout("synapse", (Field("weight", core.weight_bits, "signed weight", signed=True),))
