"""An image, decoded into arrays over the whole fabric.

Axons, groups and neurons of all cores are numbered through: axon a of core c is ``c * A + a``, group g ``c * G + g``,
neuron n ``c * G * P + n``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurogen.spec.errors import InputError
from neurogen.spec.image import Image

from . import routing, synapses


class Ragged:
    """Lists of different lengths in one array: list i is ``values[starts[i] : starts[i] + counts[i]]``."""

    def __init__(self, starts: np.ndarray, counts: np.ndarray, values: np.ndarray):
        self.starts, self.counts, self.values = starts, counts, values

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> "Ragged":
        lists = [np.asarray(items, dtype=np.int64) for items in lists]
        counts = np.array([len(items) for items in lists], dtype=np.int64)
        return cls(np.cumsum(counts) - counts, counts, np.concatenate([*lists, np.zeros(0, dtype=np.int64)]))

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lists ``indices`` one after the other, and for each item the position in ``indices`` it came from."""
        counts = self.counts[indices]
        owner = np.repeat(np.arange(len(indices)), counts)
        skipped = np.cumsum(counts) - counts
        return self.values[np.arange(len(owner)) + (self.starts[indices] - skipped)[owner]], owner


@dataclass(frozen=True)
class Tables:
    """See the module. Raises InputError for an image whose tables point outside the memories or the mesh."""

    image: Image

    def __post_init__(self):
        _ = self.store

    def column(self, table: str, name: str) -> np.ndarray:
        """A column of a per-core table, all cores one after the other: (cores, ...), int64; 0 where it is missing."""
        core = self.image.config.core
        lanes = core.groups * core.lanes
        sizes = {
            "walks": core.walks,
            "groups": core.groups,
            "neurons": lanes,
            "pointers": lanes,
            "routes": core.routes,
        }
        missing = np.zeros((core.banks, core.bank_axons) if table == "axons" else sizes[table], dtype=np.int64)
        columns = [getattr(item, table).get(name, missing) for item in self.image.cores]
        return np.stack([np.asarray(column, dtype=np.int64) for column in columns])

    @property
    def nodes(self) -> int:
        return len(self.image.cores)

    # Axons: (C * A,)

    def axon_column(self, name: str) -> np.ndarray:
        core = self.image.config.core
        axon = np.arange(core.axons)
        return self.column("axons", name)[:, axon % core.banks, axon // core.banks].ravel()

    @cached_property
    def axon_core(self) -> np.ndarray:
        return np.repeat(np.arange(self.nodes), self.image.config.core.axons)

    def check_axons(self, wrong: np.ndarray, what: str = "") -> None:
        """Raises InputError for the first axon that is ``wrong`` (C * A,); what is, by default its synapse rows."""
        core = self.image.config.core
        if wrong.any():
            node, axon = divmod(int(np.argmax(wrong)), core.axons)
            what = what or f"its rows end beyond the {core.rows} rows of a synapse bank"
            raise InputError(f"core {node}: axon {axon}: {what}")

    # Synapses

    @cached_property
    def store(self):
        """The synapse store, over the whole fabric."""
        return synapses.stores()[self.image.config.core.store].Store(self)

    @cached_property
    def _synapses(self) -> dict[str, np.ndarray]:
        """(C, K, rows, P) each; weights as int16."""
        found = {"weight": np.stack([item.synapses for item in self.image.cores]).astype(np.int16)}
        names = self.image.cores[0].targets
        return found | {name: np.stack([item.targets[name] for item in self.image.cores]) for name in names}

    def synapse_rows(self, axons: np.ndarray, rows: np.ndarray, field: str = "weight") -> np.ndarray:
        """(n, P): rows ``rows`` (n,) of the banks of ``axons`` (n,)."""
        core = self.image.config.core
        return self._synapses[field][self.axon_core[axons], axons % core.axons % core.banks, rows]

    @cached_property
    def proved(self) -> bool:
        """Whether no events at all can make a sum of positive or of negative products leave the accumulator."""
        core = self.image.config.core
        axons, (least, most) = np.arange(self.nodes * core.axons), core.payload_range
        positive = self.store.sums(axons, part=lambda weights: np.maximum(weights, 0))
        negative = self.store.sums(axons, part=lambda weights: np.minimum(weights, 0))
        high, low = positive * most + negative * least, positive * least + negative * most
        limit = 1 << (core.accumulator_bits - 1)
        return not (((high >= limit) | (low < -limit)) & self.real).any()

    # Groups: (C * G,); parameters broadcast against (C * G, P)

    def _group_column(self, name: str) -> np.ndarray:
        return self.column("groups", name).ravel()

    @cached_property
    def used(self) -> np.ndarray:
        return self.real.any(axis=1)

    @cached_property
    def depth(self) -> np.ndarray:
        return self._group_column("depth")

    @cached_property
    def phase(self) -> np.ndarray:
        return self._group_column("phase")

    @cached_property
    def delivers(self) -> np.ndarray:
        """(C * G,) bool: the group's neurons carry values instead of spikes."""
        return self.graded | self._group_column("value").astype(bool)

    @cached_property
    def graded(self) -> np.ndarray:
        """(C * G,) bool: what they carry is the payload of an event, and 0 is none."""
        return self._group_column("graded").astype(bool)

    @cached_property
    def relays(self) -> np.ndarray:
        """(C * G,) bool: what they carry is their input sum, and their state stays."""
        return self.graded & (self._group_column("value") == 0)

    @cached_property
    def parameters(self) -> dict[str, int | np.ndarray]:
        """Every parameter of the model: an int, (C * G, 1) or (C * G, P)."""
        core = self.image.config.core
        found: dict[str, int | np.ndarray] = dict(core.neuron.constants)
        found |= {p.name: self._group_column(p.name)[:, None] for p in core.neuron.tabled("per_population")}
        tabled = core.neuron.tabled("per_neuron")
        return found | {p.name: self.column("neurons", p.name).reshape(-1, core.lanes) for p in tabled}

    @cached_property
    def working_parameters(self) -> dict[str, int | np.ndarray]:
        """``parameters`` as far as they matter in used groups: an int where all of those agree."""
        found = {}
        for name, values in self.parameters.items():
            live = np.asarray(values)[self.used] if np.ndim(values) else np.asarray([values])
            found[name] = int(live.flat[0]) if live.size and (live == live.flat[0]).all() else values
        return found

    @cached_property
    def real(self) -> np.ndarray:
        """(C * G, P) bool: the lane holds one of the neurons of its group."""
        return np.arange(self.image.config.core.lanes) < self._group_column("size")[:, None]

    # Routes: (C * routes,), and the paths that they take

    @cached_property
    def neuron_routes(self) -> Ragged:
        """Neuron -> its route entries."""
        entries = self.image.config.core.routes
        base = np.arange(len(self.image.cores))[:, None] * entries
        first, count = self.column("pointers", "first"), self.column("pointers", "count")
        if (first + count > entries).any():
            raise InputError(f"a neuron's routes end beyond the {entries} route entries of its core")
        return Ragged((first + base).ravel(), count.ravel(), np.arange(len(self.image.cores) * entries))

    def _route_column(self, name: str) -> np.ndarray:
        return self.column("routes", name).ravel()

    @cached_property
    def route_host(self) -> np.ndarray:
        return self._route_column("host").astype(bool)

    @cached_property
    def route_axon(self) -> np.ndarray:
        return self._route_column("axon")

    @cached_property
    def route_delay(self) -> np.ndarray:
        return self._route_column("delay")

    @cached_property
    def route_line(self) -> np.ndarray:
        return self._route_column("line")

    @cached_property
    def _paths(self) -> tuple[np.ndarray, Ragged, Ragged]:
        config = self.image.config
        keys = np.stack([self._route_column(name) for name in ("host", "x0", "x1", "y0", "y1")], axis=1)
        keys = np.column_stack([np.repeat(np.arange(len(self.image.cores)), config.core.routes), keys])
        keys[keys[:, 1] == 1, 2:] = 0
        unique, path = np.unique(keys, axis=0, return_inverse=True)
        targets, hops = [], []
        for source, host, *rectangle in unique.tolist():
            at = (source % config.width, source // config.width)
            if host:
                targets.append([])
                hops.append(node_numbers(routing.sends_to_host(at), config.width))
            else:
                check_rectangle(rectangle, config)
                targets.append(node_numbers(routing.cores(rectangle), config.width))
                hops.append(node_numbers(routing.sends_to_cores(at, rectangle), config.width))
        return path.ravel(), Ragged.of(targets), Ragged.of(hops)

    @property
    def route_path(self) -> np.ndarray:
        """Route entry -> path."""
        return self._paths[0]

    @property
    def path_targets(self) -> Ragged:
        """Path -> the cores that it delivers to."""
        return self._paths[1]

    @property
    def path_hops(self) -> Ragged:
        """Path -> the node of every flit that a router sends along it."""
        return self._paths[2]


def node_numbers(nodes: Iterable[routing.Node], width: int) -> list[int]:
    """Row-major numbers of nodes."""
    return [y * width + x for x, y in nodes]


def check_rectangle(rectangle, config) -> None:
    """Raises InputError unless x0, x1, y0, y1 is a rectangle of the mesh."""
    x0, x1, y0, y1 = rectangle
    if not (0 <= x0 <= x1 < config.width and 0 <= y0 <= y1 < config.height):
        raise InputError(
            f"columns {x0}..{x1}, rows {y0}..{y1} are no rectangle of a {config.width}x{config.height} mesh"
        )
