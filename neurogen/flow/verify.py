"""Generated Verilog in simulators, tick by tick against ``golden.fabric``."""

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..host import codec, data
from ..spec.errors import CheckError, ToolError
from ..tb import play_files as files
from ..tb.checker import Statistics
from ..tb.plan import silence
from ..tb.play_files import Job, result
from . import cache as store
from . import session
from . import simulators as available
from .emit import source_digest
from .session import Progress
from .target import Target, resolve

IDLE, STALL = 24, 48  # of 256: how often the bench holds words back, and does not take them
OVERLAPPED_SAMPLES = 3
RANDOM_STEPS, RANDOM_DENSITY = 16, 0.2
SOURCES = ("spec", "host", "tb", "../golden")


@dataclass(frozen=True)
class Verified:
    """What one simulator showed, and how fast: ``clocks`` in ``seconds``. ``notes`` as of X."""

    simulator: str
    statistics: Statistics
    clocks: int
    seconds: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        s = self.statistics
        return f"verified: {s.ticks} ticks, {s.spikes} spikes, {s.states} states, 0 mismatches"


@dataclass(frozen=True)
class _Draw:
    """Inputs (B, T, n) or pixels (B, n), the ``numbers`` that they have in X, and the ``flags`` that name X."""

    inputs: dict[str, np.ndarray]
    numbers: np.ndarray
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def verify(
    target: Target | Path | str | None,
    x_path: Path | None = None,
    simulators: Sequence[str] = (),
    samples: int = 20,
    seed: int = 0,
    allow_silent: bool = False,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
    binning: data.Binning | None = None,
) -> list[Verified]:
    """Run ``samples`` samples of ``x_path`` in each of ``simulators`` (none: all that work here); compare everything.

    Samples are drawn with ``seed`` from X; without X, from those shipped with the network, else they are random spikes.
    Each second one ends with END_SAMPLE instead of single ticks; where samples may overlap, some also run so. Idle
    clocks and backpressure at the ports are drawn with ``seed`` too; the first sample has none, and a fabric of one
    core must then take the golden model's clocks exactly. A run that was stopped goes on where it was.

    Raises CheckError at the first mismatch, or, unless ``allow_silent``, if a run shows too little; InputError for what
    the user gave; ToolError if a simulator fails or none is there.
    """
    target = resolve(target, options)
    names = list(simulators) or available.installed()
    if not names:
        raise ToolError(f"no simulator works here; get one: {available.simulator('verilator').ADVICE}")
    drawn = _draw(target, x_path, binning or data.Binning(), samples, seed)
    return [_verify(target, name, drawn, seed, allow_silent, progress) for name in names]


def _draw(target: Target, x_path: Path | None, binning: data.Binning, count: int, seed: int) -> _Draw:
    rng = np.random.default_rng(seed)
    path = x_path or target.samples
    if path is not None:
        found = target.read(path, binning)
        chosen = np.sort(rng.choice(len(found), min(count, len(found)), replace=False))
        flags = ["--input", str(x_path), *binning.flags] if x_path else binning.flags
        return _Draw(found[chosen].sent, chosen, tuple(flags), found.notes)
    inputs, encoder = {}, target.config.encoder
    for item in target.network.inputs:
        shape = (count, item.size) if encoder else (count, RANDOM_STEPS, item.size)
        largest = encoder.full if encoder else item.largest
        inputs[item.name] = rng.integers(1, largest + 1, shape) * (rng.random(shape) < RANDOM_DENSITY)
    return _Draw(inputs, np.arange(count))


def _verify(target, name, drawn: _Draw, seed, allow_silent, progress) -> Verified:
    inputs, count = drawn.inputs, len(drawn.numbers)
    items = [(f"sample-{i:06d}", i, i + 1, ("stepped", "drained")[i % 2]) for i in range(count)]
    if target.image.can_overlap(codec.extent(target.image, inputs)[1]):
        items.append(("overlapped", 0, min(count, OVERLAPPED_SAMPLES), "overlapped"))
    job = Job(items, not target.folded, IDLE, STALL, seed + 1, undisturbed=1)
    content = store.content(inputs)
    key = store.digest(name, target.emitted.digest, target.image.digest, str(job), source_digest(SOURCES), content)
    folder = store.root() / "runs" / key[:32]
    try:
        session.run(target, name, "verify", inputs, job, folder, progress)
    except ToolError:
        if not (folder / files.MISMATCH).exists():
            raise
        mismatch = json.loads((folder / files.MISMATCH).read_text())
        shutil.rmtree(folder)
        raise CheckError(_describe(mismatch, target, name, drawn, seed)) from None
    return _conclude(target, name, job, folder, allow_silent, drawn.notes)


def _describe(mismatch: dict, target: Target, name: str, drawn: _Draw, seed: int) -> str:
    """One line: what differs, where, the seed, and the command that repeats it."""
    mismatch["sample"] = int(drawn.numbers[mismatch["sample"]])
    what = mismatch.pop("what")
    command = ["python", "-m", "neurogen", "verify", *([target.origin] if target.origin else [])]
    command += [*drawn.flags, "--samples", str(len(drawn.numbers)), "--seed", str(seed), "--simulators", name]
    where = ", ".join(f"{key} {value}" for key, value in mismatch.items())
    return f"{name}: {what} differ: {where}, seed {seed}; repeat: {shlex.join(command)}"


def _conclude(target: Target, name: str, job: Job, folder: Path, allow_silent: bool, notes) -> Verified:
    total = Statistics()
    fired, reached = 0, 0
    for item, *_ in job.items:
        with np.load(folder / result(item)) as found:
            total.add(Statistics(*found["counts"].tolist()))
            fired, reached = fired | found["fired"], reached | found["reached"]
    quiet = silence(target.image, fired, reached)
    if quiet and not allow_silent:
        raise CheckError(
            f"{name}: nothing differs, but the run shows little: {quiet}; give other input or --allow-silent"
        )
    speed = json.loads((folder / files.SPEED).read_text())
    shutil.rmtree(folder)
    return Verified(name, total, speed["clocks"], speed["seconds"], notes)
