"""The image: every integer that a fabric needs to run one network, and the maps that tools need to talk to it."""

import hashlib
import io
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from . import archive, memory_map, rows
from .config import FabricConfig
from .errors import InputError
from .fields import bits_to_words
from .memory_map import Region

FORMAT = 2


@dataclass(frozen=True)
class CoreImage:
    """One core's memories as integers. Missing columns of a table are 0."""

    axons: dict[str, np.ndarray]  # base and what else the synapse store needs: (K, axons per bank)
    synapses: np.ndarray  # weights: (K, rows, P) signed
    targets: dict[str, np.ndarray]  # what the store keeps beside each weight: (K, rows, P); sparse: group
    walks: dict[str, np.ndarray]  # what axons name; dense: first, last; conv: row_stride, group_stride: (walks,)
    groups: dict[str, np.ndarray]  # size, depth, phase, value, graded, per-population parameters: (G,)
    neurons: dict[str, np.ndarray]  # per-neuron parameters: (G * P,)
    pointers: dict[str, np.ndarray]  # first, count: (G * P,)
    routes: dict[str, np.ndarray]  # host, x0, x1, y0, y1, axon, delay, line: (routes,)

    @classmethod
    def empty(cls, config: FabricConfig) -> "CoreImage":
        """All zeros: a core without populations."""
        core = config.core
        lanes, weights = core.groups * core.lanes, (core.banks, core.rows, core.lanes)

        def table(layout, shape):
            return {item.name: np.zeros(shape, dtype=np.int64) for item in layout.fields} if layout else {}

        return cls(
            axons=table(rows.axon(config), (core.banks, core.bank_axons)),
            synapses=np.zeros(weights, dtype=np.int64),
            targets={item.name: np.zeros(weights, dtype=np.int64) for item in rows.synapse(config).fields[1:]},
            walks=table(rows.walk(config), core.walks),
            groups=table(rows.group(config), core.groups),
            neurons=table(core.neuron.parameter_layout, lanes),
            pointers=table(rows.pointer(config), lanes),
            routes=table(rows.route_to_core(config), core.routes) | {"line": np.zeros(core.routes, dtype=np.int64)},
        )

    def region_bits(self, config: FabricConfig) -> dict[Region, np.ndarray]:
        """The writable memories as bits, (banks, rows, width) each, in the regions' order."""
        core = config.core
        units, walk = (core.groups * core.subgroups, core.update_lanes), rows.walk(config)
        synapses = rows.synapse(config).to_bits(weight=self.synapses, **self.targets)
        neurons = core.neuron.parameter_layout.to_bits(**{k: v.reshape(units) for k, v in self.neurons.items()})
        found = {
            Region.AXONS: rows.axon(config).to_bits(**self.axons),
            Region.SYNAPSES: synapses.reshape(*self.synapses.shape[:2], -1),
            Region.WALKS: walk.to_bits(**self.walks)[None] if walk else None,
            Region.GROUPS: rows.group(config).to_bits(**self.groups)[None],
            Region.NEURONS: neurons.reshape(1, units[0], -1),
            Region.POINTERS: rows.pointer(config).to_bits(**self.pointers)[None],
            Region.ROUTES: self._route_bits(config)[None],
        }
        return {region: bits for region, bits in found.items() if region in memory_map.shapes(config)}

    def _route_bits(self, config: FabricConfig) -> np.ndarray:
        to_core, to_host = rows.route_to_core(config), rows.route_to_host(config)
        host = self.routes["host"].astype(bool)
        bits = np.zeros((len(host), rows.route_bits(config)), dtype=np.uint8)
        bits[~host, : to_core.width] = to_core.to_bits(**{f.name: self.routes[f.name][~host] for f in to_core.fields})
        bits[host, : to_host.width] = to_host.to_bits(**{f.name: self.routes[f.name][host] for f in to_host.fields})
        return bits


@dataclass(frozen=True, eq=False)
class Placement:
    """Neurons of a population at core ``core``: ``neurons[i]`` of the population is the core's neuron ``places[i]``.

    ``neurons`` ascend; ``places`` need not, because each synapse store asks for an order of its own.
    """

    population: str
    core: int
    neurons: np.ndarray
    places: np.ndarray

    @classmethod
    def block(cls, population: str, first: int, count: int, core: int, neuron: int) -> "Placement":
        """``count`` neurons from ``first`` on, in order, from the core's neuron ``neuron`` on."""
        return cls(population, core, np.arange(first, first + count), np.arange(neuron, neuron + count))

    @property
    def count(self) -> int:
        return len(self.neurons)

    def place_of(self, neuron: int) -> int | None:
        """Where a neuron of the population sits, if it is here."""
        at = int(np.searchsorted(self.neurons, neuron))
        return int(self.places[at]) if at < self.count and self.neurons[at] == neuron else None

    def __str__(self) -> str:
        first, last = self.neurons[0], self.neurons[-1]
        which = f"{first}..{last}" if last - first < self.count else f"{self.count} of {first}..{last}"
        return f"{which} from neuron {self.places.min()} on"


@dataclass(frozen=True)
class Image:
    """What runs on a fabric. ``cores`` is row major (index y * width + x)."""

    config: FabricConfig
    cores: tuple[CoreImage, ...]
    inputs: dict[str, np.ndarray]  # input name -> (entries, 7): index, x0, x1, y0, y1, axon, delay in ticks (>= 0)
    input_sizes: dict[str, int]
    input_payload_bits: dict[str, int]
    outputs: tuple[dict, ...]  # {"population", "values", "size", "first_line", "depth"}; line = first_line + index
    placements: tuple[Placement, ...]
    step_ticks: int = 1  # M
    depth: int = 0  # largest depth of a population, ticks
    network_digest: str = ""
    metadata: dict = field(default_factory=dict)
    overlappable: bool = False  # no recurrent or delayed event can cross a sample boundary

    def can_overlap(self, steps: int) -> bool:
        """Whether samples of ``steps`` steps may follow each other at once."""
        return self.overlappable and self.depth < steps * self.step_ticks

    def entry_bits(self) -> np.ndarray:
        """The encoder's table as bits, (entries, width).

        Raises InputError for an image that does not have one input of the encoder's size, or more entries for a line.
        """
        encoder = self.config.encoder
        if list(self.input_sizes.values()) != [encoder.lines]:
            sizes = ", ".join(f"{name!r} of {size}" for name, size in self.input_sizes.items())
            raise InputError(f"the encoder feeds one input of {encoder.lines} lines; there is {sizes}")
        ((name, table),) = self.inputs.items()
        table = table[np.lexsort(table.T[::-1])]
        way = np.arange(len(table)) - np.searchsorted(table[:, 0], table[:, 0])
        if way.max(initial=-1) >= encoder.ways:
            raise InputError(f"a line of input {name!r} goes to {way.max() + 1} places; encoder.ways is {encoder.ways}")
        layout = rows.entry(self.config)
        found = np.zeros((encoder.entries, len(layout.fields)), dtype=np.int64)
        found[way * encoder.lines + table[:, 0]] = np.column_stack([np.ones(len(table), dtype=np.int64), table[:, 1:]])
        return layout.to_bits(**dict(zip((item.name for item in layout.fields), found.T, strict=True)))

    def config_writes(self) -> list[tuple[int, int, np.ndarray]]:
        """(core, address, words uint16) blocks that load the image, zero rows included."""
        blocks = []
        for index, core in enumerate(self.cores):
            for region, bits in core.region_bits(self.config).items():
                for bank, rows_bits in enumerate(bits):
                    at = memory_map.address(self.config).pack(region=int(region), bank=bank, row=0, word=0)
                    blocks.append((index, at, bits_to_words(rows_bits).ravel()))
        return blocks

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(_serialise(self)).hexdigest()

    def save(self, path: Path) -> None:
        Path(path).write_bytes(_serialise(self))

    @classmethod
    def load(cls, path: Path) -> "Image":
        """Read what :meth:`save` wrote. Raises InputError if the file is anything else."""
        header, arrays = archive.read(path, "image", FORMAT)
        header.pop("format")
        cores = []
        for index in range(header.pop("cores")):
            prefix = f"core.{index}."
            tables: dict = {name: {} for name in _TABLES}
            for key, values in arrays.items():
                name, _, column = key.removeprefix(prefix).partition(".")
                if key.startswith(prefix) and column:
                    tables[name][column] = values
            cores.append(CoreImage(synapses=arrays[f"{prefix}synapses"], **tables))
        return cls(
            config=FabricConfig.parse(header.pop("config"), str(path)),
            cores=tuple(cores),
            inputs={name: arrays[f"input.{i}"] for i, name in enumerate(header["input_sizes"])},
            outputs=tuple(header.pop("outputs")),
            placements=tuple(
                Placement(**item, neurons=arrays[f"placement.{i}.neurons"], places=arrays[f"placement.{i}.places"])
                for i, item in enumerate(header.pop("placements"))
            ),
            **header,
        )


_TABLES = ("axons", "targets", "walks", "groups", "neurons", "pointers", "routes")


def _serialise(image: Image) -> bytes:
    arrays: dict[str, np.ndarray] = {}
    for index, core in enumerate(image.cores):
        arrays[f"core.{index}.synapses"] = core.synapses
        for name in _TABLES:
            for column, values in getattr(core, name).items():
                arrays[f"core.{index}.{name}.{column}"] = values
    for i, name in enumerate(image.input_sizes):
        arrays[f"input.{i}"] = image.inputs[name]
    for i, item in enumerate(image.placements):
        arrays |= {f"placement.{i}.neurons": item.neurons, f"placement.{i}.places": item.places}
    header = {
        "format": FORMAT,
        "config": image.config.model_dump(),
        "cores": len(image.cores),
        "input_sizes": image.input_sizes,
        "input_payload_bits": image.input_payload_bits,
        "outputs": list(image.outputs),
        "placements": [{"population": item.population, "core": item.core} for item in image.placements],
        "step_ticks": image.step_ticks,
        "depth": image.depth,
        "network_digest": image.network_digest,
        "metadata": image.metadata,
        "overlappable": image.overlappable,
    }
    arrays["neurogen_image"] = np.array(json.dumps(header, sort_keys=False))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
