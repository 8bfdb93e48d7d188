"""Configurations: what they derive, and the exact line for every kind of mistake."""

import pytest

from neurogen.spec import neurons
from neurogen.spec.config import CoreConfig, FabricConfig, NeuronConfig
from neurogen.spec.errors import InputError


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"widht": 2}, "f.toml: unknown key 'widht'; did you mean 'width'?"),
        ({"lanes": 4}, "f.toml: unknown key 'lanes'; did you mean 'core.lanes'?"),
        ({"core": {"lanse": 4}}, "f.toml: unknown key 'core.lanse'; did you mean 'core.lanes'?"),
        ({"qqq": 4}, "f.toml: unknown key 'qqq'"),
        ({"width": 0}, "f.toml: width: input should be greater than or equal to 1, not 0"),
        ({"width": "2"}, "f.toml: width: input should be a valid integer, not '2'"),
        ({"name": "1x"}, "f.toml: name: string should match pattern '^[a-z][a-z0-9_]*$', not '1x'"),
        ({"name": "small"}, "f.toml: name 'small' is a reserved word of Verilog"),
        ({"core": {"lanes": 3}}, "f.toml: core: lanes is a power of two, not 3"),
        ({"core": {"lanes": 2}}, "f.toml: core: update_lanes is at most lanes (2), not 4"),
        ({"core": {"axons": 2}}, "f.toml: core: banks is at most axons (2), not 4"),
        (
            {"core": {"accumulators": "ram"}},
            "f.toml: core.accumulators: input should be 'distributed' or 'block', not 'ram'",
        ),
        (
            {"core": {"neuron": {"model": "izhi"}}},
            f"f.toml: core.neuron: there is no neuron model 'izhi'; there are {', '.join(neurons.models())}",
        ),
        (
            {"core": {"neuron": {"model": "if", "parameters": {"leak": 1}}}},
            "f.toml: core.neuron: if has no parameter 'leak'; it has exponent, bias, threshold, reset, reset_value,"
            " reset_timing, compare, overflow, refractory_ticks, v_init",
        ),
        (
            {"core": {"neuron": {"parameters": {"threshold": 40000}}}},
            "f.toml: core.neuron: lif: threshold is an integer -32768..32767, not 40000",
        ),
        (
            {"core": {"neuron": {"parameters": {"reset": "hard"}}}},
            "f.toml: core.neuron: lif: reset is one of none, subtract, zero, not 'hard'",
        ),
        (
            {"core": {"neuron": {"state_bits": {"u": 8}}}},
            "f.toml: core.neuron: lif has no register 'u' with a free width; it has v",
        ),
        ({"core": {"neuron": {"state_bits": {"v": 1}}}}, "f.toml: core.neuron: state_bits.v is 2..32, not 1"),
        (
            {"width": 16, "height": 16, "core": {"axons": 4096, "payload_bits": 8}},
            "f.toml: an event takes 36 bits (2x8 of coordinates, 12 of axon, 8 of payload) and a host word has 32",
        ),
    ],
)
def test_a_mistake_is_one_line(data, text):
    with pytest.raises(InputError) as error:
        FabricConfig.parse(data, "f.toml")
    assert str(error.value) == text


def test_configurations_are_frozen_and_hashable():
    config = FabricConfig()
    with pytest.raises(ValueError, match="frozen"):
        config.width = 3
    assert hash(config) == hash(FabricConfig()) and config == FabricConfig()
    assert config.digest != FabricConfig(width=2).digest


def test_a_configuration_survives_its_own_dump():
    config = FabricConfig(width=3, core=CoreConfig(values=True, neuron=NeuronConfig(model="cuba_lif", parameters={})))
    assert FabricConfig.parse(config.model_dump()) == config


def test_derived_sizes():
    core = CoreConfig(axons=200, neurons=100, lanes=16, banks=4, update_lanes=4)
    assert (core.groups, core.subgroups, core.bank_axons, core.bank_words, core.rows) == (7, 4, 50, 4, 350)
    assert CoreConfig(synapse_rows=9).rows == 9


def test_refractory_register_exists_only_where_it_can_be_needed():
    assert NeuronConfig(parameters={}).widths["refractory"] == 0
    assert NeuronConfig(parameters={"refractory_ticks": 2}).widths["refractory"] == 8
    assert NeuronConfig(parameters={"refractory_ticks": "per_neuron"}).widths["refractory"] == 8
