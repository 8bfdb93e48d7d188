"""One mutant on trial: the cases that it has to fail, few at first."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from neurogen.flow import simulators
from neurogen.flow.simulators import Model
from neurogen.spec.errors import ToolError

from .player import JOB, VERDICT

SEED = 11


@dataclass(frozen=True)
class Stage:
    """Cases ``first .. end``, with or without gates in the fabric's internal streams."""

    first: int
    end: int
    gated: bool


STAGES = (Stage(0, 3, False), Stage(3, 8, True), Stage(8, 30, False), Stage(30, 60, True))


@dataclass(frozen=True)
class Specimen:
    """A compiled fabric of which ``plusargs`` choose the mutant."""

    model: Model
    fabric: str
    plusargs: tuple[str, ...] = ()


def judge(specimen: Callable[[bool], Specimen], folder: Path, stages: Iterable[Stage] = STAGES) -> str | None:
    """How the mutant was found out, or None if it passed all stages. ``specimen``: gated or not -> what to run."""
    for stage in stages:
        if killed := _run(specimen(stage.gated), stage, folder):
            return f"{killed}{' (with gates)' if stage.gated else ''}"
    return None


def _run(specimen: Specimen, stage: Stage, folder: Path) -> str | None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = {"fabric": specimen.fabric, "seed": SEED, "first": stage.first, "end": stage.end}
    (folder / JOB).write_text(json.dumps(job | {"exact_cycles": not stage.gated}))
    try:
        simulators.run(specimen.model, "rtl_tests.mutants.player", "trial", folder, SEED, specimen.plusargs)
    except ToolError:
        if not (folder / VERDICT).exists():  # it did not even start
            raise
    verdict = json.loads((folder / VERDICT).read_text())
    return verdict and f"{verdict['kind']}: {verdict['why']}"
