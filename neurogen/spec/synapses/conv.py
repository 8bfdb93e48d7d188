"""Shared kernels: many axons read the same synapse rows, each for groups of its own.

With the channels of a pixel on the lanes of a group, the pixels of a line in consecutive groups and the kernel
mirrored, an event reaches a rectangle of pixels: ``lines`` lines of ``length`` groups, at distances that its geometry
states. What a border cuts off is left out by ``base``, ``first``, ``length`` and ``lines``. An axon with weights of its
own for one range of groups (a dense projection, a one-dimensional convolution) is one line.
"""

from ..fields import Field, Layout
from ..fixed import index_bits

NAME = "conv"
SUMMARY = "shared kernels: an axon names rows of weights and the lines of groups that they reach; independent banks"
WALK = """
for i = 0 .. lines - 1, j = 0 .. length - 1, strides of the axon's geometry:
    row base + i * row_stride + j: weight[lane] to (group first + i * group_stride + j, lane)
"""


def axon(core) -> Layout:
    """One axon: its kernel's rows and the lines of groups that they reach."""
    return Layout(
        "axon",
        (
            Field("base", index_bits(core.rows), "first synapse row in the axon's bank"),
            Field("first", core.group_bits, "first group"),
            Field("length", core.groups.bit_length(), "groups in a line; 0: the axon reaches nothing here"),
            Field("lines", core.groups.bit_length(), "lines, >= 1"),
            Field("geometry", index_bits(core.geometries), "row of the geometry table"),
        ),
    )


def walk(core) -> Layout:
    """The distances between the lines of a walk."""
    return Layout(
        "geometry",
        (
            Field("row_stride", index_bits(core.rows), "synapse rows from the start of a line to that of the next"),
            Field("group_stride", core.group_bits, "groups from the start of a line to that of the next"),
        ),
    )


def walks(core) -> int:
    return core.geometries


def synapse(core) -> Layout:
    """One weight; a synapse row is ``lanes`` of them, lane 0 first."""
    return Layout("synapse", (Field("weight", core.weight_bits, "signed weight", signed=True),))
