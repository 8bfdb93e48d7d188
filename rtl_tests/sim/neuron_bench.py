"""Runs a neuron of ``neurogen.rtl`` and of ``golden`` on the same rows: one row is a state, parameters and an input."""

import itertools

import numpy as np
from amaranth.sim import Simulator

from golden import neurons as golden_neurons
from neurogen.rtl import neurons
from neurogen.spec.config import NeuronConfig
from neurogen.spec.fields import Layout, bits_to_ints
from neurogen.spec.fixed import signed_range


def whole(bits):
    """Every value of a signed register."""
    low, high = signed_range(bits)
    return range(low, high + 1)


def all_rows(**choices):
    """The product of the choices of every column, as columns."""
    grid = itertools.product(*choices.values())
    return dict(zip(choices, np.array(list(grid), dtype=np.int64).T, strict=True))


def random_rows(config, accumulator_bits, count, rng):
    """Rows over the whole ranges, one value in four an extreme; seven neurons in ten are not refractory."""
    fields = {"current": signed_range(accumulator_bits)}
    fields |= {field.name: field.range for field in config.state_layout.fields}
    for parameter in config.tabled("per_population") + config.tabled("per_neuron"):
        low, high = parameter.field(config.widths).range
        if parameter.choices:
            high = max(parameter.choices)
        fields[parameter.name] = low, min(high, high if parameter.maximum is None else parameter.maximum)
    rows = {}
    for name, (low, high) in fields.items():
        values = rng.integers(low, high, size=count, endpoint=True)
        extremes = rng.choice([low, low + (high > low), 0, high], size=count)
        rows[name] = np.where(rng.random(count) < 0.25, extremes, values)
    rows["refractory"] = np.where(rng.random(count) < 0.7, 0, rows["refractory"])
    return rows


def expected(config, rows):
    """The golden model's next state and spikes, columns by name."""
    parameters = config.constants | {name: rows[name] for name in config.parameters if name in rows}
    state = {name: rows[name] for name in config.widths}
    after, spike = golden_neurons.model(config.model).step(state, parameters, rows["current"], config.widths)
    return {**after, "spike": spike}


def run(config: NeuronConfig, accumulator_bits, rows, seed, pause=0.1):
    """The hardware's next state and spikes, columns by name. ``enable`` is low in ``pause`` of the clocks."""
    neuron = neurons.model(config.model).Neuron(config, accumulator_bits)
    assert neuron.latency_cycles == golden_neurons.model(config.model).latency_cycles(config)
    rng = np.random.default_rng(seed)
    tabled = config.tabled("per_population") + config.tabled("per_neuron")
    layout = Layout("parameters", tuple(parameter.field(config.widths) for parameter in tabled))
    states = bits_to_ints(config.state_layout.to_bits(**{name: rows[name] for name in config.widths}))
    parameters = bits_to_ints(layout.to_bits(**{f.name: rows[f.name] for f in layout.fields})) if layout.width else None
    found = np.zeros((len(states), config.state_layout.width + 1), dtype=np.uint8)

    async def bench(ctx):
        state, tables, after = (port.as_value() for port in (neuron.state, neuron.parameters, neuron.next_state))
        for clock in range(len(states) + neuron.latency_cycles - 1):
            while rng.random() < pause:
                ctx.set(neuron.enable, 0)
                await ctx.tick()
            ctx.set(neuron.enable, 1)
            if clock < len(states):
                ctx.set(state, states[clock])
                ctx.set(neuron.current, int(rows["current"][clock]))
                if parameters is not None:
                    ctx.set(tables, parameters[clock])
            await ctx.tick()
            row = clock - neuron.latency_cycles + 1
            if row >= 0:
                packed = ctx.get(after) << 1 | ctx.get(neuron.spike)
                found[row] = [(packed >> at) & 1 for at in range(found.shape[1])]

    simulator = Simulator(neuron)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return config.state_layout.from_bits(found[:, 1:]) | {"spike": found[:, 0].astype(bool)}


def check(config, accumulator_bits, rows, seed=1):
    """Assert that hardware and golden model agree on every row; return what both say."""
    wanted, got = expected(config, rows), run(config, accumulator_bits, rows, seed)
    for name, column in wanted.items():
        wrong = np.flatnonzero(got[name] != column)
        if len(wrong):
            row = {key: int(values[wrong[0]]) for key, values in rows.items()}
            raise AssertionError(
                f"{config.model} {name}: expected {int(column[wrong[0]])}, got {int(got[name][wrong[0]])}"
                f" ({len(wrong)} of {len(column)} rows) at {row} with {config.constants}"
            )
    return wanted
