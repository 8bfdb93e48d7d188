"""One spike, the earlier the brighter: the equation of ``neurogen.spec.encoders.latency``."""

import numpy as np

NAME = "latency"


def events(pixels: np.ndarray, steps: int, full: int, least: int) -> np.ndarray:
    """Spikes (B, T, n); see :mod:`golden.encoders`."""
    step = (2 * (full - pixels) * (steps - 1) + full) // (2 * full)
    return ((step[:, None] == np.arange(steps)[:, None]) & (pixels[:, None] > least)).astype(np.uint8)
