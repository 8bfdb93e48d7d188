"""From intensities to input spikes. A network's input takes spikes; these are the usual ways to make them.

All take integers x of shape (B, n), 0..``full`` (255 for bytes), and return uint8 spikes (B, T, n).
"""

import numpy as np


def accumulate(x: np.ndarray, steps: int, full: int = 255) -> np.ndarray:
    """Integrate and fire: ``v += x; spike if v > full, then v = 0`` (lava-dl's input layer)."""
    x = np.asarray(x, dtype=np.int32)
    v = np.zeros_like(x)
    spikes = np.zeros((len(x), steps, x.shape[1]), dtype=np.uint8)
    for step in range(steps):
        v += x
        spikes[:, step] = v > full
        v[v > full] = 0
    return spikes


def even(x: np.ndarray, steps: int, full: int = 255) -> np.ndarray:
    """Evenly spread: a spike at step t = 1..T where ``floor(x*t/full) > floor(x*(t-1)/full)``."""
    x = np.asarray(x, dtype=np.int32)
    spikes = np.empty((len(x), steps, x.shape[1]), dtype=np.uint8)
    before = np.zeros_like(x)
    for step in range(steps):
        now = x * (step + 1) // full
        spikes[:, step] = now > before
        before = now
    return spikes


def latency(x: np.ndarray, steps: int, full: int = 255, least: int = 25) -> np.ndarray:
    """One spike per line, the earlier the larger x, at step ``round((full - x) * (T - 1) / full)`` if x > least."""
    x = np.asarray(x, dtype=np.int32)
    at = np.where(x > least, np.rint((full - x) * (steps - 1) / full), steps).astype(np.int32)
    spikes = np.empty((len(x), steps, x.shape[1]), dtype=np.uint8)
    for step in range(steps):
        spikes[:, step] = at == step
    return spikes


CODERS = {"accumulate": accumulate, "even": even, "latency": latency}
