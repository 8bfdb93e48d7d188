"""A sweep over weight widths: what each costs in accuracy and in spikes, against the float reference.

Samples are taken chunk by chunk, and what one width makes of one chunk is kept in the cache, so a sweep that was
stopped, or one with other widths, computes only what is missing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from golden import network as golden_network

from ..compiler import Quantisation, Source, quantise, reference
from ..compiler.quantise import DEFAULT
from ..host import data
from ..host.data import Samples
from ..spec.errors import InputError
from ..spec.network import Network, Output
from . import cache as store
from .emit import source_digest

CHUNK_SAMPLES = 1024
CHUNK_VALUES = 1 << 26  # spikes of all populations that are held at a time
SOURCES = ("spec", "compiler", "host", "flow", "../golden")

Progress = Callable[[int, int], None]
Counts = dict[str, float]


@dataclass(frozen=True)
class Layer:
    """One population against the float reference.

    ``agreement``: the part of all (sample, step, neuron) with equal spikes. ``ratio``: spikes as a multiple of the
    reference's; None where that has none. ``error``, of a readout's values: root mean square, as a part of that of the
    reference's values.
    """

    agreement: float | None = None
    ratio: float | None = None
    error: float | None = None


@dataclass(frozen=True)
class Point:
    """One width: ``accuracy`` 0..1 (None without labels), ``weight_kbits`` of all stored weights."""

    weight_bits: int
    accuracy: float | None
    weight_kbits: float
    layers: dict[str, Layer]


@dataclass(frozen=True)
class Sweep:
    """``accuracy`` is the reference's, ``chosen`` a width of ``points``, by ``rule``, ``network`` its integers."""

    samples: int
    accuracy: float | None
    points: tuple[Point, ...]
    chosen: int
    rule: str
    network: Network

    def point(self, weight_bits: int) -> Point:
        return next(point for point in self.points if point.weight_bits == weight_bits)

    @property
    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "network": self.network.name,
            "samples": self.samples,
            "float_accuracy": self.accuracy,
            "points": [asdict(point) for point in self.points],
            "chosen": self.chosen,
            "rule": self.rule,
            "notes": self.network.metadata["notes"],
            "digest": self.network.digest,
        }


@dataclass(frozen=True)
class Choice:
    """The rule: ``weight_bits`` where given; else the fewest whose accuracy is at most ``max_loss`` points below the
    float reference's; without labels the fewest with which every population agrees in ``min_agreement`` of all spikes.
    Where no width does, the best one."""

    max_loss: float = 0.5
    min_agreement: float = 0.98
    weight_bits: int | None = None

    def of(self, points: Sequence[Point], accuracy: float | None) -> tuple[int, str]:
        """The width and the rule in words."""
        if self.weight_bits is not None:
            return self.weight_bits, "as asked for"
        if accuracy is not None:
            score, least = (lambda point: point.accuracy), accuracy - self.max_loss / 100
            rule = f"at most {self.max_loss:g} points below the float reference"
        else:
            score, least = _agreement, self.min_agreement
            rule = f"every population agrees in {self.min_agreement:.4g} of all spikes"
        enough = [point for point in points if score(point) >= least - 1e-12]
        if enough:
            return min(point.weight_bits for point in enough), f"the fewest bits with which {rule}"
        best = max(points, key=lambda point: (score(point), -point.weight_bits))
        return best.weight_bits, f"the best width; with none {rule}"


def _agreement(point: Point) -> float:
    """How well the worst population agrees."""
    found = [layer.agreement if layer.error is None else 1 - layer.error for layer in point.layers.values()]
    return min(found)


def parse_widths(text: str) -> list[int]:
    """The widths that ``2..8`` or ``4,6,8`` names. Raises InputError outside 1..16."""
    found = []
    for part in text.split(","):
        low, _, high = part.partition("..")
        found += range(int(low), int(high or low) + 1)
    if not found or min(found) < 1 or max(found) > 16:
        raise InputError(f"bits {text!r}: weight widths are 1..16, the smaller one first")
    return found


def labelled(samples: Samples, path: Path, labels: str) -> Samples:
    """``samples`` with the labels of an ``.npy`` file, or of the array ``labels`` of the file at ``path``."""
    try:
        if labels.endswith(".npy"):
            found = np.load(labels, allow_pickle=False)
        else:
            with np.load(path, allow_pickle=False) as file:
                found = file[labels]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"labels {labels!r}: neither an .npy file nor an array of {path}") from None
    if found.shape != (len(samples),) or not np.issubdtype(found.dtype, np.integer):
        raise InputError(f"labels {labels!r} are integers ({len(samples)},), not {found.dtype} {found.shape}")
    return replace(samples, labels=found)


def sweep(
    source: Source,
    samples: Samples,
    widths: Sequence[int],
    how: Quantisation = DEFAULT,
    choice: Choice = Choice(),
    decide: str | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Quantise ``source`` to every width of weights and compare it with the float reference on ``samples``.

    ``how`` says the rest. ``decide`` is the rule that makes outputs a class, as in ``host.data``.

    Raises InputError for a source of integers, no width, or a rule that the outputs do not fit.
    """
    if source.network is not None:
        raise InputError(f"network {source.name!r} holds integers already: there is nothing to quantise")
    widths = sorted({*widths, *([choice.weight_bits] if choice.weight_bits else [])})
    if not widths:
        raise InputError("no weight width to try; --bits 2..8 names some")
    ways = [replace(how, weight_bits=bits) for bits in widths]
    runs = _Runs(source, samples, decide)
    chunks = list(runs.chunks())
    done, total = 0, len(chunks) * (1 + len(ways))

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    floats = []
    for chunk in chunks:
        floats.append(runs.in_float(chunk))
        advance()
    observed = _merged_ranges([found["ranges"] for found in floats])
    points, networks = [], {}
    for way in ways:
        network = networks[way.weight_bits] = quantise(source, way, observed)
        parts = []
        for chunk in chunks:
            parts.append(runs.in_integers(chunk, network))
            advance()
        points.append(_point(way.weight_bits, network, way, parts, len(samples), samples.labels is not None))
    correct = sum(found["correct"] for found in floats)
    accuracy = None if samples.labels is None else correct / len(samples)
    chosen, rule = choice.of(points, accuracy)
    return Sweep(len(samples), accuracy, tuple(points), chosen, rule, networks[chosen])


class _Runs:
    """Float and integer runs of one source on chunks of samples, each computed once and kept."""

    def __init__(self, source: Source, samples: Samples, decide: str | None):
        self.source, self.samples, self.decide = source, samples, decide
        self.names = [p.name for p in source.populations if p.spiking]
        values = [output.population for output in source.outputs if output.values]
        self.values = [*values, *(p.name for p in source.populations if not p.spiking and p.name not in values)]
        self.contents: dict[int, str] = {}
        self.key = store.digest(store.content(source), str(decide), source_digest(SOURCES))

    def chunks(self) -> Iterator[slice]:
        per_sample = self.samples.steps * sum(p.size for p in self.source.populations)
        size = max(1, min(CHUNK_SAMPLES, CHUNK_VALUES // per_sample))
        for start in range(0, len(self.samples), size):
            yield slice(start, min(start + size, len(self.samples)))

    def in_float(self, chunk: slice) -> dict[str, Any]:
        """``ranges`` of all registers, and how many samples are ``correct``."""
        return json.loads((self._reference(chunk) / "found.json").read_text())

    def in_integers(self, chunk: slice, network: Network) -> dict[str, Any]:
        """``correct``, and by population what :func:`_layer` needs."""

        def make(folder: Path) -> None:
            part = self.samples[chunk]
            found = golden_network.run(_told(network, self.values), part.inputs, record=self.names)
            with np.load(self._reference(chunk) / "spikes.npz") as wanted:
                record = {"layers": self._compared(found, wanted, network), "correct": self._correct(part, found)}
            (folder / "found.json").write_text(json.dumps(record))

        key = store.digest(self.key, self._content(chunk), network.digest)
        return json.loads((store.entry("sweep", key, make) / "found.json").read_text())

    def _reference(self, chunk: slice) -> Path:
        def make(folder: Path) -> None:
            part = self.samples[chunk]
            found = reference.run(self.source, part.inputs, record=self.names, membranes=self.values)
            packed = {f"spikes.{name}": np.packbits(found.spikes[name]) for name in self.names}
            values = {f"values.{name}": found.values[name].astype(np.float32) for name in self.values}
            np.savez_compressed(folder / "spikes.npz", **packed, **values)
            record = {"ranges": found.ranges, "correct": self._correct(part, found)}
            (folder / "found.json").write_text(json.dumps(record))

        return store.entry("sweep", store.digest(self.key, self._content(chunk), "float"), make)

    def _content(self, chunk: slice) -> str:
        """The digest of a chunk's samples."""
        if chunk.start not in self.contents:
            self.contents[chunk.start] = store.content(self.samples[chunk])
        return self.contents[chunk.start]

    def _correct(self, part: Samples, found: reference.Result | golden_network.Result) -> int:
        if part.labels is None:
            return 0
        outputs = self.source.outputs
        spikes = {output.population: found.spikes[output.population] for output in outputs if not output.values}
        values = {output.population: found.values[output.population] for output in outputs if output.values}
        return int((data.decide(spikes, values, self.decide) == part.labels).sum())

    def _compared(self, found: golden_network.Result, wanted: Mapping, network: Network) -> dict[str, Counts]:
        layers = {}
        for name in self.names:
            spikes = found.spikes[name]
            floats = np.unpackbits(wanted[f"spikes.{name}"], count=spikes.size).reshape(spikes.shape)
            equal = int((spikes == floats).sum())
            layers[name] = {
                "equal": equal,
                "size": spikes.size,
                "spikes": int(spikes.sum()),
                "float": int(floats.sum()),
            }
        for name in self.values:
            if name not in self.names:
                exponent = network.population(name).parameter("exponent")
                values = found.values[name] * (network.metadata["scales"][name] / 2.0**exponent)
                floats = wanted[f"values.{name}"].astype(float)
                squares = {"error": np.square(values - floats).sum(), "float": np.square(floats).sum()}
                layers[name] = {key: float(value) for key, value in squares.items()}
        return layers


def _told(network: Network, values: Sequence[str]) -> Network:
    """``network`` with the values of populations as outputs too."""
    wanted = [Output(name, values=True) for name in values]
    return replace(network, outputs=tuple(dict.fromkeys([*network.outputs, *wanted])))


def _point(bits: int, network: Network, how: Quantisation, parts: list[dict], samples: int, labels: bool) -> Point:
    names = parts[0]["layers"]
    totals = {name: {key: sum(part["layers"][name][key] for part in parts) for key in names[name]} for name in names}
    kbits = sum(p.values.size * max(2, how.bits(p)) for p in network.projections) / 1024
    accuracy = sum(part["correct"] for part in parts) / samples if labels else None
    return Point(bits, accuracy, kbits, {name: _layer(counts) for name, counts in totals.items()})


def _layer(counts: Counts) -> Layer:
    if "error" in counts:
        return Layer(error=(counts["error"] / counts["float"]) ** 0.5 if counts["float"] else 0.0)
    ratio = counts["spikes"] / counts["float"] if counts["float"] else None
    return Layer(agreement=counts["equal"] / counts["size"], ratio=ratio)


def _merged_ranges(parts: list[dict]) -> dict[str, dict[str, tuple[float, float]]]:
    return {
        name: {
            register: (min(part[name][register][0] for part in parts), max(part[name][register][1] for part in parts))
            for register in parts[0][name]
        }
        for name in parts[0]
    }
