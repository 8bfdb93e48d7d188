"""The fabrics that are damaged: small, but with everything in them."""

from rtl_tests.property_cases import ALL_FABRICS
from rtl_tests.random_networks import fabric, neuron

FULL = fabric(
    "mutants_full", 2, 2, axons=16, neurons=24, lanes=4, banks=2, update_lanes=2, weight_bits=4, accumulator_bits=10,
    payload_bits=2, delay_slots=4, slot_word_bits=2, ranges=2, routes=64, values=True, accumulators="block",
    neuron=neuron("lif", "per_population", {"v": 9}, leak="shift", threshold="per_neuron"),
)  # fmt: skip
"""Multicast, graded events, values, words to be forwarded, accumulators in block RAM, per-neuron parameters.

The update unit visits more subgroups than its pipeline has steps, so that vectors that wait hold up all of it.
"""

CUBA = fabric(
    "mutants_cuba", 2, 1, axons=16, neurons=12, lanes=4, banks=4, update_lanes=4, weight_bits=4, accumulator_bits=10,
    delay_slots=4, slot_word_bits=4, ranges=3, routes=32,
    neuron=neuron("cuba_lif", "per_population", {"u": 9, "v": 10}),
)  # fmt: skip
"""The other neuron; four banks, accumulators in LUT RAM, no payloads."""


def register() -> None:
    """Let cases be drawn for these fabrics by name."""
    ALL_FABRICS.update({config.name: config for config in (FULL, CUBA)})
