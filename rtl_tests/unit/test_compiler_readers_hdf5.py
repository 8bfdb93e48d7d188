"""Damaged files end in one line, in time, whatever the HDF5 library does with them; the next one is read as ever."""

import random
import time

import h5py
import numpy as np
import pytest

from neurogen.compiler import Options, read
from neurogen.compiler.readers import hdf5
from neurogen.compiler.writers import nir as writer
from neurogen.spec.errors import InputError
from rtl_tests.nir_files import adder, entry, output, write
from rtl_tests.random_networks import STORES, random_network

NODES = {
    "x": entry((1, 6, 6)),
    "conv": {"type": "Conv2d", "weight": np.arange(18.0).reshape(2, 1, 3, 3), "bias": np.ones(2), "stride": 1,
             "padding": "same", "dilation": 1, "groups": 1},
    "pool": {"type": "AvgPool2d", "kernel_size": 2, "stride": 2, "padding": 0},
    "late": {"type": "Delay", "delay": np.full((2, 3, 3), 2.0)},
    "sum": adder((2, 3, 3)) | {"metadata": {"dt": 1.0, "reset": "zero", "compare": ">"}},
    "y": output((2, 3, 3)),
}  # fmt: skip
EDGES = [("x", "conv"), ("conv", "pool"), ("pool", "late"), ("late", "sum"), ("sum", "y")]


def attempt(path) -> str:
    """What became of a file: ``read``, or the line that says why not. Anything else is a failure of the test."""
    try:
        read(path, Options(dt=1.0)).equations  # noqa: B018  the numbers must be printable, too
    except InputError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error)
        return str(error).removeprefix(f"{path}: ")
    return "read"


@pytest.fixture
def impatient(monkeypatch):
    """Damage that the library does not come back from costs the test one second."""
    monkeypatch.setattr(hdf5, "TIMEOUT_SECONDS", 1)


@pytest.mark.parametrize("kind", ["floats", "integers"])
def test_flipped_and_missing_bytes(tmp_path, impatient, kind):
    seed = 11
    draw = random.Random(seed)
    whole = tmp_path / "whole.nir"
    if kind == "floats":
        write(whole, NODES, EDGES)
    else:
        writer.write(random_network(STORES["conv_2x2"], np.random.default_rng(seed)), whole)
    content = whole.read_bytes()
    assert attempt(whole) == "read"
    outcomes = []
    for case in range(120):
        damaged = bytearray(content)
        for _ in range(draw.choice([1, 1, 4, 32])):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        if case % 8 == 0:
            del damaged[draw.randrange(len(damaged)) :]
        path = tmp_path / "damaged.nir"
        path.write_bytes(damaged)
        start = time.monotonic()
        outcomes.append(attempt(path))
        assert time.monotonic() - start < 30, f"seed {seed}, case {case}"
    refused = [outcome for outcome in outcomes if outcome != "read"]
    assert 20 < len(refused) < 118 and len(set(refused)) > 5, f"seed {seed}"


READY = "import os, signal, sys, time; os.write(1, bytes(8)); sys.stdin.buffer.read(8); "
STUCK = {
    "hangs": READY + "time.sleep(99)",
    "crashes": READY + "os.kill(os.getpid(), signal.SIGSEGV)",
    "never starts": "import time; time.sleep(99)",
    "crashes at once": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
}


@pytest.mark.parametrize("program", STUCK)
def test_a_library_that_hangs_or_crashes_is_left_behind(tmp_path, impatient, monkeypatch, program):
    path = write(tmp_path / "a.nir", NODES, EDGES)
    hdf5._close()
    (tmp_path / "stuck.py").write_text(STUCK[program])
    with monkeypatch.context() as patched:
        patched.setattr(hdf5, "PROGRAM", str(tmp_path / "stuck.py"))
        patched.setattr(hdf5, "START_SECONDS", 1)
        start = time.monotonic()
        assert attempt(path) == (
            "not a readable HDF5 file (the file is damaged: the HDF5 library does not come back from it)"
        )
        assert time.monotonic() - start < 10
    assert attempt(path) == "read"


def test_groups_in_a_loop_and_claims_beyond_the_file(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("a")["again"] = file["/"]
    with pytest.raises(InputError) as error:
        hdf5.tree(path)
    assert str(error.value) == f"{path}: not a readable HDF5 file (its groups are nested too deeply, or in a loop)"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", shape=(1 << 40,), chunks=(1 << 20,), dtype="f8", compression="gzip")
    with pytest.raises(InputError) as error:
        hdf5.tree(path)
    assert str(error.value) == (
        f"{path}: not a readable HDF5 file (/huge claims 1099511627776 values, more than the file can hold)"
    )
