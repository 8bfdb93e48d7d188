"""Random integer networks that fit a given fabric's neuron model, and the fabrics that the property tests compile.

Parameters are drawn so that neurons fire, saturate, wrap and rest; what a run really reached is counted by the tests.
"""

import math
from dataclasses import dataclass

import numpy as np

from neurogen.spec.config import SCOPES, CoreConfig, FabricConfig, NeuronConfig
from neurogen.spec.fixed import DECAY_BITS, signed_range
from neurogen.spec.kernels import Kernel, Shape
from neurogen.spec.network import Input, Network, Output, Population, Projection


@dataclass(frozen=True)
class Sizes:
    """How large a random network may get."""

    populations: int = 4
    neurons: int = 24
    inputs: int = 16


def neuron(model: str, scope: str, state_bits: dict[str, int], **constants: int | str) -> NeuronConfig:
    """A neuron whose parameters are all tables of ``scope``, but for ``constants``."""
    from neurogen.spec import neurons

    names = [parameter.name for parameter in neurons.model(model).PARAMETERS]
    return NeuronConfig(model=model, state_bits=state_bits, parameters={name: scope for name in names} | constants)


def fabric(name: str, width: int, height: int, **core) -> FabricConfig:
    return FabricConfig(name=name, width=width, height=height, lines=128, core=CoreConfig(**core))


SMALL_LIF = {"v": 8}
FABRICS: dict[str, FabricConfig] = {
    config.name: config
    for config in (
        fabric(
            "lif_1x1", 1, 1, axons=48, neurons=40, lanes=4, banks=2, update_lanes=2, weight_bits=4, accumulator_bits=9,
            delay_slots=4, slot_word_bits=4, ranges=4, routes=160, synapse_rows=600,
            neuron=neuron("lif", "per_population", SMALL_LIF),
        ),
        fabric(
            "lif_2x2_block", 2, 2, axons=40, neurons=24, lanes=8, banks=4, update_lanes=8, weight_bits=5,
            accumulator_bits=11, delay_slots=8, slot_word_bits=16, ranges=3, routes=96, accumulators="block",
            neuron=neuron("lif", "per_population", {"v": 10}),
        ),
        fabric(
            "cuba_3x2", 3, 2, axons=32, neurons=12, lanes=4, banks=1, update_lanes=1, weight_bits=6,
            accumulator_bits=12, delay_slots=8, slot_word_bits=8, ranges=2, routes=64,
            memory_registers=True, neuron=neuron("cuba_lif", "per_population", {"u": 12, "v": 12}),
        ),
        fabric(
            "if_1x4", 1, 4, axons=36, neurons=16, lanes=16, banks=4, update_lanes=4, weight_bits=3,
            accumulator_bits=12, payload_bits=3, delay_slots=8, slot_word_bits=4, routes=64, values=True,
            neuron=neuron("if", "per_population", SMALL_LIF),
        ),
        fabric(
            "lif_3x2_neuron", 3, 2, axons=32, neurons=16, lanes=2, banks=8, update_lanes=2, weight_bits=4,
            accumulator_bits=10, delay_slots=8, slot_word_bits=2, ranges=4, routes=64, synapse_rows=96,
            neuron=neuron("lif", "per_neuron", SMALL_LIF, reset="per_population", leak="per_population"),
        ),
        fabric(
            "lif_2x2_values", 2, 2, axons=32, neurons=16, lanes=8, banks=2, update_lanes=4, weight_bits=8,
            accumulator_bits=14, payload_bits=2, delay_slots=4, slot_word_bits=8, ranges=2, routes=64, values=True,
            accumulators="block",
            neuron=neuron("lif", "per_population", {"v": 12}, leak="shift", overflow="saturate"),
        ),
        fabric(
            "cuba_1x1_block", 1, 1, axons=64, neurons=32, lanes=8, banks=8, update_lanes=1, weight_bits=9,
            accumulator_bits=14, delay_slots=2, slot_word_bits=8, ranges=3, routes=96, accumulators="block",
            neuron=neuron("cuba_lif", "per_neuron", {"u": 14, "v": 16}, refractory_ticks=0),
        ),
        fabric(
            "relays_2x2", 2, 2, axons=24, neurons=32, lanes=4, banks=2, update_lanes=2, weight_bits=4,
            accumulator_bits=18, payload_bits=14, payload_signed=True, graded=True, values=True, delay_slots=4,
            slot_word_bits=4, ranges=4, routes=160, neuron=neuron("lif", "per_population", {"v": 9}),
        ),
        fabric(
            "lif_4x1", 4, 1, axons=32, neurons=8, lanes=1, banks=1, update_lanes=1, weight_bits=4,
            accumulator_bits=10, delay_slots=16, slot_word_bits=4, ranges=4, routes=40,
            neuron=neuron("lif", "per_population", SMALL_LIF, refractory_ticks=0),
        ),
    )
}  # fmt: skip
"""Nine fabrics of different shape. Every mesh, both accumulators, graded events, values, relays, and 1 to 8 banks."""

STORES: dict[str, FabricConfig] = {
    config.name: config
    for config in (
        fabric(
            "conv_1x1", 1, 1, store="conv", axons=256, neurons=192, lanes=4, banks=2, update_lanes=2, weight_bits=5,
            accumulator_bits=12, delay_slots=8, routes=800, synapse_rows=900, geometries=16, memory_registers=True,
            neuron=neuron("lif", "per_population", {"v": 10}),
        ),
        fabric(
            "conv_2x2", 2, 2, store="conv", axons=160, neurons=64, lanes=8, banks=4, update_lanes=4, weight_bits=4,
            accumulator_bits=12, payload_bits=2, delay_slots=8, routes=400, synapse_rows=400, geometries=16,
            values=True, neuron=neuron("lif", "per_neuron", {"v": 12}, reset="per_population"),
        ),
        fabric(
            "conv_3x1", 3, 1, store="conv", axons=128, neurons=48, lanes=2, banks=1, update_lanes=2, weight_bits=4,
            accumulator_bits=11, delay_slots=8, routes=300, synapse_rows=900, geometries=16, accumulators="block",
            neuron=neuron("if", "per_population", SMALL_LIF),
        ),
        fabric(
            "sparse_1x1", 1, 1, store="sparse", axons=96, neurons=64, lanes=8, banks=4, update_lanes=4, weight_bits=4,
            accumulator_bits=10, delay_slots=8, routes=300, synapse_rows=200,
            neuron=neuron("lif", "per_population", SMALL_LIF),
        ),
        fabric(
            "sparse_2x2", 2, 2, store="sparse", axons=64, neurons=24, lanes=4, banks=1, update_lanes=1, weight_bits=6,
            accumulator_bits=12, payload_bits=2, delay_slots=8, routes=200, synapse_rows=400, values=True,
            neuron=neuron("cuba_lif", "per_neuron", {"u": 12, "v": 12}, refractory_ticks="per_population"),
        ),
        fabric(
            "full_1x1", 1, 1, store="full", axons=48, neurons=40, lanes=8, banks=4, update_lanes=2, weight_bits=4,
            accumulator_bits=10, delay_slots=4, slot_word_bits=4, routes=160, memory_registers=True,
            neuron=neuron("lif", "per_population", SMALL_LIF),
        ),
        fabric(
            "full_2x2", 2, 2, store="full", axons=38, neurons=8, lanes=8, banks=2, update_lanes=4, weight_bits=5,
            accumulator_bits=14, payload_bits=2, delay_slots=8, slot_word_bits=8, routes=96, values=True,
            accumulators="block", neuron=neuron("lif", "per_population", {"v": 12}),
        ),
    )
}  # fmt: skip
"""Fabrics of cores that share kernels, keep lists, or have no tables of axons."""


def random_network(config: FabricConfig, rng: np.random.Generator, sizes: Sizes = Sizes()) -> Network:
    """A network for ``config``'s neuron model: feed-forward with skips, recurrence and long loops, delays 0 to 2.

    Where the cores have a conv store, most projections are kernels; where they have lists, weights are few.
    It may turn out too large for the fabric, in which case compiling it says so.
    """
    core = config.core
    count = int(rng.integers(1, sizes.populations + 1))
    limits = {"in": sizes.inputs} | {f"p{i}": sizes.neurons for i in range(count)}
    maps = {name: _map(core, int(rng.integers(1, limit + 1)), rng) for name, limit in limits.items()}
    inputs = (Input("in", math.prod(maps["in"]), int(rng.choice([0, 3])) if core.graded else core.payload_bits),)
    populations = tuple(_population(core, name, math.prod(shape), rng) for name, shape in maps.items() if name != "in")
    edges = {("in", "p0", 0)} | {(f"p{i}", f"p{i + 1}", 0) for i in range(count - 1)}
    longest = int(rng.choice([2, 7])) if core.graded else min(2, core.delay_slots - 2)
    for _ in range(int(rng.integers(0, 3))):
        source, target = (int(k) for k in rng.integers(count, size=2))
        forward = source < target
        delay = int(rng.integers(0 if forward else 1, max(longest, 1) + 1)) if forward or longest else 1
        edges.add((f"p{source}", f"p{target}", delay))
    if rng.random() < 0.3:
        edges.add(("in", f"p{count - 1}", 0))
    pairs = {(source, target): delay for source, target, delay in sorted(edges)}
    projections = _projections(core, pairs, maps, _largest(inputs, populations), rng)
    valued = [p.name for p in populations if core.values and rng.random() < 0.4]
    sources = {source for source, _ in pairs}
    outputs = tuple(
        Output(p.name, values=p.graded or (p.name in valued and p.name not in sources))
        for i, p in enumerate(populations)
        if i == count - 1 or rng.random() < 0.5
    )
    return Network(f"random_{count}", inputs, populations, projections, outputs)


def random_events(item: Input, rng: np.random.Generator, samples: int, steps: int, density: float) -> np.ndarray:
    """(B, T, n) for an input: each line has an event in a step with probability ``density``, with any payload."""
    shape = (samples, steps, item.size)
    return rng.integers(1, item.largest + 1, shape) * (rng.random(shape) < density)


def _largest(inputs: tuple[Input, ...], populations: tuple[Population, ...]) -> dict[str, int]:
    """The largest magnitude of every source's events."""
    found = {item.name: item.largest for item in inputs}
    return found | {p.name: 1 << (p.widths["v"] - 1) if p.graded else 1 for p in populations}


def _projections(core: CoreConfig, pairs, maps: dict[str, Shape], largest, rng) -> tuple[Projection, ...]:
    """Weights as large as the accumulator allows at most: the compiler's proof must hold for every neuron."""
    low, high = signed_range(core.weight_bits)
    limit = signed_range(core.accumulator_bits)[1]
    sizes = {name: math.prod(shape) for name, shape in maps.items()}
    projections = []
    for (source, target), delay in pairs.items():
        fan_in = sum(sizes[s] * largest[s] for s, t in pairs if t == target)
        most = max(1, min(high, limit // fan_in))
        reach = (max(low, -most), most + 1)
        density = rng.choice([0.05, 0.2, 0.5] if core.store == "sparse" else [0.3, 0.7, 1.0])
        if core.store == "conv" and rng.random() < 0.8:
            weights = _kernel(maps[source], maps[target], reach, density, rng)
        else:
            weights = _weights((sizes[source], sizes[target]), reach, density, rng)
        projections.append(Projection(source, target, weights, delay))
    return tuple(projections)


def _weights(shape: tuple[int, ...], reach: tuple[int, int], density: float, rng) -> np.ndarray:
    weights = rng.integers(*reach, size=shape)
    weights[rng.random(shape) > density] = 0
    return weights.astype(np.int64)


def _map(core: CoreConfig, size: int, rng: np.random.Generator) -> Shape:
    """Channels, rows and columns of a map of at most ``size`` neurons; without kernels, and sometimes, of one row."""
    if core.store != "conv":
        return 1, 1, size
    channels = int(rng.integers(1, min(size, 6) + 1))
    rows = 1 if rng.random() < 0.2 else int(rng.integers(1, size // channels + 1))
    return channels, rows, int(rng.integers(1, size // (channels * rows) + 1))


def _kernel(source: Shape, target: Shape, reach: tuple[int, int], density: float, rng: np.random.Generator) -> Kernel:
    """Any kernel from ``source`` to ``target``: what it reads outside the source map is 0, so all combinations do."""
    divisors = [n for n in range(1, source[0] + 1) if source[0] % n == 0 and target[0] % n == 0]
    groups = int(rng.choice(divisors))
    size = [int(rng.integers(1, min(5, 2 * length) + 1)) for length in source[1:]]
    stride, dilation = (tuple(int(n) for n in rng.choice([1, 1, 2, 3], size=2)) for _ in range(2))
    padding = tuple(int(rng.integers(-1, (n - 1) * d + 1)) for n, d in zip(size, dilation, strict=True))
    weights = _weights((target[0], source[0] // groups, *size), reach, density, rng)
    return Kernel(weights, source, target, stride, padding, dilation, groups)


def _population(core: CoreConfig, name: str, size: int, rng: np.random.Generator) -> Population:
    config = core.neuron
    parameters = dict(config.constants)
    for scope in SCOPES:
        for parameter in config.tabled(scope):
            shape = (size,) if scope == "per_neuron" else ()
            values = _draw(parameter, config, rng, shape)
            parameters[parameter.name] = values if shape else int(values)
    free = {state.name for state in config.spec.STATE if state.signed and not state.fixed}
    graded = core.graded and core.values and rng.random() < 0.25
    widths = {k: v for k, v in config.widths.items() if k in free}
    return Population(name, size, config.model, parameters, widths, graded)


def _draw(parameter, config: NeuronConfig, rng: np.random.Generator, shape) -> np.ndarray:
    """Values that make neurons lively: low thresholds, small shifts, the occasional extreme."""
    if parameter.choices is not None:
        return rng.integers(len(parameter.choices), size=shape)
    top = signed_range(config.widths["v"])[1]
    if parameter.name == "threshold":
        return rng.integers(1, max(2, top // rng.choice([2, 4, 16, 64])), size=shape)
    if parameter.name in ("v_init", "u_init") and rng.random() < 0.15:
        return rng.choice(signed_range(config.widths[parameter.name[0]]), size=shape)
    if parameter.name in ("bias", "reset_value", "v_init", "u_init"):
        reach = max(1, top // 8) if rng.random() < 0.7 else 0
        return rng.integers(-reach, reach + 1, size=shape)
    if parameter.name == "exponent":
        return rng.integers(0, 4, size=shape)
    if parameter.name == "leak_shift":
        return rng.choice([1, 2, 3, 4, 5, 14], size=shape)
    if parameter.name.startswith("decay"):
        return rng.choice([0, 1, 128, 511, 1024, 3000, 4095, 1 << DECAY_BITS], size=shape)
    if parameter.name == "refractory_ticks":
        return rng.choice([0, 0, 0, 1, 2, 5, 217], size=shape)
    raise KeyError(parameter.name)
