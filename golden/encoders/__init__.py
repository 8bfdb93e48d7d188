"""Encoders on arrays: one module each, beside ``neurogen.spec.encoders`` and of the same stem.

An encoder offers ``NAME`` and ``events(pixels, steps, **parameters)``: pixels (B, n), int64 and 0..full, to the events
(B, T, n) that they make, uint8; what an event holds is its payload. It is written down from what the encoder is to do,
not step by step as the hardware works.
"""

import sys
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from neurogen.spec.config import EncoderConfig
from neurogen.spec.errors import InputError
from neurogen.spec.registry import pick, scan


@cache
def encoders() -> dict[str, ModuleType]:
    """Every golden encoder, by name."""
    return scan(sys.modules[__name__])


@dataclass(frozen=True)
class Coder:
    """What the encoder ``config`` makes of pixels."""

    config: EncoderConfig

    def events(self, pixels: np.ndarray) -> np.ndarray:
        """Events (B, T, n) of pixels (B, n), uint8. Raises InputError for pixels that are not the encoder's."""
        config = self.config
        if pixels.ndim != 2 or pixels.shape[1] != config.lines or pixels.dtype.kind not in "biu":
            raise InputError(f"pixels are integers (B, {config.lines}), not {pixels.dtype} {pixels.shape}")
        if pixels.size and not 0 <= pixels.min() <= pixels.max() <= config.full:
            raise InputError(f"a pixel is 0..{config.full}, not {pixels.min()}..{pixels.max()}")
        encoder = pick(encoders(), config.name, "encoder")
        return encoder.events(pixels.astype(np.int64), config.steps, **config.constants)
