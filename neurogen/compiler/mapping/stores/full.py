"""A row of weights for every axon and group, at the place that the axon's number gives."""

import numpy as np

from ....spec.config import CoreConfig
from ....spec.image import CoreImage
from ..layout import Chunk
from ..links import Link, Segment, neighbours
from . import Served
from .dense import arrange, joined, layouts, notes, rows

__all__ = ["NAME", "Plan", "arrange", "check", "layouts", "notes", "rows", "segments"]

NAME = "full"


def segments(chunks: list[Chunk], network_links: list[Link], core: CoreConfig) -> list[Segment]:
    """What reaches one core: one segment for each link, of all groups."""
    spans = list(neighbours(chunks, network_links))
    return joined(spans, {(first, last): (0, core.groups - 1) for _, first, last, _ in spans})


class Plan:
    """The memories of one core: all rows, whether the axon is used or not."""

    walks = 1

    def __init__(self, served: list[Served], core: CoreConfig):
        self.served = served
        self.rows = np.full(core.banks, core.rows)

    def write(self, image: CoreImage, core: CoreConfig) -> None:
        for item in self.served:
            at = (item.axons // core.banks * core.groups)[:, None] + np.arange(core.groups)
            image.synapses[(item.axons % core.banks)[:, None], at] = item.segment.weights(item.neurons, core.lanes)


def check(image: CoreImage, core: CoreConfig) -> None:
    """Nothing can be wrong: there is no table."""
