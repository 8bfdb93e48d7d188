"""A tick of one core takes exactly the clocks that the cycle model says."""

import json

import pytest

from neurogen.flow import simulators
from neurogen.flow.emit import emit
from neurogen.rtl.fabric import Fabric
from neurogen.spec.config import CoreConfig, FabricConfig, NeuronConfig
from rtl_tests.cocotb.play_ticks import CONFIG, REACHED, SEED
from rtl_tests.random_networks import FABRICS

VALUES = FabricConfig(
    name="values",
    lines=128,
    queue_depth=4,
    core=CoreConfig(
        axons=28, neurons=94, lanes=4, banks=1, update_lanes=2, weight_bits=4, accumulator_bits=13, payload_bits=2,
        delay_slots=8, slot_word_bits=1, ranges=3, routes=96, values=True,
        neuron=NeuronConfig(model="if", parameters={"threshold": "per_population", "bias": "per_neuron"}),
    ),
)  # fmt: skip
CONV = FabricConfig(
    name="conv",
    lines=96,
    core=CoreConfig(
        store="conv", axons=50, neurons=60, lanes=4, banks=4, update_lanes=2, weight_bits=4, accumulator_bits=13,
        payload_bits=2, delay_slots=8, slot_word_bits=4, geometries=3, synapse_rows=40, routes=80,
        neuron=NeuronConfig(model="if", parameters={"threshold": "per_population", "bias": "per_neuron"}),
    ),
)  # fmt: skip
SPARSE = FabricConfig(
    name="sparse",
    lines=96,
    core=CoreConfig(
        store="sparse", axons=40, neurons=60, lanes=8, banks=2, update_lanes=4, weight_bits=4, accumulator_bits=14,
        delay_slots=8, slot_word_bits=8, synapse_rows=50, routes=80, accumulators="block", values=True,
        neuron=NeuronConfig(model="if", parameters={"threshold": "per_population", "bias": "per_neuron"}),
    ),
)  # fmt: skip
GRADED = FabricConfig(
    name="graded",
    lines=96,
    core=CoreConfig(
        axons=28, neurons=40, lanes=4, banks=2, update_lanes=2, weight_bits=4, accumulator_bits=13, payload_bits=6,
        payload_signed=True, graded=True, delay_slots=8, slot_word_bits=4, ranges=3, routes=96, values=True,
        neuron=NeuronConfig(model="if", state_bits={"v": 6}, parameters={"threshold": "per_population"}),
    ),
)  # fmt: skip
COMMON = ("no events", "walks of different length", "several routes", "no routes", "packets to core and host")
CASES = {
    "lif_1x1": (FABRICS["lif_1x1"], ("nothing", "encoder full")),
    "cuba_1x1_block": (FABRICS["cuba_1x1_block"], ("encoder full",)),
    "conv": (CONV, ()),
    "sparse": (SPARSE, ("nothing", "values")),
    "graded": (GRADED, ("values", "negative payloads", "graded groups")),
    "values": (VALUES, ("nothing", "encoder full", "values", "host slower than routes")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_tick_of_one_core_takes_the_clocks_of_the_model(name, tmp_path):
    config, special = CASES[name]
    (tmp_path / CONFIG).write_text(config.model_dump_json())
    simulator = "icarus" if "icarus" in simulators.installed() else "verilator"
    model = simulators.bench(simulator, emit(Fabric(config), name).verilog, name)
    simulators.run(model, "rtl_tests.cocotb.play_ticks", "ticks", tmp_path, SEED)
    found = json.loads((tmp_path / REACHED).read_text())
    print(f"seed {SEED}: {found}")
    for feature in (*COMMON, *special):
        assert found.get(feature, 0) >= 5, f"{feature}: {found}"
