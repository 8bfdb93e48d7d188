"""The convolutional example through conv cores: its Verilog equals the golden model in every state, tick by tick."""

import numpy as np
import pytest

from neurogen import compiler
from neurogen.compiler import Options, Quantisation, Wishes
from neurogen.flow.target import Target
from neurogen.flow.verify import verify
from rtl_tests.cocotb.simulators import needs
from rtl_tests.unit.test_example_conv import EXAMPLE, images


@pytest.mark.parametrize("weight_bits", [8, 4])
def test_the_convolutional_network_equals_the_golden_model(weight_bits, tmp_path):
    np.savez(tmp_path / "x.npz", spikes=images()[0][[0, 500, 1000, 1500]])
    network = compiler.quantise(compiler.read(EXAMPLE, Options()), Quantisation(weight_bits))
    config = compiler.size(network, Wishes(name="conv", programmable=True)).config
    assert config.core.store == "conv" and config.nodes > 1
    target = Target(network.name, str(EXAMPLE), network, compiler.compile(network, config), folded=False)
    (found,) = verify(target, tmp_path / "x.npz", [needs("verilator")], samples=4)
    assert found.statistics.spikes > 2_000 and found.statistics.states > 50_000
    print(found)
