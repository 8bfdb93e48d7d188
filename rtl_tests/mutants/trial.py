"""Mutants of one compiled fabric on trial."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neurogen.flow import simulators
from neurogen.flow.simulators import Model
from neurogen.spec.errors import ToolError

from .player import AT_WORK, JOB, VERDICTS

SEED = 11
CASES = 60
BATCH = 10
"""Mutants per simulation, so that a run that is interrupted loses little."""


@dataclass(frozen=True)
class Specimen:
    """A compiled fabric: with gates in its internal streams, without, or (None) with gates that the bench can open."""

    model: Model
    fabric: str
    gated: bool | None


def judge(specimen: Specimen, mutants: Sequence[int], folder: Path) -> Iterator[tuple[int, str | None]]:
    """(mutant, how it was found out, or None if it passed all cases) of every mutant; 0 is the fabric as it is."""
    left = list(mutants)
    while left:
        for mutant, verdict in _run(specimen, left[:BATCH], folder):
            left.remove(mutant)
            yield mutant, verdict


def _run(specimen: Specimen, mutants: list[int], folder: Path) -> list[tuple[int, str | None]]:
    """At least one of ``mutants``. A simulator that stops counts for the mutant at work."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = {"fabric": specimen.fabric, "gated": specimen.gated, "seed": SEED, "cases": [0, CASES], "mutants": mutants}
    (folder / JOB).write_text(json.dumps(job))
    stopped = []
    try:
        simulators.run(specimen.model, "rtl_tests.mutants.player", "trials", folder, SEED)
    except ToolError:
        if not (folder / AT_WORK).exists():  # it did not even start
            raise
        stopped = [(json.loads((folder / AT_WORK).read_text()), "the simulator stops")]
    lines = (folder / VERDICTS).read_text().splitlines() if (folder / VERDICTS).exists() else []
    return [*(tuple(json.loads(line)) for line in lines), *stopped]
