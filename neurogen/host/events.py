"""Events of a sensor, and how they become spikes: which step, which line, and what happens to the rest."""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from ..spec.errors import InputError
from ..spec.network import Input

Origin = Literal["zero", "first"]


@dataclass(frozen=True)
class Recording:
    """Events of one or several samples: integers (k,) each, in any order.

    ``t`` microseconds, ``x`` and ``y`` pixels, ``p`` 1 on and 0 off (None: the sensor has no polarity), ``sample``
    0..``samples``-1, ``value`` what an event weighs (None: 1 each). ``sensor`` is its (width, height) where the file
    says it; ``origin`` is what its times mean.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray | None
    sample: np.ndarray | None = None
    value: np.ndarray | None = None
    samples: int = 1
    sensor: tuple[int, int] | None = None
    origin: Origin = "zero"

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True)
class Binning:
    """How events become spikes.

    ``step_us``   length of a step in microseconds; 1 where ``t`` counts steps.
    ``sensor``    "WIDTHxHEIGHT" in pixels; default: what the file says.
    ``steps``     T; events of later steps are cut off and counted. Default: up to the last event.
    ``polarity``  separate: line (p * height + y) * width + x; merge: y * width + x.
    ``outside``   events outside the sensor or before step 0: refuse, or drop and count them.
    ``several``   events in one step and line: merge them into one spike and count what was lost, count them into a
                  payload, or refuse. Default: merge where the input carries spikes, count where it carries payloads.
    ``origin``    step 0 begins at t = 0, or at the first event of a sample. Default: as the format has it.
    """

    step_us: int | None = None
    sensor: str | None = None
    steps: int | None = None
    polarity: Literal["separate", "merge"] = "separate"
    outside: Literal["refuse", "drop"] = "refuse"
    several: Literal["merge", "count", "refuse"] | None = None
    origin: Origin | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of ``sensor``."""
        if self.sensor is None:
            return None
        width, _, height = self.sensor.partition("x")
        return int(width), int(height)

    @property
    def flags(self) -> list[str]:
        """The words of a command line that say the same."""
        said = {
            item.name: getattr(self, item.name) for item in fields(self) if getattr(self, item.name) != item.default
        }
        return [word for name, value in said.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def grid(recording: Recording, item: Input, binning: Binning, where: str) -> tuple[np.ndarray, list[str]]:
    """Spikes or payloads (B, T, n) for the input ``item``, and sentences about every event that is not in them.

    Raises InputError, beginning with ``where``, for what cannot be placed.
    """
    width, height = _sensor(recording, item, binning, where)
    if binning.step_us is None:
        raise InputError(f"{where}: events need --step-us, the length of a step in microseconds")
    if not len(recording):
        raise InputError(f"{where}: holds no events")
    sample = np.zeros(len(recording), dtype=np.int64) if recording.sample is None else recording.sample
    step = (recording.t - _start(recording, sample, binning)[sample]) // binning.step_us
    x, y = recording.x, recording.y
    p = 0 if recording.p is None or binning.polarity == "merge" else recording.p
    notes = [f"{where}: {len(recording):,} events"]

    kept = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (step >= 0)
    if not kept.all():
        if binning.outside == "refuse":
            at = int(np.argmin(kept))
            raise InputError(
                f"{where}: event {at} (x={x[at]}, y={y[at]}, step {step[at]}) is outside {width}x{height} pixels or"
                " before step 0; --outside drop leaves such events out"
            )
        notes.append(f"{np.count_nonzero(~kept):,} outside {width}x{height} pixels or before step 0 were dropped")
    steps = binning.steps or int(step[kept].max(initial=0)) + 1
    late = kept & (step >= steps)
    if late.any():
        notes.append(f"{np.count_nonzero(late):,} after step {steps} were cut off")
    kept &= ~late
    line = (p * height + y) * width + x
    shape = (recording.samples, steps, item.size)
    values, merged = _count(shape, (sample, step, line), recording, kept, item, binning, where)
    if merged:
        notes.append(f"{merged:,} that share step and line with another were merged")
    return values, ["; ".join(notes)] if len(notes) > 1 else []


def _sensor(recording: Recording, item: Input, binning: Binning, where: str) -> tuple[int, int]:
    """(width, height), which must make as many lines as the input has."""
    size = binning.size or recording.sensor
    if size is None:
        raise InputError(f"{where}: events need --sensor WIDTHxHEIGHT, the sensor's pixels")
    pixels = size[0] * size[1]
    polarities = 1 if recording.p is None or binning.polarity == "merge" else 2
    if pixels * polarities != item.size:
        advice = "; give --polarity merge" if polarities == 2 and pixels == item.size else ""
        raise InputError(
            f"{where}: {size[0]}x{size[1]} pixels with {polarities} polarit{'ies' if polarities == 2 else 'y'} make"
            f" {pixels * polarities} lines, input {item.name!r} has {item.size}{advice}"
        )
    return size


def _start(recording: Recording, sample: np.ndarray, binning: Binning) -> np.ndarray:
    """When step 0 of every sample begins, microseconds."""
    if (binning.origin or recording.origin) == "zero":
        return np.zeros(recording.samples, dtype=np.int64)
    first = np.full(recording.samples, np.iinfo(np.int64).max)
    np.minimum.at(first, sample, recording.t)
    return first


def _count(shape, index, recording: Recording, kept: np.ndarray, item: Input, binning: Binning, where: str):
    """Events (B, T, n) as the input carries them, and how many of them were merged into others."""
    flat = np.ravel_multi_index([np.asarray(part)[kept] for part in index], shape)
    places, member, events = np.unique(flat, return_inverse=True, return_counts=True)
    weight = None if recording.value is None else recording.value[kept]
    counts = np.bincount(member, weight, minlength=len(places)).astype(np.int64)
    rule = binning.several or ("count" if item.payload_bits else "merge")
    largest = {"merge": None, "count": item.largest, "refuse": 1}[rule]
    measured = events if rule == "refuse" else counts
    if largest is not None and measured.max(initial=0) > largest:
        at = int(np.argmax(measured > largest))
        place = tuple(int(i) for i in np.unravel_index(places[at], shape))
        raise InputError(
            f"{where}: {measured[at]} events at (sample, step, line) = {place}, at most {largest} can be there; a"
            " shorter --step-us parts them, --several merge makes one spike of them"
        )
    values = np.zeros(shape, dtype=np.uint16 if item.payload_bits > 8 else np.uint8)
    values.reshape(-1)[places] = 1 if rule == "merge" else counts
    return values, int(events.sum()) - len(events) if rule == "merge" else 0
