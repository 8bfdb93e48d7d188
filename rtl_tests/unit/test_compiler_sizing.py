"""A fabric is chosen that holds the network, computes it, and has nothing to spare."""

import numpy as np
import pytest

from golden import network as golden_network
from golden import samples
from golden.fabric import Fabric
from neurogen.compiler import Options, Quantisation, Wishes, compile, quantise, read, size
from neurogen.compiler.accumulator import prove
from neurogen.spec.errors import InputError
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
    "2x2": Wishes(width=2, height=2, lanes=8, banks=2, update_lanes=4, name="small"),
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
        "lanes 32, banks 4: the largest population has size 40; at most 128 synaptic operations per clock",
        "4-bit weights: the widest weight needs them",
        "9-bit accumulators: proved from the weights, no neuron can overflow them",
        "2 delay slots: the longest axonal delay is 1, inputs are sent 0 ticks ahead (ticks per step: 1, depth: 1)",
        "lif neurons, v 16 bits; tables of nothing, the rest is equal everywhere and folded into logic",
    ]


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
    with pytest.raises(InputError, match=r"axons: input should be less than or equal to 4096, not 5000"):
        size(layers(5000, 2))


def test_quantised_weights_decide_the_width():
    network = quantise(
        read(shared("models/snntorch_leaky_64_32_10.nir"), Options(framework="snntorch")), Quantisation(4)
    )
    assert size(network).config.core.weight_bits == 4
