"""Files of samples: X (what goes in), Y (what comes out), and how outputs become a class.

X   ``.npz`` with one of
        ``spikes``  (T, N) or (B, T, N); for each input ``spikes/<input>`` where there are several
        ``frames``  (B, T, H, W) or (B, T, P, H, W); line (p * H + y) * W + x
        ``events``  (k, 3 or 4: sample, step, line and payload) and their ``shape`` (B, T, N)
        ``pixels``  (B, N) or (B, H, W), of which the fabric's encoder makes spikes; only these where it has one
        events of a sensor: a structured array, or arrays, with t, x, y, p and sample (see ``columns``)
    and optional ``labels`` (B,). ``.npy`` is the first or the last of these alone.
    ``.bin``, ``.aedat4``: a recording of a sensor (see ``recordings``), or a folder of them.
    ``.nir``, ``.h5``: NIRData.
Y   ``.npz`` with ``spikes`` uint8 (B, T, N) and ``values`` int32 (B, T, N); with several outputs of a kind,
    ``spikes/<population>`` each. ``.nir``, ``.h5``: the same as NIRData.

``events.Binning`` says how events become spikes.
"""

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..spec.config import EncoderConfig
from ..spec.errors import InputError
from ..spec.network import Input
from . import columns, nir_data, recordings
from .events import Binning, Recording, grid

READ_ERRORS = (ValueError, EOFError, KeyError, zipfile.BadZipFile)


class Coder(Protocol):
    """A model of a fabric's encoder."""

    config: EncoderConfig

    def events(self, pixels: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Samples:
    """``inputs``: input name -> integers (B, T, n); ``labels`` (B,) or None.

    ``notes`` say what of the file is not in them; ``step`` is the length of a step where the file says it (seconds).
    ``pixels``: input name -> (B, n), where the inputs are what the encoder makes of these.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    step: float | None = None
    pixels: dict[str, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def steps(self) -> int:
        return next(iter(self.inputs.values())).shape[1]

    @property
    def sent(self) -> dict[str, np.ndarray]:
        """What a fabric is given: the pixels, or the inputs where there are none."""
        return self.inputs if self.pixels is None else self.pixels

    def __getitem__(self, chosen: slice | np.ndarray) -> "Samples":
        labels = None if self.labels is None else self.labels[chosen]
        inputs = {name: values[chosen] for name, values in self.inputs.items()}
        pixels = None if self.pixels is None else {name: values[chosen] for name, values in self.pixels.items()}
        return Samples(inputs, labels, self.notes, self.step, pixels)


def read(path: Path, inputs: tuple[Input, ...], binning: Binning | None = None, coder: Coder | None = None) -> Samples:
    """Read X for a network with ``inputs``, and for a fabric whose encoder ``coder`` models.

    Raises InputError with one line if the file cannot be read, or an array has another shape, or values other than 0
    and 1 (with payload bits: other than what these hold), or labels do not fit the samples, or an event cannot be
    placed, or there are pixels and no encoder.
    """
    path, binning = Path(path), binning or Binning()
    arrays, notes, step = _content(path, inputs, binning)
    pixels = _pixels(path, arrays, inputs, coder, binning)
    if pixels is not None:
        arrays[f"spikes/{inputs[0].name}"] = coder.events(pixels)
    found = {item.name: _input(path, arrays, item, alone=len(inputs) == 1) for item in inputs}
    shapes = {values.shape[:2] for values in found.values()}
    if len(shapes) > 1:
        raise InputError(f"{path}: the inputs differ in samples and steps: {', '.join(map(str, sorted(shapes)))}")
    ((samples, _),) = shapes
    labels = arrays.get("labels")
    if labels is not None and (labels.shape != (samples,) or not np.issubdtype(labels.dtype, np.integer)):
        raise InputError(f"{path}: labels are integers ({samples},), not {labels.dtype} {labels.shape}")
    if binning.steps:
        for name, values in found.items():
            found[name] = _of_length(values, binning.steps)
            lost = np.count_nonzero(values) - np.count_nonzero(found[name])
            notes += [f"{path}: {name}: {lost:,} of its events after step {binning.steps} were cut off"] if lost else []
    return Samples(found, labels, tuple(notes), step, None if pixels is None else {inputs[0].name: pixels})


def _pixels(
    path: Path, arrays: Mapping[str, np.ndarray], inputs: tuple[Input, ...], coder: Coder | None, binning: Binning
) -> np.ndarray | None:
    """The pixels (B, n) of X; None where it has none, or spikes besides and the fabric no encoder."""
    values = arrays.get("pixels")
    if values is None:
        return None
    if coder is None:
        if any(key.startswith("spikes") for key in arrays):
            return None
        raise InputError(f"{path}: holds pixels, and this fabric has no encoder for them; build it with --encoder")
    lines, full, steps = inputs[0].size, coder.config.full, coder.config.steps
    if values.ndim < 2 or int(np.prod(values.shape[1:])) != lines or not len(values):
        raise InputError(f"{path}: pixels have shape {values.shape}, not (B, {lines}) or (B, H, W) of as many")
    if values.dtype.kind not in "biu":
        raise InputError(f"{path}: pixels hold {values.dtype}, not integers")
    values = values.reshape(len(values), lines)
    wrong = (values < 0) | (values > full)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(f"{path}: pixels hold {values[at]} at (sample, line) = {at}; this encoder takes 0..{full}")
    if binning.steps not in (None, steps):
        raise InputError(f"{path}: the encoder makes {steps} steps of a sample's pixels; --steps cannot say others")
    return values.astype(np.uint8)


def _of_length(values: np.ndarray, steps: int) -> np.ndarray:
    """(B, T, n) cut, or followed by silence, to ``steps`` steps."""
    return np.pad(values[:, :steps], ((0, 0), (0, max(0, steps - values.shape[1])), (0, 0)))


def _content(path: Path, inputs: tuple[Input, ...], binning: Binning) -> tuple[dict, list[str], float | None]:
    """Whatever X is, as the arrays of an ``.npz`` of spikes; what was left out; the length of a step if it is known."""
    if path.suffix in nir_data.SUFFIXES:
        found, step, notes = nir_data.read(path, inputs, binning)
        return {f"spikes/{name}": values for name, values in found.items()}, notes, step
    arrays, recording = _opened(path)
    if recording is None:
        return arrays, [], None
    if len(inputs) > 1:
        raise InputError(f"{path}: a recording feeds one input, this network has {len(inputs)}")
    spikes, notes = grid(recording, inputs[0], binning, str(path))
    return arrays | {"spikes": spikes}, notes, binning.step_us / 1e6


def _opened(path: Path) -> tuple[dict[str, np.ndarray], Recording | None]:
    """The arrays of a file, and the recording in it."""
    if path.is_dir():
        recording, labels = recordings.read_folder(path)
        return {} if labels is None else {"labels": labels}, recording
    if path.suffix in recordings.suffixes():
        return {}, recordings.suffixes()[path.suffix].read(path)
    arrays = _arrays(path)
    if "frames" in arrays:
        arrays["spikes"] = _from_frames(path, arrays.pop("frames"))
    elif "events" in arrays and not arrays["events"].dtype.names:
        arrays["spikes"] = _from_events(path, arrays)
    elif events := columns.find(arrays):
        return arrays, columns.read(path, events)
    return arrays, None


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if path.suffix not in (".npz", ".npy"):
        known = ", ".join(sorted({".npz", ".npy", *nir_data.SUFFIXES, *recordings.suffixes()}))
        raise InputError(f"{path}: samples are one of {known}, or a folder of recordings")
    try:
        with path.open("rb") as raw:  # a path that numpy opens itself stays open if the file is damaged
            loaded = np.load(raw, allow_pickle=False)
            return {"spikes": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'not a readable .npz or .npy file'}") from None
    except READ_ERRORS:
        raise InputError(f"{path}: not a readable .npz or .npy file; it may be cut off") from None


def _input(path: Path, arrays: Mapping[str, np.ndarray], item: Input, alone: bool) -> np.ndarray:
    key = "spikes" if alone and f"spikes/{item.name}" not in arrays else f"spikes/{item.name}"
    values = arrays.get(key)
    if values is None:
        raise InputError(f"{path}: there is no array {key!r}; there are {', '.join(sorted(arrays)) or 'none'}")
    where = f"{path}: {key}"
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.shape[2] != item.size or 0 in values.shape:
        raise InputError(f"{where} has shape {values.shape}, not (B, T, {item.size}) or (T, {item.size})")
    if values.dtype.kind not in "buif":
        raise InputError(f"{where} holds {values.dtype}, not integers")
    rule = f"{item.payload_bits} payload bits hold 0..{item.largest}" if item.payload_bits else "spikes are 0 or 1"
    wrong = ~((values >= 0) & (values <= item.largest) & (values == np.floor(values)))  # catches NaN too
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(f"{where} holds {values[at]} at (sample, step, line) = {at}; {rule}")
    return values.astype(np.uint8 if item.largest < 256 else np.uint16)


def _from_frames(path: Path, frames: np.ndarray) -> np.ndarray:
    if frames.ndim not in (4, 5):
        raise InputError(f"{path}: frames have shape {frames.shape}, not (B, T, H, W) or (B, T, P, H, W)")
    return frames.reshape(*frames.shape[:2], -1)


def _from_events(path: Path, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    rows, shape = arrays["events"], arrays.get("shape")
    if shape is None or shape.shape != (3,) or not np.issubdtype(shape.dtype, np.integer) or shape.min() < 1:
        raise InputError(f"{path}: an event list needs 'shape', three integers (B, T, N)")
    if rows.ndim != 2 or rows.shape[1] not in (3, 4) or not np.issubdtype(rows.dtype, np.integer):
        raise InputError(f"{path}: events are integers (k, 3 or 4), not {rows.dtype} {rows.shape}")
    bad = np.flatnonzero(((rows[:, :3] < 0) | (rows[:, :3] >= shape)).any(axis=1))
    if len(bad):
        raise InputError(
            f"{path}: event {bad[0]} is at {tuple(rows[bad[0], :3].tolist())}, outside {tuple(shape.tolist())}"
        )
    values = np.zeros(shape, dtype=np.int64)
    values[tuple(rows[:, :3].T)] = rows[:, 3] if rows.shape[1] == 4 else 1
    return values


def write(
    path: Path, spikes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], step: float | None = None
) -> None:
    """Write Y, all of it or nothing. The same outputs give the same bytes.

    NIRData has steps of ``step`` seconds; 1 where that is not known.
    """
    if path.suffix in nir_data.SUFFIXES:
        replace(path, nir_data.write(spikes, values, step or 1.0))
        return
    arrays: dict[str, Any] = {}
    for kind, dtype, found in (("spikes", np.uint8, spikes), ("values", np.int32, values)):
        for name, array in found.items():
            arrays[kind if len(found) == 1 else f"{kind}/{name}"] = array.astype(dtype)
    save(path, arrays)


def save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write an ``.npz``, all of it or nothing; :func:`replace` says how."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    replace(Path(path), buffer.getvalue())


def replace(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or all of the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def _first(spikes: np.ndarray) -> np.ndarray:
    steps = spikes.shape[1]
    return -np.where(spikes.any(axis=1), spikes.argmax(axis=1), steps)


SCORES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "count": ("spikes", lambda spikes: spikes.sum(axis=1, dtype=np.int64)),
    "first": ("spikes", _first),
    "last": ("values", lambda values: values[:, -1]),
    "max": ("values", lambda values: values.max(axis=1)),
}
"""Rule -> the kind of output that it reads, and its score (B, N): the largest wins, ties go to the lowest index."""


def decide(spikes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], rule: str | None = None) -> np.ndarray:
    """The class of every sample (B,), from the first output of the kind that ``rule`` reads.

    The default rule is ``count`` where there are spikes, else ``last``. Raises InputError for a rule that does not
    exist or reads what the network does not deliver.
    """
    rule = rule or ("count" if spikes else "last")
    if rule not in SCORES:
        raise InputError(f"decide is one of {', '.join(SCORES)}, not {rule!r}")
    kind, score = SCORES[rule]
    found = {"spikes": spikes, "values": values}[kind]
    if not found:
        usable = ", ".join(name for name, (needs, _) in SCORES.items() if needs != kind)
        raise InputError(f"decide {rule!r} reads {kind}, which this network does not deliver; it can use {usable}")
    return score(next(iter(found.values()))).argmax(axis=1)
