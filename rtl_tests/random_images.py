"""Random images of one core: tables that no compiler would write, so that every path through a core is busy at times.

Axons walk synapses in any order, neurons have no routes or several, and some groups are not used, or deliver values.
Every axon still has one source and one delay.
"""

import numpy as np

from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.fixed import Reset, signed_range
from neurogen.spec.image import CoreImage, Image

ROUTES = (0, 0, 1, 1, 2, 5)
DENSITIES = (0.0, 0.0, 0.05, 0.3, 1.0)


def random_image(config: FabricConfig, rng: np.random.Generator) -> Image:
    """An image of a 1x1 fabric, with an input ``in`` of one line for every axon that is not its own neurons'."""
    core, memory = config.core, CoreImage.empty(config)
    draw_synapses(config, memory, rng)
    _draw_neurons(config, memory, rng)
    own = rng.permutation(core.axons)[: core.axons // 2]
    _draw_routes(config, memory, rng, iter(own.tolist()))
    free = np.setdiff1d(np.arange(core.axons), own)
    entries = np.zeros((len(free), 7), dtype=np.int64)
    entries[:, 0], entries[:, 5] = np.arange(len(free)), free
    return Image(
        config=config,
        cores=(memory,),
        inputs={"in": entries},
        input_sizes={"in": len(free)},
        input_payload_bits={"in": core.payload_bits},
        outputs=(),
        placements=(),
    )


def draw_synapses(config: FabricConfig, memory: CoreImage, rng: np.random.Generator) -> None:
    """Axon rows, what they name, and weights that cannot overflow the accumulators."""
    core = config.core
    draws = {"dense": _draw_ranges, "full": _draw_nothing, "conv": _draw_lines, "sparse": _draw_lists}
    draws[core.store](core, memory, rng)
    low, high = signed_range(core.weight_bits)
    most = core.axons * max(1, (1 << core.payload_bits) - 1)
    limit = signed_range(core.accumulator_bits)[1] // (most * (core.groups if core.store == "sparse" else 1))
    memory.synapses[:] = rng.integers(max(low, -limit), min(high, limit) + 1, size=memory.synapses.shape)


def _draw_ranges(core: CoreConfig, memory: CoreImage, rng: np.random.Generator) -> None:
    groups = np.sort(rng.integers(core.groups, size=(2, core.ranges)), axis=0)
    memory.walks["first"][:], memory.walks["last"][:] = groups
    axons = memory.axons["base"].shape
    memory.axons["base"][:] = rng.integers(core.rows - core.groups + 1, size=axons)
    memory.axons["range"][:] = rng.integers(core.ranges, size=axons)


def _draw_nothing(core: CoreConfig, memory: CoreImage, rng: np.random.Generator) -> None:
    """There is no table."""


def _draw_lines(core: CoreConfig, memory: CoreImage, rng: np.random.Generator) -> None:
    """Lines whose rows and groups exist; one axon in five reaches nothing."""
    memory.walks["row_stride"][:] = rng.integers(min(core.rows, 2 * core.groups), size=core.walks)
    memory.walks["group_stride"][:] = rng.integers(core.groups, size=core.walks)
    for place in np.ndindex(memory.axons["base"].shape):
        geometry = rng.integers(core.walks)
        rows, groups = (int(memory.walks[name][geometry]) for name in ("row_stride", "group_stride"))
        length = int(rng.integers(1, core.groups + 1))
        most = min((core.groups - length) // max(groups, 1), (core.rows - length) // max(rows, 1), core.groups - 1)
        lines = int(rng.integers(1, most + 2))
        row = {
            "base": rng.integers(core.rows - length - (lines - 1) * rows + 1),
            "first": rng.integers(core.groups - length - (lines - 1) * groups + 1),
            "length": length * (rng.random() < 0.8),
            "lines": lines,
            "geometry": geometry,
        }
        for name, value in row.items():
            memory.axons[name][place] = value


def _draw_lists(core: CoreConfig, memory: CoreImage, rng: np.random.Generator) -> None:
    """Lists of any length; lanes of one row, and rows of one list, repeat groups."""
    memory.targets["group"][:] = rng.integers(core.groups, size=memory.synapses.shape)
    count = rng.integers(core.groups + 1, size=memory.axons["base"].shape)
    memory.axons["count"][:] = count
    memory.axons["base"][:] = rng.integers(core.rows - count + 1)


def _draw_neurons(config: FabricConfig, memory: CoreImage, rng: np.random.Generator) -> None:
    core = config.core
    sizes = np.where(rng.random(core.groups) < 0.8, core.lanes, rng.integers(core.lanes + 1, size=core.groups))
    memory.groups["size"][:] = np.minimum(sizes, core.neurons - core.lanes * np.arange(core.groups))
    delivers = rng.random(core.groups) < rng.choice([0.0, 0.2, 0.8])
    delivers[rng.integers(1, core.groups + 1) :] = False  # groups that fire rarely may follow
    memory.groups["value"][:] = core.values * delivers
    if core.graded:  # relays are not drawn: nothing would bound their sums
        memory.groups["graded"][:] = delivers & (rng.random(core.groups) < 0.5)
    for table, scope in ((memory.groups, "per_population"), (memory.neurons, "per_neuron")):
        for name in (parameter.name for parameter in core.neuron.tabled(scope)):
            if name == "threshold":
                table[name][:] = rng.integers(1, 6, size=table[name].shape)
            elif name == "reset":
                table[name][:] = rng.choice([Reset.SUBTRACT, Reset.ZERO], size=table[name].shape)
            elif name == "bias":
                table[name][:] = rng.random(table[name].shape) < rng.choice([0.0, 0.1])


def _draw_routes(config: FabricConfig, memory: CoreImage, rng: np.random.Generator, own) -> None:
    """Each neuron's entries, to the host or to one of the axons ``own``, as long as there are any."""
    core, first, recurrent = config.core, 0, rng.choice([0.0, 0.05, 0.5])
    for neuron in range(core.neurons):
        count = min(int(rng.choice(ROUTES)), core.routes - first)
        memory.pointers["first"][neuron], memory.pointers["count"][neuron] = first, count
        first += count
        for entry in range(first - count, first):
            axon = next(own, None) if rng.random() < recurrent else None
            if axon is None:
                memory.routes["host"][entry], memory.routes["line"][entry] = 1, entry
            else:
                memory.routes["axon"][entry] = axon
                memory.routes["delay"][entry] = rng.integers(1, core.delay_slots)


def random_events(image: Image, steps: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Inputs (T, n): three steps each with the same density of events, from none to all."""
    shape = (steps, image.input_sizes["in"])
    low, high = image.config.core.payload_range
    dense = rng.random(shape) < np.repeat(rng.choice(DENSITIES, size=(steps, 1)), 3, axis=0)[:steps]
    return {"in": rng.integers(low or 1, high + 1, size=shape) * dense}
