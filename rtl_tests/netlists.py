"""A small network on a small fabric, and its netlists under the bench that verifies the Verilog."""

import numpy as np

from neurogen import compiler
from neurogen.flow.target import Target
from neurogen.spec.config import CoreConfig, FabricConfig, NeuronConfig
from neurogen.spec.network import Input, Network, Output, Population, Projection

SEED = 5
BOARDS = {"ice40": "hx8k_breakout", "ecp5": "ulx3s_25f", "gowin": "tang_primer_20k"}


def small(memory_registers: bool = False) -> Target:
    """12 inputs to 8 neurons and 4 more, on one core of two lanes; the image is in its memories."""
    rng = np.random.default_rng(SEED)
    config = FabricConfig(
        name="little", lines=16,
        core=CoreConfig(
            axons=32, neurons=16, lanes=2, banks=1, update_lanes=1, weight_bits=4, accumulator_bits=9, delay_slots=4,
            slot_word_bits=4, routes=16, ranges=2, counter_bits=12, image_memories="block",
            memory_registers=memory_registers,
            neuron=NeuronConfig(
                model="lif", state_bits={"v": 8}, parameters={"threshold": "per_population", "leak": "shift"}
            ),
        ),
    )  # fmt: skip
    sizes, constants = {"a": 8, "b": 4}, config.core.neuron.constants
    network = Network(
        "little",
        (Input("x", 12),),
        tuple(Population(name, size, "lif", constants | {"threshold": 5}, {"v": 8}) for name, size in sizes.items()),
        (Projection("x", "a", rng.integers(-3, 8, (12, 8))), Projection("a", "b", rng.integers(-3, 8, (8, 4)))),
        (Output("b"),),
    )
    return Target("little", "little", network, compiler.compile(network, config))
