"""What a fabric is: frozen, strict configurations. Everything that has a width derives it from here.

A typo must never fall back to a default, so unknown keys are errors; a configuration that validates can be built.
"""

import difflib
import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer, model_validator

from . import encoders, neurons, synapses
from .errors import InputError
from .fields import Field as BitField
from .fields import Layout
from .fixed import index_bits, signed_range, unsigned_range
from .verilog import KEYWORDS

HOST_WORD_BITS = 32
SLICE_ROWS = 64
"""As many random bits tell one column of a memory from all others, in a finished bitstream."""

Count = Annotated[int, Field(ge=1)]
Bits = Annotated[int, Field(ge=0, le=64)]
Scope = Literal["per_population", "per_neuron"]
SCOPES = ("per_population", "per_neuron")
Keys = tuple[str | int, ...]
"""Where a key stands, from the outermost configuration."""


class Config(BaseModel):
    """Base of all configurations: frozen, strict, no unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ignored_types=(cached_property,))

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def __hash__(self) -> int:  # configurations hold dictionaries, and every layout is cached by configuration
        return int(self._digest[:15], 16)

    @property
    def digest(self) -> str:
        """SHA-256 of the configuration, hexadecimal."""
        return self._digest

    @classmethod
    def parse(cls, data: dict[str, Any], where: str | Callable[[Keys], str] = "configuration") -> Self:
        """Validate ``data``; the first mistake becomes one line that names the key, the rule and the value.

        ``where`` says what ``data`` came from; given the path of a key, a function can say more (a file's line).
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = where if isinstance(where, str) else where(first["loc"])
            raise InputError(f"{place}: {_explain(cls, first)}") from None


def _explain(cls: type[Config], error: dict[str, Any]) -> str:
    path = ".".join(str(part) for part in error["loc"]).removesuffix(".int").removesuffix(".str")  # tags of a union
    if error["type"] == "extra_forbidden":
        close = _closest(cls, error["loc"])
        return f"unknown key {path!r}" + (f"; did you mean {close!r}?" if close else "")
    if error["type"] == "missing":
        return f"key {path!r} is missing"
    message = error["msg"].removeprefix("Value error, ")
    if not path or error["type"] == "value_error":
        return f"{path + ': ' if path else ''}{message}"
    return f"{path}: {message[0].lower() + message[1:]}, not {error['input']!r}"


def _closest(cls: type[Config], unknown: Keys) -> str | None:
    """The dotted path of the known key that ``unknown`` was meant to be: misplaced, a misspelt sibling, misspelt."""
    known = {path[-1]: path for path in _paths(cls)}
    siblings = {path[-1]: path for path in _paths(cls) if path[:-1] == unknown[:-1]}
    for paths, cutoff in ((known, 1.0), (siblings, 0.6), (known, 0.6)):
        if close := difflib.get_close_matches(str(unknown[-1]), paths, n=1, cutoff=cutoff):
            return ".".join(paths[close[0]])
    return None


def _paths(cls: type[Config], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a configuration and of those inside it."""
    for name, field in cls.model_fields.items():
        path = (*prefix, field.alias or name)
        yield path
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Config):
                yield from _paths(kind, path)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _is_power_of_two(value: int) -> bool:
    return value & (value - 1) == 0


class NeuronConfig(Config):
    """A neuron model in hardware: register widths, and for each parameter whether it is folded into logic or a table.

    ``parameters`` maps a name to an integer, to the name of a choice, or to ``"per_population"`` / ``"per_neuron"``.
    What is not mentioned is the constant default of the model.
    """

    model: str = "lif"
    state_bits: dict[str, int] = {}
    parameters: dict[str, int | str] = {
        "threshold": "per_population", "leak_shift": "per_population", "bias": "per_neuron",
    }  # fmt: skip

    @model_validator(mode="after")
    def _check(self):
        spec = self.spec
        names = [state.name for state in spec.STATE if not state.fixed and state.signed]
        for name, bits in self.state_bits.items():
            _require(
                name in names, f"{self.model} has no register {name!r} with a free width; it has {', '.join(names)}"
            )
            _require(2 <= bits <= 32, f"state_bits.{name} is 2..32, not {bits}")
        known = [parameter.name for parameter in spec.PARAMETERS]
        for name, value in self.parameters.items():
            _require(name in known, f"{self.model} has no parameter {name!r}; it has {', '.join(known)}")
            if value not in SCOPES:
                self.parameter(name).parse(value, self.widths, self.model)
        return self

    @property
    def spec(self):
        """The model's specification module."""
        return neurons.model(self.model)

    def parameter(self, name: str) -> neurons.Parameter:
        return next(parameter for parameter in self.spec.PARAMETERS if parameter.name == name)

    @cached_property
    def widths(self) -> dict[str, int]:
        """Width of every register; ``refractory`` vanishes where no refractory period can occur."""
        widths = {state.name: self.state_bits.get(state.name, state.bits) for state in self.spec.STATE}
        if "refractory" in widths and self.parameters.get("refractory_ticks", 0) == 0:
            widths["refractory"] = 0
        return widths

    @cached_property
    def constants(self) -> dict[str, int]:
        """Parameters folded into logic, as integers."""
        return {
            parameter.name: parameter.parse(
                self.parameters.get(parameter.name, parameter.default), self.widths, self.model
            )
            for parameter in self.spec.PARAMETERS
            if self.parameters.get(parameter.name) not in SCOPES
        }

    def tabled(self, scope: Scope) -> list[neurons.Parameter]:
        """Parameters that live in the table of ``scope``, in the model's order."""
        return [p for p in self.spec.PARAMETERS if self.parameters.get(p.name) == scope]

    @cached_property
    def state_layout(self) -> Layout:
        """The state row of one neuron."""
        return Layout(
            "state",
            tuple(BitField(state.name, self.widths[state.name], state.doc, state.signed) for state in self.spec.STATE),
        )

    @cached_property
    def parameter_layout(self) -> Layout:
        """The per-neuron parameter row of one neuron."""
        return Layout("neuron", tuple(p.field(self.widths) for p in self.tabled("per_neuron")))


class CoreConfig(Config):
    """One neuron core: ``axons`` inputs, ``neurons`` neurons on ``lanes`` lanes, synapses in ``banks`` banks.

    ``banks * lanes`` synaptic operations per clock. Neuron n sits in group ``n // lanes``, lane ``n % lanes``; axon a
    in bank ``a % banks`` at local index ``a // banks``.
    """

    axons: Annotated[int, Field(ge=1, le=4096, description="input lines A")] = 256
    neurons: Annotated[int, Field(ge=1, le=4096, description="neurons N")] = 256
    store: Annotated[str, Field(description="how synapses are kept: one of the synapse stores")] = "dense"
    lanes: Annotated[Count, Field(le=256, description="lanes P, a power of two")] = 32
    banks: Annotated[Count, Field(le=64, description="synapse banks K, a power of two")] = 4
    update_lanes: Annotated[Count, Field(description="neurons U updated per clock, a power of two, at most lanes")] = 4
    weight_bits: Annotated[int, Field(ge=2, le=16, description="signed weight width")] = 4
    accumulator_bits: Annotated[int, Field(ge=4, le=40, description="signed width of one tick's input sum")] = 12
    payload_bits: Annotated[int, Field(ge=0, le=16, description="width of graded payloads; 0: binary events")] = 0
    payload_signed: Annotated[bool, Field(description="payloads are two's complement")] = False
    graded: Annotated[bool, Field(description="populations may send values, or pass sums on, as payloads")] = False
    delay_slots: Annotated[int, Field(ge=2, le=64, description="slots D, a power of two; delays 1..D-1")] = 16
    slot_word_bits: Annotated[
        int, Field(ge=1, le=64, description="axons in one word of the slot bitmap, a power of two")
    ] = 16
    synapse_rows: Annotated[
        int, Field(ge=0, description="rows of P weights per bank; 0: every axon to every group")
    ] = 0
    synapse_memory: Annotated[
        Literal["block", "spram"],
        Field(description="spram: memory with one port that is empty at power-up, as an iCE40UP5K's SPRAM"),
    ] = "block"
    ranges: Annotated[int, Field(ge=1, le=16, description="dense: different group ranges that axons may name")] = 1
    geometries: Annotated[int, Field(ge=1, le=16, description="conv: different geometries that axons may name")] = 1
    routes: Annotated[Count, Field(le=65536, description="route entries")] = 256
    accumulators: Literal["distributed", "block"] = "distributed"
    image_memories: Annotated[
        Literal["any", "block"],
        Field(description="block: block RAMs, whose contents a finished bitstream can exchange"),
    ] = "any"
    memory_registers: Annotated[
        bool,
        Field(description="one more register behind the memories of axons, synapses and routes: faster, a clock each"),
    ] = False
    values: Annotated[bool, Field(description="populations may deliver their membrane potential")] = False
    writable: Annotated[bool, Field(description="the image can be loaded at run time")] = True
    counter_bits: Annotated[int, Field(ge=0, le=32, description="width of the activity counters; 0: none")] = 32
    neuron: NeuronConfig = NeuronConfig()

    @model_validator(mode="after")
    def _check(self):
        store = synapses.store(self.store)
        for name in ("lanes", "banks", "update_lanes", "delay_slots", "slot_word_bits"):
            _require(_is_power_of_two(getattr(self, name)), f"{name} is a power of two, not {getattr(self, name)}")
        _require(
            self.update_lanes <= self.lanes, f"update_lanes is at most lanes ({self.lanes}), not {self.update_lanes}"
        )
        _require(self.banks <= self.axons, f"banks is at most axons ({self.axons}), not {self.banks}")
        _require(self.writable or not self.starts_empty, "synapse_memory spram has to be writable")
        if self.payload_signed:
            _require(self.payload_bits >= 2, f"signed payloads have at least 2 bits, not {self.payload_bits}")
        if hasattr(store, "check"):
            store.check(self)
        if self.values:
            _require("v" in self.neuron.widths, f"{self.neuron.model} has no membrane potential to deliver as a value")
        return self

    @property
    def groups(self) -> int:
        """G = ceil(N / P)."""
        return -(-self.neurons // self.lanes)

    @property
    def subgroups(self) -> int:
        """Update cycles per group, P / U."""
        return self.lanes // self.update_lanes

    @property
    def bank_axons(self) -> int:
        """Axons per bank, ceil(A / K)."""
        return -(-self.axons // self.banks)

    @property
    def bank_words(self) -> int:
        """Words of the slot bitmap per bank and slot."""
        return -(-self.bank_axons // self.slot_word_bits)

    @property
    def rows(self) -> int:
        """Synapse rows per bank."""
        return self.synapse_rows or self.bank_axons * self.groups

    @property
    def starts_empty(self) -> bool:
        """Whether synapses are in memory that has no contents at power-up: the image has to be loaded."""
        return self.synapse_memory == "spram"

    @property
    def operations(self) -> int:
        """Synaptic operations per clock."""
        return self.banks * self.lanes

    @property
    def walks(self) -> int:
        """Rows of the table that axon rows name."""
        return synapses.store(self.store).walks(self)

    def table_rows(self, rows: int) -> int:
        """Depth of the memory that holds ``rows`` rows of the image; a multiple of ``SLICE_ROWS`` in block RAM.

        So a slice of a column that fills a block RAM, or what is left of one, is long enough to be recognised.
        """
        return rows if self.image_memories == "any" else -(-rows // SLICE_ROWS) * SLICE_ROWS

    @property
    def value_bits(self) -> int:
        """Width of a delivered membrane potential; 0 where values are not delivered."""
        return self.neuron.widths["v"] if self.values else 0

    @property
    def payload_range(self) -> tuple[int, int]:
        """Smallest and largest payload of an event; binary events count as 1."""
        if not self.payload_bits:
            return 0, 1
        return signed_range(self.payload_bits) if self.payload_signed else unsigned_range(self.payload_bits)

    @property
    def carried_bits(self) -> int:
        """Width of what a neuron that does not merely spike hands to its routes: a value, or a payload."""
        return max(self.value_bits, self.payload_bits if self.graded else 0)

    @property
    def axon_bits(self) -> int:
        return index_bits(self.axons)

    @property
    def slot_bits(self) -> int:
        return index_bits(self.delay_slots)

    @property
    def group_bits(self) -> int:
        return index_bits(self.groups)


class EncoderConfig(Config):
    """The encoder of pixels: ``lines`` of them make one sample of ``steps`` steps. All its parameters are constants.

    Each line has ``ways`` entries in the encoder's table: where its events go.
    """

    name: Annotated[str, Field(description="how pixels become events: one of the encoders")]
    lines: Annotated[Count, Field(le=1 << 16, description="pixels of a sample, one for each input line")]
    steps: Annotated[Count, Field(le=4096, description="T, steps of a sample")]
    ways: Annotated[Count, Field(le=64, description="entries of a line: rectangles of cores that its events go to")] = 1
    parameters: dict[str, int] = {}

    @model_validator(mode="after")
    def _check(self):
        known = [parameter.name for parameter in self.spec.PARAMETERS]
        for name in self.parameters:
            _require(name in known, f"encoder {self.name} has no parameter {name!r}; it has {', '.join(known)}")
        _ = self.constants
        return self

    @property
    def spec(self):
        """The encoder's specification module."""
        return encoders.encoder(self.name)

    @cached_property
    def constants(self) -> dict[str, int]:
        """Every parameter's value."""
        return {
            item.name: item.parse(self.parameters.get(item.name, item.default), f"encoder {self.name}")
            for item in self.spec.PARAMETERS
        }

    @property
    def full(self) -> int:
        """The brightest pixel."""
        return self.constants["full"]

    @property
    def line_bits(self) -> int:
        """Width of the number of a line."""
        return index_bits(self.lines)

    @property
    def entries(self) -> int:
        """Rows of the table that says where events go."""
        return self.ways * self.lines


class FabricConfig(Config):
    """A ``width`` x ``height`` mesh of equal cores with one host port at the north of router (0, 0)."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="top module")] = "fabric"
    width: Annotated[int, Field(ge=1, le=16)] = 1
    height: Annotated[int, Field(ge=1, le=16)] = 1
    lines: Annotated[Count, Field(le=1 << 20, description="output lines that the host can tell apart")] = 256
    host_port: Annotated[
        Literal["full", "small"],
        Field(
            description="small: no real time, 16-bit counts, settings are not read back, a command word in two clocks"
        ),
    ] = "full"
    queue_depth: Annotated[int, Field(ge=2, le=16, description="flits per router input queue")] = 2
    depth_bits: Annotated[int, Field(ge=1, le=12, description="width of a population's depth in ticks")] = 6
    phase_bits: Annotated[int, Field(ge=0, le=6, description="width of tick mod M")] = 3
    core: CoreConfig = CoreConfig()
    encoder: Annotated[EncoderConfig | None, Field(description="makes events of pixels beside the host port")] = None

    @model_serializer(mode="wrap")
    def _dump(self, serialise) -> dict[str, Any]:
        """Nothing is said of an encoder that is not there: such a fabric is the one that has never heard of any."""
        found = serialise(self)
        return {key: value for key, value in found.items() if key != "encoder" or value is not None}

    @model_validator(mode="after")
    def _check(self):
        _require(self.name not in KEYWORDS, f"name {self.name!r} is a reserved word of Verilog")
        bits = 2 * (self.x_bits + self.y_bits) + self.core.axon_bits + self.core.payload_bits
        _require(
            bits <= HOST_WORD_BITS,
            f"an event takes {bits} bits (2x{self.x_bits + self.y_bits} of coordinates, {self.core.axon_bits} of axon,"
            f" {self.core.payload_bits} of payload) and a host word has {HOST_WORD_BITS}",
        )
        if self.encoder is not None:
            self._check_encoder(self.encoder)
        return self

    def _check_encoder(self, encoder: EncoderConfig) -> None:
        bits = 1 + 2 * (self.x_bits + self.y_bits) + self.core.axon_bits + self.core.slot_bits
        _require(bits <= HOST_WORD_BITS, f"an encoder's entry takes {bits} bits and a host word has {HOST_WORD_BITS}")
        least = encoder.full if encoder.spec.GRADED else 1
        _require(
            self.core.payload_range[1] >= least,
            f"encoder {encoder.name} sends payloads up to {least}, core.payload_bits {self.core.payload_bits}"
            f"{' signed' if self.core.payload_signed else ''} holds {self.core.payload_range[1]}",
        )

    @property
    def operations(self) -> int:
        """Synaptic operations per clock of all cores."""
        return self.nodes * self.core.operations

    @property
    def host_count_bits(self) -> int:
        """Width of what the host port counts: clocks of a tick, events refused, errors."""
        return HOST_WORD_BITS if self.host_port == "full" else 16

    @property
    def x_bits(self) -> int:
        return index_bits(self.width)

    @property
    def y_bits(self) -> int:
        return index_bits(self.height)

    @property
    def line_bits(self) -> int:
        return index_bits(self.lines)

    @property
    def nodes(self) -> int:
        return self.width * self.height
