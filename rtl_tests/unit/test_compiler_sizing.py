"""A fabric is chosen that holds the network, computes it, and has nothing to spare."""

from dataclasses import replace

import numpy as np
import pytest

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import Options, Quantisation, Wishes, compile, quantise, read, size
from neurogen.compiler.accumulator import prove
from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel
from neurogen.spec.memory_map import Region, bits
from neurogen.spec.network import Input, Network, Output, Population, Projection
from rtl_tests.shared import shared

FILES = {
    "braille_noDelay_bias_zero.nir": Options(),
    "digits_64-64-10_even_T16_float.nir": Options(),
    "lava_mnist_784_128_64_10.net": Options(),
    "snntorch_rleaky_12_20_7.nir": Options(framework="snntorch"),
    "sinabs_lif_64_32_10.nir": Options(framework="sinabs"),
    "norse_lif_64_32_10.nir": Options(framework="norse"),
    "two_lif_neurons.nir": Options(dt=1e-3),
}
WISHES = {
    "chosen": Wishes(),
    "overlay": Wishes(programmable=True, weight_bits=10, accumulator_bits=18),
    "2x2": Wishes(width=2, height=2, lanes=8, banks=2, update_lanes=4, name="quad"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("wishes", WISHES)
def test_the_chosen_fabric_computes_the_network(name, wishes):
    network = quantise(read(shared(f"models/{name}"), FILES[name]))
    config = size(network, WISHES[wishes]).config
    x = (np.random.default_rng(3).random((2, 30, network.inputs[0].size)) < 0.3).astype(np.uint8)
    wanted = golden_network.run(network, {network.inputs[0].name: x}, record=[p.name for p in network.populations])
    found = samples.run(Fabric(compile(network, config)), {network.inputs[0].name: x})
    for output in network.outputs:
        np.testing.assert_array_equal(found.spikes[output.population], wanted.spikes[output.population])
    assert any(spikes.any() for spikes in wanted.spikes.values())


def layers(*sizes: int, weight: int = 1, **parameters) -> Network:
    populations = tuple(Population(f"p{i}", n, "lif", {"threshold": 2, **parameters}) for i, n in enumerate(sizes[1:]))
    names = ["x", *(p.name for p in populations)]
    return Network(
        "Layers",
        (Input("x", sizes[0]),),
        populations,
        tuple(
            Projection(a, b, np.full((m, n), weight, dtype=np.int64))
            for a, b, m, n in zip(names, names[1:], sizes, sizes[1:], strict=False)
        ),
        (Output(names[-1]),),
    )


def test_nothing_is_to_spare():
    network = layers(20, 40, 3, weight=-5)
    sizing = size(network)
    core = sizing.config.core
    assert (core.axons, core.neurons, core.routes, core.ranges) == (60, 67, 43, 2)
    assert (core.lanes, core.banks, core.update_lanes) == (32, 4, 8)
    assert (core.weight_bits, core.accumulator_bits, core.delay_slots) == (4, 9, 2)
    assert core.synapse_rows == 5 * 2 + 10  # 20 lines to two groups, 40 neurons to one, over four banks
    assert (sizing.config.lines, sizing.config.depth_bits, sizing.config.phase_bits) == (3, 1, 0)
    prove(network, core.accumulator_bits)
    with pytest.raises(InputError):
        prove(network, core.accumulator_bits - 1)
    assert sizing.reasons == [
        "one core: at most 512 neurons and 1024 axons (or one population's fan-in) are needed",
        "dense synapses, 10.4 kbit: the smallest (x -> p0 dense 5.1 kbit, lists 6.4 kbit, rows beside kernels 5.2 kbit;"
        " p0 -> p1 dense 5.2 kbit, lists 5.3 kbit, rows beside kernels 5.4 kbit)",
        "lanes 32, banks 4: the largest population has size 40; at most 128 synaptic operations per clock",
        "4-bit weights: the widest weight needs them",
        "9-bit accumulators: proved from the weights, no neuron can overflow them",
        "2 delay slots: the longest axonal delay is 1, inputs are sent 0 ticks ahead (ticks per step: 1, depth: 1)",
        "lif neurons, v 16 bits; tables of nothing, the rest is equal everywhere and folded into logic",
    ]


def with_kernels() -> Network:
    """A map of 2 x 8 x 8 neurons, a strided one of 4 x 4 x 4 and two neurons that read it whole."""
    rng = np.random.default_rng(0)
    first = Kernel(rng.integers(-3, 4, (2, 1, 3, 3)), (1, 8, 8), (2, 8, 8), padding=(1, 1))
    second = Kernel(rng.integers(-3, 4, (4, 2, 3, 3)), (2, 8, 8), (4, 4, 4), stride=(2, 2), padding=(1, 1))
    sizes = {"p0": 128, "p1": 64, "p2": 2}
    return Network(
        "maps",
        (Input("x", 64),),
        tuple(Population(name, size, "lif", {"threshold": 3}) for name, size in sizes.items()),
        (Projection("x", "p0", first), Projection("p0", "p1", second), Projection("p1", "p2", np.ones((64, 2), int))),
        (Output("p2"),),
    )


def pruned() -> Network:
    network = layers(100, 200, 150, weight=3)
    keep = np.random.default_rng(1)
    kept = tuple(replace(p, weights=p.weights * (keep.random(p.shape) < 0.03)) for p in network.projections)
    return replace(network, projections=kept)


@pytest.mark.parametrize(
    ("make", "chosen"), [(with_kernels, "conv"), (pruned, "sparse"), (lambda: layers(20, 40), "dense")]
)
def test_the_store_is_the_smallest_and_all_compute_the_same(make, chosen):
    network = make()
    sizing = size(network)
    assert sizing.config.core.store == chosen and sizing.reasons[1].startswith(f"{chosen} synapses, ")
    x = {"x": (np.random.default_rng(2).random((2, 12, network.inputs[0].size)) < 0.5).astype(np.uint8)}
    wanted = golden_network.run(network, x).spikes
    assert any(spikes.any() for spikes in wanted.values())
    memory = {}
    for store in ("dense", "conv", "sparse"):
        config = size(network, Wishes(store=store, lanes=8)).config
        memory[store] = bits(config)[Region.SYNAPSES]
        found = samples.run(Fabric(compile(network, config)), x).spikes
        for name, spikes in wanted.items():
            np.testing.assert_array_equal(found[name], spikes)
    assert min(memory, key=memory.get) == chosen, memory


def test_reasons_compare_the_stores():
    reasons = size(with_kernels()).reasons
    assert reasons[1] == (
        "conv synapses, 16.8 kbit: the smallest (x -> p0 dense 24.5 kbit, lists 10.6 kbit, kernel 3.7 kbit; p0 -> p1"
        " dense 25.0 kbit, lists 17.1 kbit, kernel 6.6 kbit; p1 -> p2 dense 6.4 kbit, lists 6.4 kbit, rows beside"
        " kernels 6.6 kbit)"
    )
    assert reasons[-1] == "148 synapse rows for 256 axons"
    assert size(pruned()).reasons[-1] == "lists are 15% full"
    assert "kbit: as asked (" in size(layers(4, 3), Wishes(store="sparse")).reasons[1]


def test_what_differs_becomes_a_table():
    network = layers(4, 3, 2)
    first, second = network.populations
    first = Population("p0", 3, "if", {"threshold": np.array([1, 2, 3])})
    second = Population("p1", 2, "lif", {"threshold": 5, "leak_shift": 4, "bias": np.array([2, 2])})
    mixed = Network("n", network.inputs, (first, second), network.projections, network.outputs)
    neuron = size(mixed).config.core.neuron
    tables = {name: scope for name, scope in neuron.parameters.items() if str(scope).startswith("per_")}
    assert neuron.model == "lif"
    assert tables == {"threshold": "per_neuron", "leak": "per_population", "bias": "per_population"}
    assert neuron.parameters["reset"] == "subtract" and neuron.parameters["leak_shift"] == 4
    overlay = size(mixed, Wishes(programmable=True)).config.core.neuron
    assert set(overlay.parameters.values()) == {"per_population", "per_neuron"}
    assert len(overlay.parameters) == len(overlay.spec.PARAMETERS)


def test_large_networks_get_a_mesh_and_wide_ones_more_axons():
    large = size(layers(30, 600, 500, 10))
    assert (large.config.width, large.config.height) == (2, 2)
    assert large.reasons[0] == "2x2 cores: the smallest mesh that holds the network"
    assert size(layers(1500, 4)).config.core.axons == 1500


def test_delay_slots_reach_skips_loops_and_late_inputs():
    network = layers(2, 2, 2, 2)
    late = Projection("x", "p2", np.ones((2, 2), int), 1)
    skip = Network("n", network.inputs, network.populations, (*network.projections, late), network.outputs)
    assert size(skip).config.core.delay_slots == 8  # sent three ticks ahead: next + D - 2 must reach it
    compile(skip, size(skip).config)


def test_payloads_and_values_are_provided_for():
    network = layers(3, 2)
    graded = Network("n", (Input("x", 3, 5),), network.populations, network.projections, (Output("p0", values=True),))
    core = size(graded).config.core
    assert (core.payload_bits, core.values, core.accumulator_bits) == (5, True, 8)


@pytest.mark.parametrize(
    ("models", "bits", "text"),
    [
        (("lif", "cuba_lif"), (16, 24), "one fabric has one neuron model, the network has cuba_lif and lif"),
        (("lif", "lif"), (16, 12), "population 'p1' keeps v in 12 bits, the fabric in 16; they must agree"),
    ],
)
def test_populations_that_cannot_share_a_neuron_are_refused(models, bits, text):
    network = layers(2, 2, 2)
    populations = tuple(Population(f"p{i}", 2, models[i], {}, {"v": bits[i]}) for i in range(2))
    with pytest.raises(InputError) as error:
        size(Network("n", network.inputs, populations, network.projections, network.outputs))
    assert str(error.value) == text


def test_impossible_wishes_are_refused():
    with pytest.raises(InputError) as error:
        size(layers(2, 600), Wishes(width=1, height=1))
    assert str(error.value) == "network too large for the fabric: needs 19 groups of 32 neurons, has 16"
    with pytest.raises(InputError, match="lanes is a power of two, not 12"):
        size(layers(2, 2), Wishes(lanes=12))
    with pytest.raises(InputError, match=r"fan-in of 50 axons, a core has 4; it cannot be split with payloads"):
        size(layers(50, 8), Wishes(axons=4, lanes=4, update_lanes=4, banks=2))


def test_quantised_weights_decide_the_width():
    network = quantise(
        read(shared("models/snntorch_leaky_64_32_10.nir"), Options(framework="snntorch")), Quantisation(4)
    )
    assert size(network).config.core.weight_bits == 4


def test_a_fan_in_beyond_the_axons_is_split_and_the_reasons_say_so():
    network = layers(300, 40, 5, threshold=70)
    sizing = size(network, Wishes(axons=120, lanes=8, update_lanes=4))
    core = sizing.config.core
    assert "population p0: fan-in 300 exceeds 120 axons: split into 3 parts, one more tick of depth" in sizing.reasons
    assert core.graded and core.axons <= 120
    assert (core.payload_bits, core.payload_signed) == (7, False)  # a part sums up to 100
    x = {"x": (np.random.default_rng(5).random((2, 8, 300)) < 0.4).astype(np.uint8)}
    wanted = golden_network.run(network, x).spikes["p1"]
    assert wanted.any()
    np.testing.assert_array_equal(samples.run(Fabric(compile(network, sizing.config)), x).spikes["p1"], wanted)


def test_a_fan_in_beyond_the_largest_core_is_split_unasked():
    core = size(layers(5000, 4)).config.core
    assert core.graded and core.axons <= 4096
    assert not size(layers(4000, 4)).config.core.graded


def test_a_delay_beyond_all_slots_takes_relays():
    network = layers(3, 3, 3)
    late = replace(network, projections=(network.projections[0], replace(network.projections[1], delay=150)))
    sizing = size(late)
    core = sizing.config.core
    assert (core.graded, core.payload_bits, core.delay_slots) == (True, 0, 64)
    assert sum("too long for the slots" in reason for reason in sizing.reasons) == 2
    x = {"x": np.zeros((1, 160, 3), dtype=np.uint8)}
    x["x"][0, 4] = 1
    found = samples.run(Fabric(compile(late, sizing.config)), x).spikes["p1"]
    assert np.argwhere(found[0])[:, 0].tolist() == [154] * 3


def test_the_top_module_is_no_word_of_verilog():
    names = [size(replace(layers(2, 2), name=name)).config.name for name in ("small", "digits", "Module")]
    assert names == ["network_small", "digits", "network_module"]
