"""``golden.network`` against snnTorch: the same network, batch and steps, on one processor, in one process.

``python -m neurogen.flow.bench.race`` prints one line of JSON: seconds of each, the best of a few runs.
"""

import json
import os
import time
from itertools import pairwise

SAMPLES, STEPS, LAYERS, RUNS = 256, 16, (784, 128, 10), 5
DENSITY = 138 / 784 / STEPS
"""Spikes of a latency-coded MNIST image."""


def main() -> None:
    """Both, alternately."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    import numpy as np
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    weights = [rng.integers(-7, 8, shape) for shape in pairwise(LAYERS)]
    spikes = (rng.random((SAMPLES, STEPS, LAYERS[0])) < DENSITY).astype(np.uint8)
    runners = {"golden": _golden(weights, spikes), "snntorch": _snntorch(weights, spikes)}
    found = {name: [] for name in runners}
    for _ in range(RUNS):
        for name, runner in runners.items():
            start = time.perf_counter()
            runner()
            found[name].append(time.perf_counter() - start)
    print(json.dumps({name: min(times) for name, times in found.items()}))


def _golden(weights, spikes):
    from golden import network as golden_network
    from neurogen.spec.network import Input, Network, Output, Population, Projection

    names = ["in", *(f"layer{i}" for i in range(len(weights)))]
    populations = tuple(
        Population(name, matrix.shape[1], "lif", {"threshold": 32, "leak_shift": 4})
        for name, matrix in zip(names[1:], weights, strict=True)
    )
    projections = tuple(Projection(*pair, matrix) for *pair, matrix in zip(names, names[1:], weights, strict=False))
    network = Network("race", (Input("in", LAYERS[0]),), populations, projections, (Output(names[-1]),))
    return lambda: golden_network.run(network, {"in": spikes})


def _snntorch(weights, spikes):
    import snntorch
    import torch

    layers = [torch.nn.Linear(*matrix.shape, bias=False) for matrix in weights]
    for layer, matrix in zip(layers, weights, strict=True):
        layer.weight.data = torch.tensor(matrix.T, dtype=torch.float32)
    neurons = [snntorch.Leaky(beta=15 / 16, threshold=32.0) for _ in weights]
    inputs = torch.tensor(spikes, dtype=torch.float32).transpose(0, 1).contiguous()

    def run() -> None:
        with torch.no_grad():
            membranes = [neuron.init_leaky() for neuron in neurons]
            outputs = []
            for x in inputs:
                for index, (layer, neuron) in enumerate(zip(layers, neurons, strict=True)):
                    x, membranes[index] = neuron(layer(x), membranes[index])
                outputs.append(x)
            torch.stack(outputs)

    return run


if __name__ == "__main__":
    main()
