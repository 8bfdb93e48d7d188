"""Samples through a fabric: what ``golden.network`` is asked, answered tick by tick from the image."""

from collections.abc import Callable, Mapping

import numpy as np

from neurogen.spec.errors import InputError
from neurogen.spec.image import Image
from neurogen.spec.words import Register

from .encoders import Coder
from .fabric import Fabric, Tick
from .network import Result


def run(
    fabric: Fabric,
    inputs: Mapping[str, np.ndarray],
    overlapped: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run B samples of T steps on ``fabric``, from reset to reset; outputs are aligned with the inputs.

    ``inputs`` maps every input of the image to integers (B, T, n), or to the encoder's pixels (B, n). ``progress`` is
    called with (samples done, B). Returns the outputs' ``spikes`` and ``values`` as :func:`golden.network.run` does,
    and the ``counts`` of inputs and outputs.

    Raises InputError for inputs that do not fit the image, and where ``overlapped`` is asked and not allowed.
    """
    image = fabric.image
    samples, steps = _extent(image, inputs)
    pixels = next((values for values in inputs.values() if values.ndim == 2), None)
    if overlapped and not image.can_overlap(steps):
        raise InputError("samples cannot overlap: an event could cross into the next, or a population starts too late")
    length = steps * image.step_ticks
    fabric.reset()
    fabric.registers |= {Register.SAMPLE_TICKS: length, Register.OVERLAPPED: int(overlapped)}
    sink = _Sink(image, samples, steps)
    for sample in range(samples):
        if pixels is not None:
            fabric.pixels(pixels[sample])
        for tick in range(length):
            if pixels is None and tick % image.step_ticks == 0:
                send(fabric, {name: events[sample, tick // image.step_ticks] for name, events in inputs.items()})
            sink.take(fabric.tick(), sample * length + tick)
        if not overlapped or sample == samples - 1:
            for extra, tick in enumerate(fabric.end_sample()):
                sink.take(tick, (sample + 1) * length + extra, last=sample)
        if progress:
            progress(sample + 1, samples)
    if pixels is not None:
        inputs = {name: Coder(image.config.encoder).events(values) for name, values in inputs.items()}
    counts = {name: int(np.count_nonzero(events)) for name, events in inputs.items()}
    counts |= {name: int(np.count_nonzero(spikes)) for name, spikes in sink.spikes.items()}
    return Result(sink.spikes, sink.values, counts)


def _extent(image: Image, inputs: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Samples and steps, after checking the inputs."""
    if set(inputs) != set(image.input_sizes):
        raise InputError(f"the inputs are {', '.join(image.input_sizes)}, not {', '.join(inputs)}")
    shape = next(iter(inputs.values())).shape[:2]
    if image.config.encoder is not None and all(values.ndim == 2 for values in inputs.values()):
        return shape[0], image.config.encoder.steps
    for name, events in inputs.items():
        expected = (*shape, image.input_sizes[name])
        if events.shape != expected:
            raise InputError(f"input {name!r} has shape {events.shape}, not (samples, steps, n) = {expected}")
        largest = max(1, (1 << image.input_payload_bits[name]) - 1)
        if events.size and (events.min() < 0 or events.max() > largest):
            raise InputError(f"input {name!r} holds {events.min()}..{events.max()}, not 0..{largest}")
    return shape


def send(fabric: Fabric, events: Mapping[str, np.ndarray]) -> None:
    """The events of one step, one array (n,) for each input, for the next tick and the delays of the image."""
    for name, payloads in events.items():
        fabric.lines(name, payloads)


class _Sink:
    """Output lines of ticks, sorted into samples, steps and neurons."""

    def __init__(self, image: Image, samples: int, steps: int):
        self.image, self.steps = image, steps
        self.spikes = {o["population"]: np.zeros((samples, steps, o["size"]), np.uint8) for o in image.outputs
                       if not o["values"]}  # fmt: skip
        self.values = {o["population"]: np.zeros((samples, steps, o["size"]), np.int32) for o in image.outputs
                       if o["values"]}  # fmt: skip

    def take(self, tick: Tick, position: int, last: int | None = None) -> None:
        """File the outputs of ``tick``, ``position`` ticks after the first sample's first one.

        What lies outside the samples, or after the ``last`` one, belongs to none and is dropped.
        """
        for output in self.image.outputs:
            name, first, size = output["population"], output["first_line"], output["size"]
            sample, within = divmod(position - output["depth"], self.steps * self.image.step_ticks)
            if sample < 0 or sample > (last if last is not None else sample):
                continue
            step = within // self.image.step_ticks
            if output["values"]:
                found = tick.values[(tick.values[:, 0] >= first) & (tick.values[:, 0] < first + size)]
                self.values[name][sample, step, found[:, 0] - first] = found[:, 1]
            else:
                lines = tick.spikes[(tick.spikes >= first) & (tick.spikes < first + size)]
                self.spikes[name][sample, step, lines - first] = 1
