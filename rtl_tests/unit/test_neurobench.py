"""NeuroBench's metrics: ours are what its own harness said of the same networks and samples."""

import json
from pathlib import Path

import numpy as np
import pytest

from golden import network as golden_network
from neurogen import neurobench
from neurogen.host import data
from neurogen.spec.kernels import Kernel
from rtl_tests.neurobench_cases import CASES

RECORDED = json.loads((Path(__file__).resolve().parents[1] / "data" / "neurobench.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_metrics_are_those_of_the_harness(name):
    """The harness ran on the golden model with scripts/neurobench_harness.py."""
    network, inputs, labels = CASES[name]()
    found = golden_network.run(network, {network.inputs[0].name: inputs})
    ours = neurobench.static(network) | neurobench.workload(network, found, len(inputs), inputs.shape[1])
    ours["ClassificationAccuracy"] = float((data.decide(found.spikes, found.values) == labels).mean())
    theirs = RECORDED[name]
    assert set(ours) == set(theirs)
    operations, expected = ours.pop("SynapticOperations"), theirs["SynapticOperations"]
    assert operations == pytest.approx(expected, rel=1e-12) and expected["Effective_ACs"] > 1000
    for metric, value in ours.items():
        assert value == pytest.approx(theirs[metric], rel=1e-6), metric
    assert (expected["Effective_MACs"] > 1000) == (name == "graded")


def test_sources_of_graded_events_cost_multiplications():
    network, inputs, _ = CASES["graded"]()
    found = golden_network.run(network, {"in": inputs})
    operations = neurobench.workload(network, found, 1, inputs.shape[1])["SynapticOperations"]
    assert operations["Effective_MACs"] == found.operations[0] > 0
    assert operations["Effective_ACs"] == sum(found.operations[1:]) > 0


def test_connections_of_a_kernel_stay_inside_its_source():
    network, *_ = CASES["kernels"]()
    for projection in network.projections[:2]:
        kernel = projection.weights
        ones = Kernel(**(vars(kernel) | {"weights": np.ones_like(kernel.weights)}))
        assert neurobench.connections(projection) == ones.matrix.nnz < kernel.weights[0].size * kernel.shape[1]
    assert neurobench.connections(network.projections[3]) == 25


def test_containers_are_the_narrowest_of_whole_bytes():
    assert [neurobench.container(bits).__name__ for bits in (1, 8, 9, 16, 17, 33)] == [
        "int8", "int8", "int16", "int16", "int32", "int64"]  # fmt: skip
