"""NeuroBench: its metrics on a quantised network, by its own definitions, and a model that its harness can run.

J. Yik et al., "The neurobench framework for benchmarking neuromorphic computing algorithms and systems", Nature
Communications 16:1545, 2025; definitions as in the package ``neurobench`` 2.3. :func:`static` and :func:`workload` need
NumPy only; :class:`GoldenModel` needs the extra ``neurobench`` (which brings torch).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from golden import network as golden_network

from .spec.kernels import Kernel
from .spec.network import Network, Population, Projection

INTEGERS = (np.int8, np.int16, np.int32, np.int64)


def container(bits: int) -> type[np.signedinteger]:
    """The narrowest integer of whole bytes that holds ``bits`` bits."""
    return next(kind for kind in INTEGERS if np.iinfo(kind).bits >= bits)


def weights(projection: Projection) -> np.ndarray:
    """What is stored of a projection's weights, in the narrowest container."""
    low, high = projection.extremes
    bits = max(int(low).bit_length(), int(high).bit_length()) + 1
    return projection.values.astype(container(bits))


def buffers(network: Network) -> dict[str, np.ndarray]:
    """Everything else that the network keeps: parameters of its neurons, and their registers in the initial state."""
    found = {}
    for population in network.populations:
        for parameter in population.spec.PARAMETERS:
            values = np.asarray(population.parameter(parameter.name))
            bits = parameter.width(population.widths) + (not parameter.signed)
            found[f"{population.name}.{parameter.name}"] = values.astype(container(bits))
        for register, bits in population.widths.items():
            found[f"{population.name}.state.{register}"] = np.zeros(population.size, dtype=container(bits))
    return found


def static(network: Network) -> dict[str, Any]:
    """Metrics of the network alone.

    ``Footprint``           bytes of weights (kernels as kernels), neuron parameters and state, integers in whole bytes.
    ``ParameterCount``      weights that are kept.
    ``ConnectionSparsity``  share of these that are 0.
    """
    kept = [weights(projection) for projection in network.projections]
    count = sum(values.size for values in kept)
    return {
        "Footprint": sum(array.nbytes for array in [*kept, *buffers(network).values()]),
        "ParameterCount": count,
        "ConnectionSparsity": round(sum(int((values == 0).sum()) for values in kept) / count, 4),
    }


def workload(network: Network, found: golden_network.Result, samples: int, steps: int) -> dict[str, Any]:
    """Metrics of a run of ``samples`` samples of ``steps`` steps by ``golden.network``.

    ``SynapticOperations``  a sample: events that met a synapse other than 0, as ``Effective_ACs`` where events are
                            binary and as ``Effective_MACs`` where they are graded; ``Dense``, if every source had an
                            event in every step and every synapse counted.
    ``ActivationSparsity``  share of neurons and steps without a spike, over all populations that spike.
    """
    graded = {item.name for item in network.inputs if item.payload_bits}
    graded |= {population.name for population in network.populations if population.graded}
    operations: dict[bool, int] = {False: 0, True: 0}
    for projection, count in zip(network.projections, found.operations, strict=True):
        operations[projection.source in graded] += count
    spiking = spiking_populations(network)
    sites = sum(population.size for population in spiking) * steps * samples
    fired = sum(found.counts[population.name] for population in spiking)
    return {
        "SynapticOperations": {
            "Effective_MACs": operations[True] / samples,
            "Effective_ACs": operations[False] / samples,
            "Dense": steps * sum(connections(projection) for projection in network.projections),
        },
        "ActivationSparsity": 1 - fired / sites if sites else 0.0,
    }


def spiking_populations(network: Network) -> list[Population]:
    """Populations that send spikes: neither values to the host nor graded events."""
    values = {output.population for output in network.outputs if output.values}
    return [p for p in network.populations if not p.graded and p.name not in values]


def connections(projection: Projection) -> int:
    """Synapses, whether their weight is 0 or not; those of a kernel do not reach into the padding."""
    if not isinstance(projection.weights, Kernel):
        return projection.values.size
    kernel = projection.weights
    return int(replace(kernel, weights=np.ones_like(kernel.weights)).fan_out.sum())


def model(network: Network) -> Any:
    """``network`` as a NeuroBenchModel: what ``neurobench.benchmarks.Benchmark`` runs, computed by ``golden.network``.

    A batch is a tensor (B, T, n) of the network's one input; the result is a float64 tensor (B, T, n_out) of its first
    output's spikes, or its values. Weights and buffers are the integers of :func:`weights` and :func:`buffers`.

    Raises InputError for a network with several inputs, ImportError without the extra ``neurobench``.
    """
    from ._neurobench_model import GoldenModel

    return GoldenModel(network)
