"""Every golden synapse store against its walk, written as loops over single synapses; and what it refuses."""

from collections import Counter

import numpy as np
import pytest

from golden import synapses as golden_synapses
from golden.fabric import Fabric
from neurogen.spec import rows, synapses
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.image import CoreImage, Image
from neurogen.spec.memory_map import Status
from rtl_tests.random_images import draw_synapses

SHAPES = {
    "four banks": {"axons": 40, "neurons": 61, "lanes": 4, "banks": 4, "ranges": 3, "geometries": 3},
    "graded": {"axons": 20, "neurons": 16, "lanes": 8, "banks": 2, "payload_bits": 3, "geometries": 2},
    "one group": {"axons": 9, "neurons": 4, "lanes": 4, "banks": 1, "synapse_rows": 12},
}


def core(store: str, shape: str) -> CoreConfig:
    settings = {"store": store, "update_lanes": 1, "weight_bits": 5, "accumulator_bits": 20} | SHAPES[shape]
    return CoreConfig(**settings | ({"synapse_rows": 0} if store == "full" else {}))


def random_cores(config: FabricConfig, rng) -> list[CoreImage]:
    cores = [CoreImage.empty(config) for _ in range(config.nodes)]
    for memory in cores:
        draw_synapses(config, memory, rng)
    return cores


def image_of(config: FabricConfig, cores) -> Image:
    return Image(config, tuple(cores), {}, {}, {}, (), ())


def walk(config: CoreConfig, memory: CoreImage, axon: int):
    """(row, group of every lane) of each step of an axon, as ``neurogen.spec.synapses`` says."""
    bank, local = axon % config.banks, axon // config.banks
    at = {name: int(column[bank, local]) for name, column in memory.axons.items()}
    if config.store == "full":
        for group in range(config.groups):
            yield local * config.groups + group, [group] * config.lanes
    elif config.store == "dense":
        first, last = (int(memory.walks[name][at["range"]]) for name in ("first", "last"))
        for group in range(first, last + 1):
            yield at["base"] + group - first, [group] * config.lanes
    elif config.store == "conv":
        row_stride, group_stride = (int(memory.walks[n][at["geometry"]]) for n in ("row_stride", "group_stride"))
        for i in range(at["lines"]):
            for j in range(at["length"]):
                yield at["base"] + i * row_stride + j, [at["first"] + i * group_stride + j] * config.lanes
    else:
        for row in range(at["base"], at["base"] + at["count"]):
            yield row, memory.targets["group"][bank, row].tolist()


def expected(config: CoreConfig, memory: CoreImage, events: dict[int, int], seen: Counter):
    """Sums (G, P), touched groups, rows and clocks of one core, one synapse after the other."""
    sums, touched = np.zeros((config.groups, config.lanes), dtype=int), set()
    count, clocks = 0, [0] * config.banks
    for axon, payload in events.items():
        steps = list(walk(config, memory, axon))
        for row, groups in steps:
            for lane, group in enumerate(groups):
                weight = int(memory.synapses[axon % config.banks, row, lane])
                if weight or config.store != "sparse":
                    sums[group, lane] += weight * (payload if config.payload_bits else 1)
                    touched.add(group)
        count += len(steps)
        clocks[axon % config.banks] += max(len(steps), 1)
        seen.update({"nothing": not steps, "several": len(steps) > 1})
    return sums, touched, count, max(clocks)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("store", synapses.stores())
def test_a_store_computes_its_walk(store, shape):
    config = FabricConfig(width=2, core=core(store, shape))
    rng, seen = np.random.default_rng(seed := 6), Counter()
    print(f"seed {seed}")
    cores = random_cores(config, rng)
    machine = Fabric(image_of(config, cores))
    found = machine.tables.store
    for _ in range(20):
        chosen = np.flatnonzero(rng.random(2 * config.core.axons) < rng.choice([0.0, 0.2, 1.0]))
        payloads = rng.integers(1, 1 << config.core.payload_bits, size=len(chosen), endpoint=True)
        sums = found.sums(chosen, payloads if config.core.payload_bits else None)
        work = found.work(chosen)
        for node, memory in enumerate(cores):
            events = {int(a) % config.core.axons: int(p) for a, p in zip(chosen, payloads, strict=True)
                      if a // config.core.axons == node}  # fmt: skip
            total, touched, count, clocks = expected(config.core, memory, events, seen)
            groups = slice(node * config.core.groups, (node + 1) * config.core.groups)
            np.testing.assert_array_equal(sums[groups], total)
            assert set(np.flatnonzero(work.touched[groups])) == touched
            assert work.rows[node] == count
            if store not in ("dense", "full"):
                assert work.cycles[node] == clocks
            assert work.cycles[node] == found.walks(node, np.array(sorted(events), dtype=int)).sum()
    assert seen["several"] > 20 or config.core.groups == 1
    assert seen["nothing"] > 5 or store in ("dense", "full")


@pytest.mark.parametrize("store", synapses.stores())
def test_sums_that_the_accumulator_does_not_hold_are_refused(store):
    config = FabricConfig(core=CoreConfig.parse(core(store, "one group").model_dump() | {"accumulator_bits": 4}))
    memory = CoreImage.empty(config)
    memory.synapses[:], memory.groups["size"][:] = 7, config.core.lanes
    for name in {"length", "lines", "count"} & set(memory.axons):
        memory.axons[name][:] = 1
    machine = Fabric(image_of(config, [memory]))
    assert not machine.tables.proved
    machine.events(0, (0, 0, 0, 0), 0)
    machine.tick()
    assert machine.counters(0)[Status.ROWS] == 1
    machine.events(1, (0, 0, 0, 0), [0, 1])
    with pytest.raises(InputError, match=r"^tick 1, core 0, neuron 0: products add up to 0 and 14, which 4 "):
        machine.tick()


WRONG = {
    "conv": [
        ({"base": 4, "length": 1, "lines": 3}, {"row_stride": 4}, "its rows end beyond the 12 rows of a synapse bank"),
        ({"length": 2, "lines": 1, "first": 0}, {}, "it reaches beyond group 0"),
        ({"length": 1, "lines": 0}, {}, "it has no lines"),
    ],
    "sparse": [({"base": 11, "count": 2}, {}, "its rows end beyond the 12 rows of a synapse bank")],
    "dense": [({"base": 12}, {}, "its rows end beyond the 12 rows of a synapse bank")],
}


@pytest.mark.parametrize(
    ("store", "axon", "walks", "message"), [(store, *case) for store, cases in WRONG.items() for case in cases]
)
def test_walks_outside_the_memories_are_refused(store, axon, walks, message):
    config = FabricConfig(width=2, core=core(store, "one group"))
    cores = [CoreImage.empty(config) for _ in range(2)]
    for name, value in axon.items():
        cores[1].axons[name][0, 5] = value
    for name, value in walks.items():
        cores[1].walks[name][0] = value
    with pytest.raises(InputError) as error:
        Fabric(image_of(config, cores))
    assert str(error.value) == f"core 1: axon 5: {message}"


def test_a_synapse_for_a_group_that_does_not_exist_is_refused():
    config = FabricConfig(core=CoreConfig(store="sparse", neurons=12, lanes=4, update_lanes=4))
    memory = CoreImage.empty(config)
    memory.targets["group"][2, 5, 1] = 3
    Fabric(image_of(config, [memory]))  # a weight of 0 is no synapse
    memory.synapses[2, 5, 1] = 1
    with pytest.raises(InputError, match=r"^core 0: a synapse is for a group beyond 2$"):
        Fabric(image_of(config, [memory]))


@pytest.mark.parametrize("store", synapses.stores())
def test_an_image_is_saved_and_loaded_with_every_store(store, tmp_path):
    config = FabricConfig(core=core(store, "four banks"))
    image = image_of(config, random_cores(config, np.random.default_rng(2)))
    image.save(tmp_path / "image.npz")
    loaded = Image.load(tmp_path / "image.npz")
    assert loaded.digest == image.digest
    for before, after in zip(image.config_writes(), loaded.config_writes(), strict=True):
        np.testing.assert_array_equal(before[2], after[2])
    assert (rows.walk(config) is None) == (not loaded.cores[0].walks)


def test_a_store_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="there is no synapse store 'conf'; there are conv, dense, full, sparse"):
        CoreConfig.parse({"store": "conf"})


def test_the_golden_side_of_every_store_exists():
    assert set(golden_synapses.stores()) == set(synapses.stores())
