"""Run real frameworks on random spikes and compare every spike and membrane with the float reference.

Each network is made in a framework, run there, exported to NIR by the framework's own exporter, read by neurogen and
run by ``compiler.reference``. Needs the extra ``frameworks``; a framework that is not installed is passed over.

    python scripts/check_frameworks.py             compare
    python scripts/check_frameworks.py --record    compare, and write what the tests replay without the frameworks
"""

import argparse
import importlib.metadata
import importlib.util
import io
import itertools
import json
import os
import sys
import tempfile
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PIP_NO_INDEX"] = "1"  # sinabs tries to install a driver when it is imported

from neurogen.compiler import Options, read, reference  # noqa: E402

RECORDS = ROOT / "rtl_tests" / "data" / "frameworks"
SAMPLES, STEPS, DENSITY = 4, 50, 0.4
SIZES = (12, 16, 8)
MAP = (2, 8, 7)  # input of the convolutional networks
TOLERANCE = 1e-4  # frameworks compute in float32
TIMINGS = {True: "delayed", False: "snntorch-immediate"}


@dataclass(frozen=True)
class Case:
    """What a framework did: ``spikes`` and ``membranes`` (B, T, n) by population, for the network in ``nir``."""

    name: str
    options: dict[str, str | float]
    nir: bytes
    x: np.ndarray
    spikes: dict[str, np.ndarray]
    membranes: dict[str, np.ndarray]


def snntorch() -> Iterator[Case]:
    """Leaky in all reset modes, also with numbers that float32 and integers hold exactly; RLeaky; Synaptic; Conv2d.

    RLeaky and Synaptic with a delayed reset to zero ignore all input in the step after a spike. We say the same with a
    refractory step, so membranes that fire, which we have reset already, are not compared.
    """
    import snntorch as snn
    import torch
    from snntorch.export_nir import export_to_nir

    def case(name: str, first, second, names=("lif1", "lif2"), steps=STEPS, exact=False, **options) -> Case:
        net = chain(first, second, exact=exact)
        x, traces = stepped(net, lambda module, s: module(s), lambda module: module.mem, steps)
        traces = dict(zip(names, traces.values(), strict=True))
        if "framework" in options and options.get("reset") == "zero":
            traces = {key: (spikes, membrane * (1 - spikes)) for key, (spikes, membrane) in traces.items()}
        return finished(
            f"snntorch_{name}", options, export_to_nir(net, torch.zeros(1, SIZES[0]), ignore_dims=[0]), x, traces
        )

    def leaky(size: int, **how):
        values = {"beta": torch.rand(size) * 0.5 + 0.5, "threshold": torch.rand(size) + 0.5}
        return snn.Leaky(**values | how, init_hidden=True)

    for reset, delay in itertools.product(("subtract", "zero", "none"), TIMINGS):
        how, said = {"reset_mechanism": reset, "reset_delay": delay}, {"reset": reset, "reset_timing": TIMINGS[delay]}
        yield case(f"leaky_{reset}_{TIMINGS[delay]}", *(leaky(n, **how) for n in SIZES[1:]), **said)
        halves = [leaky(n, beta=torch.full((n,), 0.5), threshold=torch.full((n,), 1.25), **how) for n in SIZES[1:]]
        yield case(f"exact_{reset}_{TIMINGS[delay]}", *halves, steps=12, exact=True, **said)
    for reset, delay in itertools.product(("subtract", "zero"), TIMINGS):
        how = {"reset_mechanism": reset, "reset_delay": delay, "init_hidden": True}
        said = {"reset": reset, "reset_timing": TIMINGS[delay]} | ({"framework": "snntorch"} if delay else {})
        recurrent = [snn.RLeaky(beta=0.9, linear_features=n, **how) for n in SIZES[1:]]
        yield case(f"rleaky_{reset}_{TIMINGS[delay]}", *recurrent, names=("lif1_lif", "lif2_lif"), **said)
    values = [
        {"alpha": torch.full((n,), 0.5), "beta": torch.full((n,), 0.9), "threshold": torch.ones(n)} for n in SIZES[1:]
    ]
    for reset in ("subtract", "zero"):
        currents = [snn.Synaptic(**value, reset_mechanism=reset, init_hidden=True) for value in values]
        yield case(f"synaptic_{reset}", *currents, framework="snntorch", reset=reset)
    full = [{"beta": torch.full(shape, 0.8), "threshold": torch.ones(shape)} for shape in ((4, 4, 7), SIZES[2:])]
    net = convolutional(*(snn.Leaky(**value, init_hidden=True) for value in full))
    x, traces = stepped(net, lambda module, s: module(s), lambda module: module.mem, shape=MAP)
    graph = export_to_nir(net, torch.zeros(1, *MAP), ignore_dims=[0])
    yield finished("snntorch_conv", {"framework": "snntorch"}, graph, x, traces)


def norse() -> Iterator[Case]:
    """LIFBox (no current), LIF (with one), IAF."""
    import norse.torch as norse
    import torch
    from norse.torch.utils.export_nir import to_nir

    def box(**values):
        return norse.LIFBoxCell(norse.LIFBoxParameters(**{k: torch.as_tensor(v) for k, v in values.items()}))

    def current(**values):
        return norse.LIFCell(norse.LIFParameters(**{k: torch.as_tensor(v) for k, v in values.items()}))

    cells = {
        "lif_box": [box(tau_mem_inv=100.0, v_th=0.1), box(tau_mem_inv=200.0, v_th=0.05, v_leak=0.01)],
        "lif": [current(tau_mem_inv=100.0, tau_syn_inv=200.0, v_th=0.2), current(v_th=0.1)],
    }
    for name, (first, second) in cells.items():
        net = chain(first, second, gain=2.0)
        states = {}

        def call(module, s, states=states):
            if isinstance(module, torch.nn.Linear):
                return module(s)
            s, states[module] = module(s, states.get(module))
            return s

        x, traces = stepped(net, call, lambda module, states=states: states[module].v)
        graph = to_nir(norse.SequentialState(*net), torch.zeros(1, SIZES[0]))
        kind = "cubalif" if name == "lif" else "lif"
        traces = {f"{kind}_{at}": trace for at, trace in zip((1, 3), traces.values(), strict=True)}
        yield finished(f"norse_{name}", {"framework": "norse"}, graph, x, traces)


def sinabs() -> Iterator[Case]:
    """LIF and IAF with one spike per step and no lower bound of the membrane, neither of which NIR can say."""
    import sinabs.layers as layers
    import torch
    from sinabs.activation import SingleSpike
    from sinabs.nir import to_nir

    how = {"spike_fn": SingleSpike, "min_v_mem": None, "record_states": True}
    pairs = {
        "lif": [layers.LIF(tau_mem=10.0, spike_threshold=0.1, **how), layers.LIF(tau_mem=5.0, **how)],
        "iaf": [layers.IAF(**how), layers.IAF(spike_threshold=0.5, **how)],
    }
    for name, (first, second) in pairs.items():
        net = chain(first, second, gain=2.0)
        x = random_spikes()
        s, traces = torch.from_numpy(x).float(), {}
        for key, module in net.named_children():
            s = module(s)
            if hasattr(module, "recordings"):
                traces[key] = (s, module.recordings["v_mem"])
        graph = to_nir(net, torch.zeros(1, 1, SIZES[0]))
        yield finished(f"sinabs_{name}", {"framework": "sinabs"}, graph, x, traces)


def spikingjelly() -> Iterator[Case]:
    """LIF with and without decaying input, IF, CUBALIF, Conv2d; hard resets, which are all that it exports."""
    import torch
    from spikingjelly.activation_based import neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    pairs = {
        "lif": [neuron.LIFNode(tau=4.0, v_threshold=0.2), neuron.LIFNode(tau=3.0, decay_input=False)],
        "if": [neuron.IFNode(), neuron.IFNode(v_threshold=0.5, v_reset=-0.25)],
        "cuba": [neuron.CUBALIFNode(c_decay=0.5, v_decay=0.75), neuron.CUBALIFNode(c_decay=0.25, v_decay=0.5)],
    }
    for name, (first, second) in pairs.items():
        net = chain(first, second)
        x, traces = stepped(net, lambda module, s: module(s), lambda module: module.v)
        graph = export_to_nir(net, torch.zeros(SAMPLES, SIZES[0]), dt=1e-3)
        yield finished(f"spikingjelly_{name}", {"framework": "spikingjelly", "dt": 1e-3}, graph, x, traces)
    net = convolutional(neuron.LIFNode(tau=2.0, v_threshold=0.5), neuron.IFNode())
    x, traces = stepped(net, lambda module, s: module(s), lambda module: module.v, shape=MAP)
    graph = export_to_nir(net, torch.zeros(SAMPLES, *MAP), dt=1e-3)
    yield finished("spikingjelly_conv", {"framework": "spikingjelly", "dt": 1e-3}, graph, x, traces)


def rockpool() -> Iterator[Case]:
    """LIFTorch (with a current) and LIFNeuronTorch, at most one spike per step."""
    import torch
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIFNeuronTorch, LIFTorch, LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    one = {"max_spikes_per_dt": 1, "dt": 1e-3}
    pairs = {
        "lif": [LIFTorch(SIZES[1], tau_mem=0.02, tau_syn=0.01, threshold=2.0, **one),
                LIFTorch(SIZES[2], tau_mem=0.01, tau_syn=0.005, **one)],
        "lif_neuron": [LIFNeuronTorch(SIZES[1], tau_mem=0.02, **one), LIFNeuronTorch(SIZES[2], tau_mem=0.01, **one)],
    }  # fmt: skip
    for name, (first, second) in pairs.items():
        net = Sequential(LinearTorch(SIZES[:2]), first, LinearTorch(SIZES[1:]), second)
        x = random_spikes()
        _, _, record = net(torch.from_numpy(x).float(), record=True)
        kind = type(first).__name__
        traces = {f"{at}_{kind}": (record[f"{at}_{kind}"]["spikes"], record[f"{at}_{kind}"]["vmem"]) for at in (1, 3)}
        traces = {("lif_" if name == "lif_neuron" else "cubalif_") + key: trace for key, trace in traces.items()}
        yield finished(f"rockpool_{name}", {"framework": "rockpool"}, to_nir(net), x, traces)


FRAMEWORKS: dict[str, Callable[[], Iterator[Case]]] = {
    f.__name__: f for f in (snntorch, norse, sinabs, spikingjelly, rockpool)
}


def random_spikes(steps: int = STEPS, size: int = SIZES[0]) -> np.ndarray:
    """(B, T, n), the same for every case."""
    return (np.random.default_rng(1).random((SAMPLES, steps, size)) < DENSITY).astype(np.uint8)


def chain(first, second, gain: float = 1.0, exact: bool = False):
    """Linear, neurons, linear, neurons. ``exact``: weights are eighths."""
    import torch

    linears = [torch.nn.Linear(*sizes) for sizes in itertools.pairwise(SIZES)]
    with torch.no_grad():
        for linear in linears:
            linear.weight.normal_(0.05, 0.5).mul_(gain)
            linear.bias.normal_(0, 0.05)
            if exact:
                linear.weight.copy_(torch.round(8 * linear.weight) / 8)
                linear.bias.copy_(torch.randint(-1, 2, linear.bias.shape) / 8)
    return torch.nn.Sequential(OrderedDict(fc1=linears[0], lif1=first, fc2=linears[1], lif2=second))


def convolutional(first, second):
    """Conv2d with a stride and padding, neurons, average pooling, Linear, neurons."""
    import torch

    conv, linear = torch.nn.Conv2d(2, 4, 3, stride=(2, 1), padding=1), torch.nn.Linear(4 * 2 * 3, SIZES[2])
    with torch.no_grad():
        conv.weight.normal_(0.05, 0.4)
        linear.weight.normal_(0.2, 1.5)
    pooling = {"pool": torch.nn.AvgPool2d(2), "flatten": torch.nn.Flatten()}
    return torch.nn.Sequential(OrderedDict(conv1=conv, lif1=first, **pooling, fc2=linear, lif2=second))


def stepped(net, call: Callable, membrane: Callable, steps: int = STEPS, shape: tuple[int, ...] = SIZES[:1]):
    """Random spikes, and by layer what modules that are called step by step made of them."""
    import torch

    x = random_spikes(steps, int(np.prod(shape)))
    found = {name: ([], []) for name, _ in net.named_children() if name.startswith("lif")}
    for step in range(steps):
        s = torch.from_numpy(x[:, step]).float().reshape(-1, *shape)
        for name, module in net.named_children():
            s = call(module, s)
            if name in found:
                for trace, value in zip(found[name], (s, membrane(module)), strict=True):
                    trace.append(value.detach().clone())
    return x, {name: [torch.stack(trace, 1) for trace in traces] for name, traces in found.items()}


def finished(name: str, options: dict, graph, x: np.ndarray, traces: dict) -> Case:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        _write(file.create_group("node"), graph.to_dict())
    data = buffer.getvalue()
    flat = {
        key: [part.detach().numpy().reshape(*part.shape[:2], -1) for part in trace] for key, trace in traces.items()
    }
    spikes = {key: trace[0].astype(np.uint8) for key, trace in flat.items()}
    membranes = {key: trace[1].astype(np.float32) for key, trace in flat.items()}
    return Case(name, options, data, x, spikes, membranes)


def _write(group: h5py.Group, values: dict) -> None:
    """What ``nir.write`` does, which fails for the 0-d arrays that some exporters make."""
    for key, value in values.items():
        if isinstance(value, dict):
            _write(group.create_group(key), value)
        elif value is not None:
            group.create_dataset(key, data=value)


def difference(case: Case) -> tuple[int, float]:
    """How many spikes differ, and the largest difference of a membrane, as a part of the largest membrane."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nir"
        path.write_bytes(case.nir)
        source = read(path, Options(**case.options))
    found = reference.run(source, {source.inputs[0].name: case.x}, record=case.spikes, membranes=case.membranes)
    wrong = sum(int((found.spikes[name] != spikes).sum()) for name, spikes in case.spikes.items())
    return wrong, max(float(np.abs(found.values[n] - v).max() / np.abs(v).max()) for n, v in case.membranes.items())


def record(case: Case, version: str) -> None:
    """One small file that the tests replay."""
    header = {"options": case.options, "version": version, "populations": list(case.spikes)}
    arrays = {f"spikes.{name}": np.packbits(spikes) for name, spikes in case.spikes.items()}
    arrays |= {f"membranes.{name}": values for name, values in case.membranes.items()}
    buffer = io.BytesIO()
    nir = np.frombuffer(case.nir, np.uint8)
    np.savez_compressed(buffer, header=np.array(json.dumps(header)), nir=nir, x=case.x, **arrays)
    RECORDS.mkdir(parents=True, exist_ok=True)
    (RECORDS / f"{case.name}.npz").write_bytes(buffer.getvalue())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frameworks", nargs="*", choices=[*FRAMEWORKS, []], default=[], help="default: all")
    parser.add_argument("--record", action="store_true", help=f"write {RECORDS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    compared = bad = 0
    for name in arguments.frameworks or FRAMEWORKS:
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed")
            continue
        import torch

        version = importlib.metadata.version(name)
        print(f"{name} {version}, torch {torch.__version__}")
        torch.manual_seed(0)
        for case in FRAMEWORKS[name]():
            wrong, distance = difference(case)
            fired = {key: f"{spikes.mean():.0%}" for key, spikes in case.spikes.items()}
            verdict = "equal" if not wrong and distance < TOLERANCE else "DIFFERENT"
            print(f"  {case.name}: {verdict}, {wrong} spikes, membranes within {distance:.1e}; firing {fired}")
            compared, bad = compared + 1, bad + (verdict != "equal")
            if arguments.record:
                record(case, f"{name} {version}, torch {torch.__version__}")
    print(f"{compared} networks compared, {bad} differ")
    return 0 if compared and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
