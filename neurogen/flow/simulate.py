"""X to Y by any engine: golden network, golden fabric, or the Verilog in a simulator. All write the same."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from golden import network as golden_network
from golden import samples as golden_samples
from golden.fabric import Fabric

from ..host import data
from ..spec.errors import InputError
from ..tb.play_files import Job, result
from . import cache as store
from . import session, simulators
from .emit import source_digest
from .session import Progress
from .target import Target, resolve

CHUNKS = {"network": 1024, "fabric": 16}
SIMULATOR_CHUNK = 4
MODELS = ("spec", "host", "tb")


@dataclass(frozen=True)
class Simulation:
    """``spikes`` and ``values`` as in Y. With labels: ``classes`` (B,) and how many are right. ``notes`` as of X."""

    samples: int
    spikes: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    classes: np.ndarray | None = None
    correct: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float | None:
        """ClassificationAccuracy, 0..1; None without labels."""
        return None if self.correct is None else self.correct / self.samples


def engines() -> tuple[str, ...]:
    """Everything that computes Y."""
    return (*CHUNKS, *simulators.simulators())


def simulate(
    target: Target | Path | str | None,
    x_path: Path,
    y_path: Path | None,
    engine: str = "network",
    seed: int = 0,
    decide: str | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
    binning: data.Binning | None = None,
) -> Simulation:
    """Run the samples of ``x_path``, each from the initial state, and write Y to ``y_path`` (None: do not).

    Finished chunks of samples are kept beside Y until it is complete, so the same call goes on where one was stopped.
    ``seed`` is handed to the simulator; nothing in Y depends on it.

    Raises InputError for what the user gave, ToolError if a simulator fails.
    """
    if engine not in engines():
        raise InputError(f"engine is one of {', '.join(engines())}, not {engine!r}")
    target = resolve(target, options)
    if engine in CHUNKS:
        execute, size, key = partial(_run_golden, engine), CHUNKS[engine], (engine,)
    else:
        execute, size, key = partial(_run_simulator, engine, seed), SIMULATOR_CHUNK, (engine, target.emitted.digest)
    return by_chunks(target, x_path, y_path, execute, size, key, decide, progress, binning)


Chunk = tuple[str, int, int]
"""Name, first sample, and the one after the last."""

Executor = Callable[[Target, data.Samples, list[Chunk], Path, Progress | None], None]
"""Leaves the outputs of every chunk that has none yet in the folder: see :func:`save_chunk`."""


def by_chunks(
    target: Target,
    x_path: Path,
    y_path: Path | None,
    execute: Executor,
    size: int,
    key: Sequence[str],
    decide: str | None = None,
    progress: Progress | None = None,
    binning: data.Binning | None = None,
) -> Simulation:
    """X to Y, ``size`` samples at a time. ``key`` is what outputs depend on besides network, image and samples."""
    samples = target.read(x_path, binning)
    if decide is not None:
        _check_rule(target, decide)
    folder = _partial(target, samples, key, y_path)
    if y_path is not None and not os.access(folder.parent, os.W_OK):
        raise InputError(f"{y_path}: cannot be written: the directory does not exist or is not ours to write in")
    chunks = [(f"chunk-{at:06d}", at, min(at + size, len(samples))) for at in range(0, len(samples), size)]
    folder.mkdir(parents=True, exist_ok=True)
    execute(target, samples, chunks, folder, progress)
    spikes, values = _collect(target, chunks, folder)
    if y_path is not None:
        data.write(Path(y_path), spikes, values, samples.step)
    shutil.rmtree(folder)
    return _judge(samples, spikes, values, decide)


def save_chunk(folder: Path, chunk: Chunk, spikes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray]) -> None:
    """Keep a chunk's outputs, all of them or nothing."""
    outputs = {"spikes": spikes, "values": values}
    data.save(folder / result(chunk[0]), {f"{k}/{n}": v for k, part in outputs.items() for n, v in part.items()})


def is_done(folder: Path, chunk: Chunk) -> bool:
    """Whether a chunk's outputs are there."""
    return (folder / result(chunk[0])).exists()


def _check_rule(target: Target, rule: str) -> None:
    """Refuse a rule that cannot be used before the work, not after it."""
    empty = {False: {}, True: {}}
    for output in target.network.outputs:
        empty[output.values][output.population] = np.zeros((1, 1, 1), dtype=np.int32)
    data.decide(empty[False], empty[True], rule)


def _partial(target: Target, samples: data.Samples, key: Sequence[str], y_path: Path | None) -> Path:
    """Where chunks are kept: named by everything that they depend on."""
    parts = [*key, target.network.digest, target.image.digest, source_digest(MODELS)]
    name = store.digest(*parts, store.content(samples.sent))[:16]
    return store.root() / "partial" / name if y_path is None else Path(y_path).with_name(f".{Path(y_path).name}.{name}")


Runner = Callable[[data.Samples], Any]


def _network_engine(target: Target) -> Runner:
    return lambda samples: golden_network.run(target.network, samples.inputs)


def _fabric_engine(target: Target) -> Runner:
    fabric = Fabric(target.image)
    return lambda samples: golden_samples.run(fabric, samples.sent)


_GOLDEN: dict[str, Callable[[Target], Runner]] = {"network": _network_engine, "fabric": _fabric_engine}


def _run_golden(
    engine: str, target: Target, samples: data.Samples, chunks: list[Chunk], folder: Path, progress: Progress | None
) -> None:
    runner = _GOLDEN[engine](target)
    for index, chunk in enumerate(chunks):
        if not is_done(folder, chunk):
            found = runner(samples[chunk[1] : chunk[2]])
            save_chunk(folder, chunk, found.spikes, found.values)
        if progress:
            progress(index + 1, len(chunks))


def _run_simulator(
    engine: str, seed: int, target: Target, samples: data.Samples, chunks: list[Chunk], folder: Path,
    progress: Progress | None,
) -> None:  # fmt: skip
    job = Job([(*chunk, "drained") for chunk in chunks], not target.folded, seed=seed)
    session.run(target, engine, "simulate", samples.sent, job, folder, progress)


def _collect(target: Target, chunks: list, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Outputs of all chunks, in the network's order of outputs."""
    parts = [dict(np.load(folder / result(name))) for name, *_ in chunks]
    spikes, values = {}, {}
    for output in target.network.outputs:
        kind, found = ("values", values) if output.values else ("spikes", spikes)
        found[output.population] = np.concatenate([part[f"{kind}/{output.population}"] for part in parts])
    return spikes, values


def _judge(samples: data.Samples, spikes: dict, values: dict, rule: str | None) -> Simulation:
    if samples.labels is None:
        return Simulation(len(samples), spikes, values, notes=samples.notes)
    classes = data.decide(spikes, values, rule)
    return Simulation(len(samples), spikes, values, classes, int((classes == samples.labels).sum()), samples.notes)
