"""The project file: everything that a verb can be told, as one strict configuration.

The command line's flags are made from these fields, so every flag has a key here and both say the same. Paths in a
file are relative to it.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .spec.config import Config, FabricConfig, Keys
from .spec.errors import InputError

Decide = Literal["count", "first", "last", "max"]
Widths = Annotated[
    str, Field(pattern=r"^\d+(\.\.\d+)?(,\d+(\.\.\d+)?)*$", description="weight widths to try: 2..8, or 4,6,8")
]
NUMBERS = r"^\d+(,\d+)*$"
Framework = Literal["snntorch", "norse", "sinabs", "spikingjelly", "rockpool", "lava"]


class ImportOptions(Config):
    """What a network file may leave open. Default: the file's own metadata, else what ``framework`` does."""

    framework: Annotated[Framework | None, Field(description="where the network was trained")] = None
    dt: Annotated[float | None, Field(gt=0, strict=False, description="time of one step, in the file's unit")] = None
    reset: Annotated[
        Literal["zero", "subtract", "none"] | None, Field(description="what a spike does to the membrane potential")
    ] = None
    reset_timing: Annotated[
        Literal["same-step", "delayed", "snntorch-immediate"] | None, Field(description="when it does so")
    ] = None
    compare: Annotated[Literal["gt", "ge"] | None, Field(description="fire above the threshold, or at it too")] = None
    decay: Annotated[Literal["euler", "exponential"] | None, Field(description="factor of a step from tau")] = None
    input_shape: Annotated[
        str | None,
        Field(
            pattern=r"^[1-9]\d*(,[1-9]\d*)*$",
            description="channels,rows,columns of the one input, if its file is silent",
        ),
    ] = None
    name: Annotated[str | None, Field(description="name of the network; default: the file's")] = None


class QuantiseOptions(Config):
    """How floating point becomes integers. Networks of integers go through unchanged."""

    weight_bits: Annotated[int, Field(ge=1, le=16, description="signed weight width; 1: the sign alone")] = 8
    weight_bits_of: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=16)]],
        Field(
            default_factory=dict,
            description="another width for a population's inputs, or for one projection: source->target",
        ),
    ]
    clip: Annotated[Literal["least_squares", "max", "percentile"], Field(description="where weights are clipped")] = (
        "least_squares"
    )
    percentile: Annotated[float, Field(gt=0, le=100, strict=False, description="of magnitudes, for that clip")] = 99.9
    rounding: Annotated[
        Literal["floor", "toward_zero", "half_up"], Field(description="how a leak's quotient is rounded")
    ] = "toward_zero"
    leak: Annotated[Literal["auto", "shift", "multiply"], Field(description="kind of leak")] = "auto"
    fraction_bits: Annotated[int | None, Field(ge=0, le=15, description="bits of v below one unit of weight")] = None
    state_bits: Annotated[int | None, Field(ge=2, le=32, description="width of v; default: as wide as needed")] = None
    state_range: Annotated[
        Literal["proof", "observed"], Field(description="what that width follows from: any input, or samples' values")
    ] = "proof"
    margin_bits: Annotated[int, Field(ge=0, le=8, description="bits beyond what observed values need")] = 1
    parameters: Annotated[
        Literal["per_neuron", "per_population"], Field(description="thresholds and decays: their own, or one for all")
    ] = "per_neuron"


class SizeOptions(Config):
    """What is wished of a fabric that is chosen for the network; the rest follows from the network."""

    name: Annotated[str | None, Field(description="top module; default: the network's name")] = None
    width: Annotated[int | None, Field(ge=1, le=16, description="columns of the mesh")] = None
    height: Annotated[int | None, Field(ge=1, le=16, description="rows of the mesh")] = None
    lanes: Annotated[int | None, Field(ge=1, le=256, description="lanes P of a core")] = None
    banks: Annotated[int | None, Field(ge=1, le=64, description="synapse banks K of a core")] = None
    axons: Annotated[
        int | None, Field(ge=1, le=4096, description="axons of a core; a larger fan-in is split by relays")
    ] = None
    update_lanes: Annotated[int | None, Field(ge=1, le=256, description="neurons U updated per clock")] = None
    weight_bits: Annotated[int | None, Field(ge=2, le=16, description="signed weight width in the fabric")] = None
    accumulator_bits: Annotated[int | None, Field(ge=4, le=40, description="width of one tick's input sum")] = None
    store: Annotated[
        Literal["dense", "full", "conv", "sparse"] | None,
        Field(description="how a core keeps its synapses; default: chosen"),
    ] = None
    synapse_memory: Annotated[
        Literal["block", "spram"] | None,
        Field(description="where synapses are; default: chosen for the board, or block"),
    ] = None
    programmable: Annotated[bool, Field(description="an overlay: everything loadable at run time")] = False
    encoder: Annotated[str | None, Field(description="makes spikes of pixels on the chip; see: neurogen encoders")] = (
        None
    )
    encoder_steps: Annotated[int, Field(ge=1, le=4096, description="T, steps that it makes of a sample's pixels")] = 16
    encoder_parameters: Annotated[
        dict[str, int], Field(default_factory=dict, description="its parameters, for example full")
    ]


class DataOptions(Config):
    """How a file of samples is read; most of it is for events of sensors."""

    step_us: Annotated[int | None, Field(ge=1, description="length of a step in microseconds")] = None
    sensor: Annotated[
        str | None, Field(pattern=r"^[1-9]\d*x[1-9]\d*$", description="WIDTHxHEIGHT of the sensor, in pixels")
    ] = None
    steps: Annotated[int | None, Field(ge=1, description="T: samples are cut to, or filled up with silence")] = None
    polarity: Annotated[Literal["separate", "merge"], Field(description="lines for on and off events")] = "separate"
    outside: Annotated[Literal["refuse", "drop"], Field(description="events outside the sensor")] = "refuse"
    several: Annotated[
        Literal["merge", "count", "refuse"] | None,
        Field(description="events in one step and line; default: merge, or count where the input has payloads"),
    ] = None
    origin: Annotated[
        Literal["zero", "first"] | None,
        Field(description="step 0 is at t = 0 or at the first event; default: the file's"),
    ] = None


class MappingOptions(Config):
    """How the network is placed on the mesh; results do not depend on it."""

    data: Annotated[
        str | None,
        Field(description="X: samples whose activity places the cores, and is shown; default: those shipped"),
    ] = None


class ViewOptions(Config):
    """What ``view`` draws."""

    what: Annotated[
        Literal["mapping", "spikes"], Field(description="the mesh and its traffic, or the spikes of one sample")
    ] = "mapping"
    sample: Annotated[int, Field(ge=0, description="number of the sample whose spikes are drawn")] = 0
    output: Annotated[str | None, Field(description="the picture: .svg, .png or .pdf")] = None


class ReportOptions(Config):
    """What ``report`` measures besides."""

    engine: Annotated[str | None, Field(description="simulator that measures a tick's clocks in the Verilog")] = None


class SweepOptions(Config):
    """What ``quantize`` tries, on what, and how it chooses."""

    data: Annotated[
        str | None, Field(description="X: samples to measure on; default: those shipped with the network")
    ] = None
    labels: Annotated[
        str | None, Field(description="right classes: an array of X, or an .npy file; default: labels in X")
    ] = None
    bits: Widths = "2..8"
    max_loss: Annotated[
        float, Field(ge=0, strict=False, description="points of accuracy that the chosen width may lose")
    ] = 0.5
    min_agreement: Annotated[
        float, Field(ge=0, le=1, strict=False, description="without labels: equal spikes that it must reach, 0..1")
    ] = 0.98
    decide: Annotated[Decide | None, Field(description="how outputs become a class, as in simulate")] = None


class SimulateOptions(Config):
    """What ``simulate`` runs, and on what."""

    input: Annotated[str | None, Field(description="X: samples to run (.npz, .npy, events, NIRData)")] = None
    output: Annotated[str | None, Field(description="Y: where the outputs go (.npz, NIRData)")] = None
    engine: Annotated[
        str, Field(description="what computes Y: network, fabric or a simulator of the Verilog; all write the same")
    ] = "network"
    decide: Annotated[
        Decide | None, Field(description="how outputs become a class; default: most spikes, or last value")
    ] = None


class VerifyOptions(Config):
    """What ``verify`` compares, and on what."""

    input: Annotated[str | None, Field(description="X: samples to run; default: those shipped with the network")] = None
    samples: Annotated[int, Field(ge=1, description="how many samples of X")] = 20
    simulators: Annotated[
        tuple[str, ...], Field(strict=False, description="simulators; default: every installed one")
    ] = ()
    allow_silent: Annotated[bool, Field(description="accept runs in which too little happens to mean anything")] = False


class BoardOptions(Config):
    """The board that a bitstream is built for, and how."""

    board: Annotated[str | None, Field(description="go on to a bitstream for this board; see: neurogen boards")] = None
    boards_dir: Annotated[str | None, Field(description="folder of board definitions of your own")] = None
    optimize: Annotated[
        Literal["throughput", "area"], Field(description="of the fabrics that fit: the fastest, or the smallest")
    ] = "throughput"
    seeds: Annotated[int, Field(ge=1, le=100, description="places and routes that are tried at each clock")] = 2


class RunOptions(Config):
    """What a board is given, and where it is."""

    port: Annotated[
        str | None, Field(description="the board: a serial port, socket://HOST:PORT, or sim for a simulated one")
    ] = None
    baud: Annotated[int | None, Field(ge=1, description="of the serial port; default: the build's")] = None
    input: Annotated[str | None, Field(description="X: samples to run; default: those shipped with the network")] = None
    output: Annotated[str | None, Field(description="Y: where the outputs go (.npz, NIRData)")] = None
    decide: Annotated[
        Decide | None, Field(description="how outputs become a class; default: most spikes, or last value")
    ] = None


class BenchOptions(Config):
    """What ``bench`` measures, and how."""

    rows: Annotated[
        tuple[str, ...], Field(strict=False, description="rows of the table; default: all but long ones")
    ] = ()
    full: Annotated[bool, Field(description="the rows that take hours too")] = False
    seeds: Annotated[
        int, Field(ge=0, le=100, description="places and routes of each design, Fmax is their median; 0: no clocks")
    ] = 3
    material: Annotated[
        str | None, Field(description="folder with models/ and data/ of MNIST; rows that need them are skipped without")
    ] = None
    record: Annotated[
        str | None, Field(description="JSON file in which the rows measured now replace earlier ones")
    ] = None
    history: Annotated[str | None, Field(description="CSV file to which the rows measured now are added")] = None


class ExploreOptions(Config):
    """What ``explore`` tries, for which device, and where it runs."""

    data: Annotated[
        str | None, Field(description="X: samples whose clocks are counted; default: those shipped with the network")
    ] = None
    device: Annotated[str | None, Field(description="the FPGA's type, where --board does not say it: LFE5U-25F")] = None
    bits: Widths = "4,8"
    lanes: Annotated[str, Field(pattern=NUMBERS, description="lanes P to try")] = "4,8,16,32,64"
    banks: Annotated[str, Field(pattern=NUMBERS, description="banks K to try")] = "1,2,4,8"
    update_lanes: Annotated[str, Field(pattern=NUMBERS, description="neurons U updated per clock to try")] = "1,4"
    cores: Annotated[str, Field(pattern=r"^\d+x\d+(,\d+x\d+)*$", description="meshes to try: 1x1,2x2")] = "1x1"
    synthesis: Annotated[
        int, Field(ge=0, description="of the front, so many are placed and routed, those with the fewest clocks first")
    ] = 0
    processes: Annotated[int | None, Field(ge=1, description="processes on this machine; default: all processors")] = (
        None
    )
    scheduler: Annotated[str | None, Field(description="address of a Dask scheduler whose workers do it instead")] = (
        None
    )


class FlashOptions(Config):
    """How a board is loaded."""

    dry_run: Annotated[bool, Field(description="print the command, do not run it")] = False
    permanent: Annotated[bool, Field(description="into the board's flash, where the default is its FPGA")] = False


class Project(Config):
    """One network and all that is said about it."""

    network: Annotated[str | None, Field(description="network file or build directory; default: digits")] = None
    output: Annotated[str | None, Field(description="build directory; default: build/<name>")] = None
    seed: Annotated[int, Field(ge=0, description="of everything that is drawn at random")] = 0
    as_json: Annotated[bool, Field(alias="json", description="print the result as JSON")] = False
    importing: Annotated[ImportOptions, Field(alias="import")] = ImportOptions()
    quantise: QuantiseOptions = QuantiseOptions()
    size: SizeOptions = SizeOptions()
    fabric: Annotated[
        FabricConfig | None, Field(description="the whole fabric; default: chosen for the network, and explained")
    ] = None
    data: DataOptions = DataOptions()
    mapping: MappingOptions = MappingOptions()
    view: ViewOptions = ViewOptions()
    report: ReportOptions = ReportOptions()
    sweep: SweepOptions = SweepOptions()
    simulate: SimulateOptions = SimulateOptions()
    verify: VerifyOptions = VerifyOptions()
    target: BoardOptions = BoardOptions()
    flash: FlashOptions = FlashOptions()
    bench: BenchOptions = BenchOptions()
    explore: ExploreOptions = ExploreOptions()
    run: RunOptions = RunOptions()

    @model_validator(mode="after")
    def _check(self):
        if self.fabric is not None and self.size != SizeOptions():
            raise ValueError("[size] is for a fabric that is chosen, [fabric] says the whole fabric; give one of them")
        return self


PATHS = (
    *("network", "output", "simulate.input", "simulate.output", "verify.input", "mapping.data", "view.output"),
    *("target.boards_dir", "run.input", "run.output", "sweep.data"),
    *("explore.data", "bench.material", "bench.record", "bench.history"),
)


def load(path: Path | None, overrides: Mapping[str, Any]) -> Project:
    """The project of a TOML file (None: all defaults) with dotted keys set to other values.

    Raises InputError: the file cannot be read or is no TOML, or a key or value is wrong (the file's line is named).
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            text = path.read_text()
            data = tomllib.loads(text)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from None
        except ValueError as error:  # TOMLDecodeError, which says the line, and UnicodeDecodeError
            raise InputError(f"{path}: not TOML: {error}") from None
        Project.parse(data, lambda keys: f"{path}:{_line(text, keys)}")
        for key in PATHS:
            _update(data, key, lambda value: str(path.parent / value))
    for key, value in overrides.items():
        _assign(data, key, value)
    return Project.parse(data, "command line")


def value_of(text: str) -> Any:
    """A value as TOML has it; what is not TOML is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assign(data: dict[str, Any], key: str, value: Any) -> None:
    *tables, name = key.split(".")
    for table in tables:
        data = data.setdefault(table, {})
        if not isinstance(data, dict):
            raise InputError(f"command line: {key}: {table!r} is a value and has no keys")
    data[name] = value


def _update(data: dict[str, Any], key: str, change) -> None:
    *tables, name = key.split(".")
    for table in tables:
        data = data.get(table, {})
    if name in data:
        data[name] = change(data[name])


def _line(text: str, keys: Keys) -> int:
    """The line that defines ``keys``, or as much of its beginning as any line does."""
    table: Keys = ()
    best, found = 0, 1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            path = table = _split(header[1])
        elif entry := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            path = (*table, *_split(entry[1]))
        else:
            continue
        if len(path) > best and path == keys[: len(path)]:
            best, found = len(path), number
    return found


def _split(dotted: str) -> Keys:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
