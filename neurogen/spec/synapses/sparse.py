"""Lists of synapses: every lane of a row has a weight and says itself which group it is for."""

from ..fields import Field, Layout
from ..fixed import index_bits

NAME = "sparse"
SUMMARY = "lists: every lane of a row names the group that its weight is for; independent banks"
WALK = """
for i = 0 .. count - 1:
    row base + i: weight[lane] to (group[lane], lane), in every lane whose weight is not 0
"""


def axon(core) -> Layout:
    """One axon: where its list is."""
    return Layout(
        "axon",
        (
            Field("base", index_bits(core.rows), "first synapse row in the axon's bank"),
            Field("count", core.groups.bit_length(), "synapse rows; 0: the axon reaches nothing here"),
        ),
    )


def walk(core) -> None:
    return None


def walks(core) -> int:
    return 0


def synapse(core) -> Layout:
    """One synapse; a synapse row is ``lanes`` of them, lane 0 first."""
    return Layout(
        "synapse",
        (
            Field("weight", core.weight_bits, "signed weight; 0: no synapse", signed=True),
            Field("group", core.group_bits, "group of the neuron that it is for"),
        ),
    )
