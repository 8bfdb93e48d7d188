"""What real frameworks did, as ``scripts/check_frameworks.py`` recorded it: read, in float and in integers."""

import json
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from golden import network as golden_network
from neurogen.compiler import Options, Quantisation, quantise, read, reference
from neurogen.compiler.source import Source
from neurogen.spec.network import Output

RECORDS = sorted((Path(__file__).parents[1] / "data" / "frameworks").glob("*.npz"))
EXACT = [path for path in RECORDS if "_exact_" in path.stem]
FRAMEWORKS = {"snntorch", "norse", "sinabs", "spikingjelly", "rockpool"}
FRACTION_BITS = 15


@dataclass(frozen=True)
class Record:
    """A network as we read it, its input, and what its framework made of it, (B, T, n) by population."""

    source: Source
    x: np.ndarray
    spikes: dict[str, np.ndarray]
    membranes: dict[str, np.ndarray]

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        return {self.source.inputs[0].name: self.x}


@cache
def load(path: Path) -> Record:
    with np.load(path) as file, tempfile.TemporaryDirectory() as folder:
        header = json.loads(str(file["header"]))
        network = Path(folder) / "net.nir"
        network.write_bytes(file["nir"].tobytes())
        membranes = {name: file[f"membranes.{name}"] for name in header["populations"]}
        spikes = {
            name: np.unpackbits(file[f"spikes.{name}"])[: values.size].reshape(values.shape)
            for name, values in membranes.items()
        }
        return Record(read(network, Options(**header["options"])), file["x"], spikes, membranes)


def test_every_framework_and_reset_mode_is_recorded():
    assert {path.stem.split("_")[0] for path in RECORDS} == FRAMEWORKS
    modes = {(reset, timing) for reset in ("subtract", "zero") for timing in ("delayed", "snntorch-immediate")}
    for kind in ("leaky", "exact"):
        assert {f"snntorch_{kind}_{reset}_{timing}" for reset, timing in modes} <= {path.stem for path in RECORDS}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_the_float_reference_is_the_framework(path):
    """Every spike, and every membrane as far as float32 goes."""
    record = load(path)
    found = reference.run(record.source, record.inputs, record=record.spikes, membranes=record.membranes)
    for name, spikes in record.spikes.items():
        assert 0.02 < spikes.mean() < 0.9
        np.testing.assert_array_equal(found.spikes[name], spikes)
        np.testing.assert_allclose(
            found.values[name], record.membranes[name], atol=1e-5 * np.abs(record.membranes[name]).max()
        )


@pytest.mark.parametrize("path", EXACT, ids=lambda path: path.stem)
def test_snntorch_is_exact_in_integers(path):
    """Eighths as weights, beta 1/2: every spike and every bit of every membrane, for as long as 15 bits hold halves."""
    record = load(path)
    network = quantise(record.source, Quantisation(fraction_bits=FRACTION_BITS, state_bits=32))
    values = replace(network, outputs=tuple(Output(name, values=True) for name in record.spikes))
    found = golden_network.run(values, record.inputs, record=record.spikes)
    for name, spikes in record.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], spikes)
        per_unit = round(2**FRACTION_BITS / network.metadata["scales"][name])
        np.testing.assert_array_equal(found.values[name] / per_unit, record.membranes[name])


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_fine_integers_spike_like_the_framework(path):
    """16-bit weights."""
    record = load(path)
    network = quantise(record.source, Quantisation(weight_bits=16, fraction_bits=8, state_bits=32))
    found = golden_network.run(network, record.inputs, record=record.spikes)
    for name, spikes in record.spikes.items():
        assert (found.spikes[name] != spikes).mean() < 0.01
