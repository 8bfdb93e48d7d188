"""Some of the samples that are shipped with the digits network."""

from pathlib import Path

import numpy as np

from neurogen.flow.target import SHIPPED_SAMPLES


def first(count: int, folder: Path) -> Path:
    """A file in ``folder`` with the first ``count`` samples and their labels."""
    path = folder / "x.npz"
    with np.load(SHIPPED_SAMPLES) as found:
        np.savez(path, spikes=found["spikes"][:count], labels=found["labels"][:count])
    return path
