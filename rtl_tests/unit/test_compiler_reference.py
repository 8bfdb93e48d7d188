"""The float reference: equal to its equations written out neuron by neuron, whatever the graph."""

import numpy as np
import pytest

from neurogen.compiler import reference
from neurogen.compiler.source import Source, SourcePopulation, SourceProjection
from neurogen.spec.errors import InputError
from neurogen.spec.kernels import Kernel
from neurogen.spec.network import Input, Network, Output, Population, Projection

RESETS = ("zero", "subtract", "none")
TIMINGS = ("same_step", "delayed", "snntorch_immediate")
SEEDS = range(40)
SAMPLES, STEPS = 2, 9


def random_source(rng: np.random.Generator) -> Source:
    """Three populations of all conventions; every source reaches every target, backwards one or two steps later."""
    sizes = {"x": 4, "y": 2, "a": 3, "b": 5, "c": 2}
    populations = tuple(
        SourcePopulation(
            name,
            sizes[name],
            rng.choice(["lif", "cuba_lif"]),
            {
                "keep": rng.uniform(0.5, 1, sizes[name]),
                "keep_u": 0.5,
                "bias": rng.normal(0, 0.1, sizes[name]),
                "bias_u": 0.05,
                "threshold": rng.uniform(0.5, 1.5, sizes[name]),
                "reset_value": -0.25,
                "v_init": rng.normal(0, 0.5, sizes[name]),
                "refractory": rng.integers(0, 4, sizes[name]) * rng.integers(0, 2),
            },
            rng.choice(RESETS),
            rng.choice(TIMINGS),
            rng.choice(["gt", "ge"]),
        )
        for name in "abc"
    )
    order = list(sizes)
    projections = tuple(
        SourceProjection(
            source,
            target,
            rng.normal(0.2, 0.6, (sizes[source], sizes[target])),
            int(rng.integers(1, 3)) if order.index(source) >= order.index(target) else int(rng.integers(0, 2)),
        )
        for source in order
        for target in "abc"
        if rng.random() < 0.6
    )
    return Source(
        "s", (Input("x", 4), Input("y", 2)), populations, projections, (Output("c"), Output("b", values=True))
    )


def twin(source: Source, events: dict[str, np.ndarray]) -> tuple[dict, dict]:
    """Spikes and stored membranes of one sample, as lists [step][neuron], from the equations in ``source``."""
    spikes = {name: values.tolist() for name, values in events.items()}
    steps = len(next(iter(spikes.values())))
    state = {p.name: [(0.0, v, 0) for v in p.parameter("v_init")] for p in source.populations}
    membranes = {p.name: [] for p in source.populations}
    spikes |= {p.name: [] for p in source.populations}
    for step in range(steps):
        for p in source.populations:
            rows = [_neuron(p, j, *state[p.name][j], _drive(source, p.name, j, spikes, step)) for j in range(p.size)]
            state[p.name] = [row[:3] for row in rows]
            membranes[p.name].append([row[1] for row in rows])
            spikes[p.name].append([row[3] for row in rows])
    return spikes, membranes


def _drive(source: Source, name: str, j: int, spikes: dict, step: int) -> float:
    return sum(
        event * projection.weights[i, j]
        for projection in source.projections
        if projection.target == name and step >= projection.delay
        for i, event in enumerate(spikes[projection.source][step - projection.delay])
    )


def _neuron(p: SourcePopulation, j: int, u: float, v: float, held: int, drive: float) -> tuple[float, float, int, int]:
    at = {key: float(p.parameter(key)[j]) for key in reference._PARAMETERS}

    def fires(v: float) -> int:
        return int(v > at["threshold"] if p.compare == "gt" else v >= at["threshold"])

    if p.model == "cuba_lif":
        u = drive = at["keep_u"] * u + drive + at["bias_u"]
    r = fires(v) if p.reset_timing != "same_step" else 0
    v = at["keep"] * (at["reset_value"] if r and p.reset == "zero" else v) + drive + at["bias"]
    v -= at["threshold"] if r and p.reset == "subtract" else 0
    if held > 0:
        v = at["reset_value"]
    s = fires(v) if held <= 0 else 0
    if p.reset == "subtract" and p.reset_timing != "delayed":
        v -= at["threshold"] * (s - r)
    if p.reset == "zero" and p.reset_timing == "same_step" and s:
        v = at["reset_value"]
    if p.reset == "zero" and p.reset_timing == "snntorch_immediate":
        v -= v * (s - r)
    return u, v, int(at["refractory"]) - 1 if s else held - 1, s


def test_it_is_the_equations_written_out():
    spikes = delayed = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        source = random_source(rng)
        events = {item.name: (rng.random((SAMPLES, STEPS, item.size)) < 0.5).astype(np.uint8) for item in source.inputs}
        result = reference.run(source, events, record="abc", membranes="ac")
        for sample in range(SAMPLES):
            wanted, membranes = twin(source, {name: values[sample] for name, values in events.items()})
            for name in "abc":
                assert result.spikes[name][sample].tolist() == wanted[name], (seed, name)
                np.testing.assert_allclose(result.values[name][sample], membranes[name], atol=1e-9, err_msg=str(seed))
        spikes += sum(int(result.spikes[name].sum()) for name in "abc")
        delayed += sum(projection.delay > 0 for projection in source.projections)
    assert spikes > 1000
    assert delayed > 100


def test_kernels_are_their_matrices():
    rng = np.random.default_rng(1)
    kernel = Kernel(rng.normal(size=(3, 2, 3, 3)), (2, 5, 4), (3, 3, 2), stride=(2, 2), padding=(1, 1))
    found = []
    for weights in (kernel, kernel.matrix.toarray()):
        population = SourcePopulation("p", 18, "lif", {"keep": 0.9, "threshold": 1.0})
        source = Source("s", (Input("x", 40),), (population,), (SourceProjection("x", "p", weights),), (Output("p"),))
        events = (np.random.default_rng(2).random((3, 6, 40)) < 0.4).astype(np.uint8)
        found.append(reference.run(source, {"x": events}, membranes=["p"]))
    assert found[0].spikes["p"].sum() > 20
    np.testing.assert_array_equal(found[0].spikes["p"], found[1].spikes["p"])
    np.testing.assert_allclose(found[0].values["p"], found[1].values["p"])


def integrator(**changes) -> Source:
    population = SourcePopulation("p", 1, "lif", {"keep": 1.0, "threshold": 2.0}, **changes)
    projection = SourceProjection("x", "p", np.array([[1.5]]))
    return Source("s", (Input("x", 1),), (population,), (projection,), (Output("p"),))


def test_ranges_are_those_before_a_reset():
    result = reference.run(integrator(), {"x": np.ones((1, 3, 1), np.uint8)}, membranes=["p"])
    assert result.values["p"].ravel().tolist() == [1.5, 1.0, 0.5]
    assert result.ranges["p"] == {"v": (0.0, 3.0)}


def test_chunks_and_functions_change_nothing(monkeypatch):
    events = np.random.default_rng(0).integers(0, 2, (10, 7, 1)).astype(np.uint8)
    whole = reference.run(integrator(), {"x": events})
    monkeypatch.setattr(reference, "_CHUNK_VALUES", 7 * 3 * 4)
    progress = []
    fed = reference.run(
        integrator(), {"x": lambda a, b: events[a:b]}, samples=10, progress=lambda *at: progress.append(at)
    )
    assert progress == [(4, 10), (8, 10), (10, 10)]
    np.testing.assert_array_equal(whole.spikes["p"], fed.spikes["p"])


INTEGERS = Network(
    "n",
    (Input("x", 1),),
    (Population("p", 1, "if", {}),),
    (Projection("x", "p", np.array([[1]])),),
    (Output("p"),),
)


@pytest.mark.parametrize(
    ("source", "inputs", "message"),
    [
        (integrator(), {}, "inputs none were given; 's' has x"),
        (integrator(), {"y": 0}, "inputs y were given; 's' has x"),
        (integrator(), {"x": np.zeros((1, 3), int)}, "input 'x' has shape (1, 3), not (samples, steps, 1)"),
        (integrator(), {"x": np.zeros((1, 3, 2), int)}, "input 'x' has shape (1, 3, 2), not (samples, steps, 1)"),
        (integrator(), {"x": lambda a, b: None}, "the number of samples is not known: no input is an array"),
        (Source("n", network=INTEGERS), {}, "network 'n' holds integers; it has no float equations to run"),
    ],
)
def test_wrong_inputs_are_refused(source, inputs, message):
    with pytest.raises(InputError) as error:
        reference.run(source, inputs)
    assert str(error.value) == message
