"""A direct current: the equation of ``neurogen.spec.encoders.current``."""

import numpy as np

NAME = "current"


def events(pixels: np.ndarray, steps: int, full: int) -> np.ndarray:
    """Payloads (B, T, n); see :mod:`golden.encoders`."""
    return np.repeat(pixels[:, None], steps, axis=1).astype(np.uint8)
