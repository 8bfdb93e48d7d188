"""Run NeuroBench's own harness on golden models and record what it says, for the unit tests to compare with.

Needs the extra ``neurobench``: ``python scripts/neurobench_harness.py`` rewrites ``rtl_tests/data/neurobench.json``.
"""

import json
import sys
from pathlib import Path

import torch
from neurobench import __version__
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
from neurobench.metrics.workload import ActivationSparsity, ClassificationAccuracy, SynapticOperations
from neurobench.processors.postprocessors import ChooseMaxCount
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "rtl_tests" / "data" / "neurobench.json"
BATCH = 64
STATIC = [Footprint, ConnectionSparsity, ParameterCount]
WORKLOAD = [SynapticOperations, ActivationSparsity, ClassificationAccuracy]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from neurogen.neurobench import model
    from rtl_tests.neurobench_cases import CASES

    found = {}
    for name, case in CASES.items():
        network, inputs, labels = case()
        data = TensorDataset(torch.from_numpy(inputs), torch.from_numpy(labels))
        benchmark = Benchmark(model(network), DataLoader(data, BATCH), [], [ChooseMaxCount()], [STATIC, WORKLOAD])
        found[name] = benchmark.run(quiet=True)
    RECORD.write_text(json.dumps({"neurobench": __version__, "torch": torch.__version__, **found}, indent=2) + "\n")


main()
