"""The golden engines of ``simulate``: Y, accuracy, and going on after an interruption."""

import numpy as np
import pytest

from neurogen.flow import simulate as flow
from neurogen.flow.simulate import engines, simulate
from neurogen.flow.target import Target
from neurogen.spec.errors import InputError
from rtl_tests import shipped
from rtl_tests.random_cases import random_case

FOUR_BITS = {"quantise": {"weight_bits": 4}}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return shipped.first(40, tmp_path_factory.mktemp("x"))


def test_network_and_fabric_write_the_same(digits, tmp_path):
    found = {
        engine: simulate(None, digits, tmp_path / f"{engine}.npz", engine, options=FOUR_BITS)
        for engine in ("network", "fabric")
    }
    assert (tmp_path / "network.npz").read_bytes() == (tmp_path / "fabric.npz").read_bytes()
    assert found["network"].accuracy == found["fabric"].accuracy >= 0.85
    assert sum(int(spikes.sum()) for spikes in found["network"].spikes.values()) > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fabric.npz", "network.npz"]


def test_an_interrupted_run_goes_on(digits, tmp_path, monkeypatch):
    whole = simulate(None, digits, tmp_path / "whole.npz", "fabric", options=FOUR_BITS)
    monkeypatch.setitem(flow.CHUNKS, "fabric", 10)
    run, chunks = flow.golden_samples.run, []

    def stopped(fabric, inputs):
        chunks.append(len(inputs["input"]))
        if len(chunks) == 3:
            raise KeyboardInterrupt
        return run(fabric, inputs)

    monkeypatch.setattr(flow.golden_samples, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        simulate(None, digits, tmp_path / "y.npz", "fabric", options=FOUR_BITS)
    assert not (tmp_path / "y.npz").exists()
    progress = []
    again = simulate(
        None, digits, tmp_path / "y.npz", "fabric", progress=lambda *p: progress.append(p), options=FOUR_BITS
    )
    assert chunks == [10] * 5 and progress[-1] == (4, 4)  # two were done, one was stopped, two were left
    assert (tmp_path / "y.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert again.correct == whole.correct
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole.npz", "y.npz"]


def test_several_outputs_have_names(tmp_path):
    case = next(c for c in (random_case("if_1x4", seed) for seed in range(60)) if len(c.network.outputs) > 1)
    target = Target("case", "", case.network, case.image)
    key = "spikes/{}" if len(case.inputs) > 1 else "spikes"
    np.savez(tmp_path / "x.npz", **{key.format(name): values for name, values in case.inputs.items()})
    found = [simulate(target, tmp_path / "x.npz", tmp_path / f"{e}.npz", e) for e in ("network", "fabric")]
    assert (tmp_path / "network.npz").read_bytes() == (tmp_path / "fabric.npz").read_bytes()
    assert found[0].accuracy is None and len({**found[0].spikes, **found[0].values}) == len(case.network.outputs)


def test_unknown_engines_and_rules_are_refused_before_the_work(digits, tmp_path):
    with pytest.raises(InputError) as error:
        simulate(None, digits, tmp_path / "y.npz", "abacus")
    assert str(error.value) == f"engine is one of {', '.join(engines())}, not 'abacus'"
    with pytest.raises(InputError, match=r"^decide 'last' reads values, which this network does not deliver"):
        simulate(None, digits, tmp_path / "y.npz", decide="last")


def test_a_place_that_does_not_exist_is_refused_before_the_work(digits, tmp_path):
    path = tmp_path / "none" / "y.npz"
    with pytest.raises(InputError) as error:
        simulate(None, digits, path)
    assert str(error.value) == f"{path}: cannot be written: the directory does not exist or is not ours to write in"
