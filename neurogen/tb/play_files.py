"""The files of a job, as both sides of the simulator know them. Names are relative to the job's folder."""

import json
from dataclasses import dataclass
from pathlib import Path

JOB, IMAGE, SAMPLES = Path("job.json"), Path("image.npz"), Path("samples.npz")
MISMATCH, PROGRESS, SPEED = Path("mismatch.json"), Path("progress.json"), Path("speed.json")


@dataclass(frozen=True)
class Job:
    """What to run.

    ``items``: the results' file stems, with the first sample, the end, and the mode of each (``tb.checker.MODES``).
    ``load``: the image is not in the fabric's memories yet. ``idle``, ``stall``, ``seed``: see ``FabricDriver``.
    ``states``: read all states after every so many ticks. ``undisturbed``: so many items, from the first, run without
    idle clocks and stalls, so that their clocks are known exactly.
    """

    items: list[tuple[str, int, int, str]]
    load: bool
    idle: int = 0
    stall: int = 0
    seed: int = 1
    states: int = 1
    undisturbed: int = 0

    def write(self, folder: Path) -> None:
        (folder / JOB).write_text(json.dumps(vars(self)))

    @classmethod
    def read(cls, folder: Path) -> "Job":
        return cls(**json.loads((folder / JOB).read_text()))


def result(name: str) -> Path:
    """Where the result of an item stands."""
    return Path(f"{name}.npz")
