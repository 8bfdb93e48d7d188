"""Encoders in hardware: one module each, beside ``neurogen.spec.encoders`` and of the same stem.

An encoder offers ``NAME`` and a component ``Unit``, derived from :class:`EncoderUnit`.
"""

import sys
from functools import cache
from types import ModuleType

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...spec.config import EncoderConfig
from ...spec.encoders import PIXEL_BITS
from ...spec.registry import pick, scan


@cache
def encoders() -> dict[str, ModuleType]:
    """Every encoder in hardware, by name."""
    return scan(sys.modules[__name__])


def encoder(name: str) -> ModuleType:
    """One encoder in hardware. Raises InputError, naming the encoders that exist."""
    return pick(encoders(), name, "encoder in hardware")


def pixel_layout(config: EncoderConfig) -> data.StructLayout:
    """A line and its pixel, or the payload of its event."""
    return data.StructLayout({"line": config.line_bits, "value": PIXEL_BITS})


class EncoderUnit(wiring.Component):
    """Keeps the pixels of a sample and makes the events of one step after the other.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.EncoderConfig`

    Members
    -------
    pixels : In(stream of :func:`pixel_layout`)
        Pixels 1..full, each line once; never while ``busy`` with a step.
    clear : In(1)
        Forget all pixels, and start with step 0 again; never while ``busy``.
    step : In(1)
        Make the events of the next step; never while ``busy``, nor while pixels come.
    events : Out(stream of :func:`pixel_layout`)
        The step's events, in any order, each line at most once.
    busy : Out(1)
        From the clock after ``step`` or a pixel until the last event has been taken, or the pixel is kept.
    """

    def __init__(self, config: EncoderConfig):
        self.config = config
        pixel = stream.Signature(pixel_layout(config))
        super().__init__({"pixels": In(pixel), "clear": In(1), "step": In(1), "events": Out(pixel), "busy": Out(1)})
