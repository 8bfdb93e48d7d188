"""Any network on any fabric in any placement: ``golden.fabric`` from the image equals ``golden.network``."""

import numpy as np
import pytest

from golden import samples
from golden.fabric import Fabric
from rtl_tests.property_cases import ALL_FABRICS, EVERYWHERE, IN_STORES, Coverage, case

SEED, CASES = 20, 60


@pytest.fixture(scope="module")
def coverage():
    return Coverage()


@pytest.mark.parametrize("name", ALL_FABRICS)
def test_mapped_networks_compute_what_the_network_computes(name, coverage):
    print(f"seed {SEED}")
    for index in range(CASES):
        drawn = case(name, SEED, index)
        found = samples.run(Fabric(drawn.image), drawn.inputs, overlapped=drawn.mode == "overlapped")
        for output in drawn.network.outputs:
            part = "values" if output.values else "spikes"
            got, wanted = (getattr(r, part)[output.population] for r in (found, drawn.expected))
            assert np.array_equal(got, wanted), f"{drawn}, output {output.population}"
        coverage.see(drawn)


def test_the_cases_reached_everything(coverage):
    print(dict(coverage.counts))
    coverage.require(*EVERYWHERE, *IN_STORES, least=5)
