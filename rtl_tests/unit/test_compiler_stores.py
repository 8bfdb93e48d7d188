"""Maps on lanes, kernels as rows and walks, lists: every synapse is where its axon looks for it."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import Wishes, compile, size, validate
from neurogen.compiler.mapping import map_network
from neurogen.compiler.mapping.layout import Box, map_layouts
from neurogen.compiler.mapping.stores import stores
from neurogen.compiler.mapping.walks import KernelRows
from neurogen.spec import synapses
from neurogen.spec.config import FabricConfig
from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel
from neurogen.spec.memory_map import Region, bits
from neurogen.spec.network import Input, Network, Output, Population, Projection


def random_kernel(rng: np.random.Generator) -> Kernel:
    groups = int(rng.integers(1, 3))
    source = (groups * int(rng.integers(1, 4)), *rng.integers(1, 8, 2).tolist())
    target = (groups * int(rng.integers(1, 7)), *rng.integers(1, 8, 2).tolist())
    size, stride, dilation = rng.integers(1, 5, 2), rng.integers(1, 4, 2), rng.integers(1, 4, 2)
    weights = rng.integers(-7, 8, (target[0], source[0] // groups, *size))
    padding = tuple(int(rng.integers(-2, n * d)) for n, d in zip(size, dilation, strict=True))
    return Kernel(weights, source, target, tuple(stride.tolist()), padding, tuple(dilation.tolist()), groups)


def unrolled(rows: KernelRows, box: Box) -> np.ndarray:
    """(n_source, groups, lanes): what the walks of all source neurons add up, step by step."""
    neurons = np.flatnonzero(rows.reached(box))
    walk = rows.walk(neurons, box)
    found = np.zeros((rows.kernel.shape[0], *box.slots.shape), dtype=np.int64)
    for at, neuron in enumerate(neurons):
        weights = rows.row_blocks[walk.block[at]].reshape(-1, rows.lanes)
        for line in range(walk.lines[at]):
            for step in range(walk.length[at]):
                group = walk.first[at] + line * walk.group_stride + step
                found[neuron, group] += weights[walk.skip[at] + line * walk.row_stride[at] + step]
    return found


@given(st.integers(0, 1 << 32), st.sampled_from([1, 2, 4, 8, 16]))
@settings(max_examples=100, deadline=None)
def test_walks_unroll_to_the_kernels_matrix(seed, lanes):
    rng = np.random.default_rng(seed)
    kernel = random_kernel(rng)
    matrix = kernel.matrix.toarray()
    for layout in map_layouts("p", kernel.target, lanes):
        for box in layout.boxes:
            first, last = np.sort(rng.integers(0, kernel.target[1], 2))
            part = Box(box.shape, lanes, box.blocks, (int(first), int(last) + 1), box.columns)
            slots = part.slots
            found = unrolled(KernelRows(kernel, lanes, box.blocks), part)
            assert np.array_equal(found[:, slots >= 0], matrix[:, slots[slots >= 0]])


@given(st.tuples(*[st.integers(1, 9)] * 3), st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=40, deadline=None)
def test_every_layout_has_every_neuron_once_on_the_lowest_lanes(shape, lanes):
    for layout in map_layouts("p", shape, lanes):
        chunks = [layout.chunk(unit, 1, 0, 0) for unit in range(layout.units)]
        neurons = np.concatenate([chunk.neurons for chunk in chunks])
        assert sorted(neurons.tolist()) == list(range(int(np.prod(shape))))
        assert sum(chunk.groups for chunk in chunks) == layout.groups
        for chunk in chunks:
            assert (np.diff((chunk.slots >= 0).astype(int), axis=1) <= 0).all()


def convolution(channels: int, lines: int, columns: int) -> Network:
    """A map of ``channels`` x ``lines`` x ``columns`` neurons, reached by a kernel of 3 x 3 from one channel."""
    weights = np.random.default_rng(4).integers(-3, 4, (channels, 1, 3, 3))
    kernel = Kernel(weights, (1, lines, columns), (channels, lines, columns), padding=(1, 1))
    return Network(
        "map",
        (Input("x", lines * columns),),
        (Population("p", channels * lines * columns, "if", {"threshold": 2}),),
        (Projection("x", "p", kernel),),
        (Output("p"),),
    )


SINGLE = tuple((n, n + 1) for n in range(6))


@pytest.mark.parametrize(
    ("shape", "changes", "cuts"),
    [
        ((4, 8, 8), {"neurons": 64}, (((0, 2), (2, 4), (4, 6), (6, 8)), ((0, 8),), ((0, 1),))),
        ((4, 6, 8), {"neurons": 16}, (SINGLE[:6], ((0, 4), (4, 8)), ((0, 1),))),
        ((4, 6, 8), {"axons": 16}, (((0, 2), (2, 3), (3, 4), (4, 6)), ((0, 4), (4, 8)), ((0, 1),))),
        ((12, 2, 2), {"neurons": 4}, (SINGLE[:2], SINGLE[:2], SINGLE[:3])),
    ],
)
def test_a_map_too_large_for_a_core_is_cut_in_bands_then_strips_then_blocks(shape, changes, cuts):
    network = convolution(*shape)
    config = size(network, Wishes(store="conv", lanes=4, banks=2, update_lanes=2)).config.model_dump()
    config |= {"width": 6, "height": 2}
    config["core"] |= {"neurons": 64, "axons": 64, "synapse_rows": 400, "routes": 200} | changes
    config = FabricConfig.parse(config)
    chunks = map_network(network, config, "compact").chunks
    cut = {(chunk.box.lines, chunk.box.columns, chunk.box.blocks) for chunk in chunks}
    assert cut == set(itertools.product(*cuts))
    events = (np.random.default_rng(1).random((1, 5, network.inputs[0].size)) < 0.4).astype(np.uint8)
    wanted = golden_network.run(network, {"x": events}).spikes["p"]
    assert wanted.any()
    assert np.array_equal(samples.run(Fabric(compile(network, config)), {"x": events}).spikes["p"], wanted)


def test_lanes_beyond_a_map_need_no_room_in_the_accumulator():
    """The border leaves all three pixels fewer products than the lane of a fourth one, which does not exist."""
    kernel = Kernel(np.full((2, 1, 1, 5), 5), (1, 1, 12), (2, 1, 3), padding=(0, 4))
    network = replace(convolution(2, 1, 3), inputs=(Input("x", 12),), projections=(Projection("x", "p", kernel),))
    config = size(network, Wishes(store="conv", lanes=4)).config
    assert config.core.accumulator_bits == 5
    events = {"x": np.ones((1, 5, 12), np.uint8)}
    found = samples.run(Fabric(compile(network, config)), events).spikes["p"]
    assert np.array_equal(found, golden_network.run(network, events).spikes["p"]) and found.any()


def test_banks_share_the_kernel_between_them():
    """Eight channels of a source on four banks: every bank keeps two of them."""
    rng = np.random.default_rng(0)
    kernel = Kernel(rng.integers(1, 4, (4, 8, 3, 3)), (8, 6, 6), (4, 6, 6), padding=(1, 1))
    network = replace(convolution(4, 6, 6), inputs=(Input("x", 288),), projections=(Projection("x", "p", kernel),))
    config = size(network, Wishes(store="conv", lanes=4)).config
    assert config.core.banks == 4 and config.core.synapse_rows == 2 * 9
    assert config.core.geometries == 1


def test_lists_are_balanced_over_lanes():
    """Every source reaches the neurons 0, 4, 8, ...: in the population's order they would all share a lane."""
    weights = np.zeros((10, 32), dtype=np.int64)
    weights[:, ::4] = 3
    network = Network(
        "comb", (Input("x", 10),), (Population("p", 32, "if", {"threshold": 2}),), (Projection("x", "p", weights),),
        (Output("p"),),
    )  # fmt: skip
    image = compile(network, size(network, Wishes(store="sparse", lanes=4)).config)
    assert image.cores[0].axons["count"].max() == 2
    assert image.placements[0].places.tolist() != list(range(32))
    assert sorted(image.placements[0].places.tolist()) == list(range(32))
    assert size(network, Wishes(store="sparse", lanes=4)).reasons[-1] == "lists are 100% full"


def test_every_store_of_the_contract_is_mapped():
    assert stores().keys() == synapses.stores().keys()


@pytest.mark.parametrize(
    ("store", "table", "column", "value", "text"),
    [
        ("conv", "axons", "base", 1000, "axon 0 walks over synapse rows or groups that do not exist"),
        ("conv", "axons", "first", 30, "axon 0 walks over synapse rows or groups that do not exist"),
        ("conv", "axons", "length", 30, "axon 0 walks over synapse rows or groups that do not exist"),
        ("sparse", "axons", "base", 1000, "the list of axon 0 has synapse rows that do not exist"),
        ("sparse", "targets", "group", 30, "lane 0 of synapse row 0 in bank 0 names a group that does not exist"),
    ],
)
def test_damaged_tables_are_refused(store, table, column, value, text):
    network = convolution(4, 5, 5)
    config = size(network, Wishes(store=store, lanes=4)).config.model_dump()
    config["core"] |= {"synapse_rows": 600, "neurons": 100}
    image = compile(network, FabricConfig.parse(config))
    core = image.cores[0]
    tables = getattr(core, table) | {column: getattr(core, table)[column].copy()}
    tables[column].flat[0] = value
    with pytest.raises(InputError) as error:
        validate(replace(image, cores=(replace(core, **{table: tables}),)))
    assert str(error.value) == f"core (0, 0): {text}"


def test_too_many_geometries_are_refused():
    network = convolution(4, 5, 5)
    third = Kernel(np.ones((4, 1, 3, 5), int), (1, 5, 5), (4, 5, 5), padding=(1, 2))
    both = replace(network, projections=(*network.projections, Projection("x", "p", third, 1)))
    config = size(both, Wishes(store="conv", lanes=4)).config
    assert config.core.geometries == 2
    fewer = config.model_dump()
    fewer["core"]["geometries"] = 1
    with pytest.raises(InputError) as error:
        compile(both, FabricConfig.parse(fewer))
    assert str(error.value) == "network too large for the fabric: needs 2 geometries at core (0, 0), has 1"


@pytest.mark.parametrize("store", stores())
def test_memory_is_counted_as_it_is_written(store):
    network = convolution(4, 5, 5)
    image = compile(network, size(network, Wishes(store=store, lanes=4, width=2, height=1)).config)
    counted = bits(image.config)
    assert counted.pop(Region.STATE) > 0
    found = [core.region_bits(image.config) for core in image.cores]
    assert counted == {region: sum(part[region].size for part in found) for region in found[0]}
