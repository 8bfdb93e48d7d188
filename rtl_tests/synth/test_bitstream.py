"""A bitstream of the shipped network: within the device, at a clock that it reaches, holding the right integers."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import boards
from neurogen.cli import main
from neurogen.flow import bitstream, patch, toolchain
from neurogen.flow.families import families
from neurogen.flow.target import resolve
from neurogen.spec.image import Image

BOARD, FAMILY = "hx8k_breakout", families()["ice40"]
ARGUMENTS = ("--board", BOARD, "--seeds", "1", "--lanes", "4", "--banks", "1", "--weight-bits", "4")


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    """The build directory, made by the command line."""
    directory = tmp_path_factory.mktemp("synth") / "digits"
    assert main(["build", *ARGUMENTS, "-o", str(directory)]) == 0
    return directory


def record(build: Path) -> dict:
    return json.loads((build / "report" / "summary.json").read_text())["bitstream"]


def contents(build: Path) -> list[bytes]:
    """What the block RAMs of a build hold, wherever they are."""
    return sorted(bits.tobytes() for bits in FAMILY.memories((build / "bitstream" / "routed.asc").read_text()).values())


def test_design_fits_and_reaches_its_clock(build):
    found = record(build)
    assert all(0 < found["used"][kind] <= found["available"][kind] for kind in ("lut", "ff", "ram"))
    assert found["fmax_mhz"] >= found["clock_mhz"] * (1 + bitstream.MARGIN)
    assert found["clock_mhz"] > 30
    assert [item["seed"] for item in found["seeds"]] == [1]
    manifest = json.loads((build / "manifest.json").read_text())
    assert set(manifest["bitstream"]["tools"]) == {"yosys", "nextpnr-ice40", "icepack"}
    assert (build / "logs" / "nextpnr-ice40.log").exists() and (build / "bitstream" / "design.bin").stat().st_size > 1e5


def test_packed_bitstream_holds_the_image(build, tmp_path):
    """Unpacked again: every bit of the image is where the routed design has it."""
    (tmp_path / "design.bin").write_bytes((build / "bitstream" / "design.bin").read_bytes())
    toolchain.run("iceunpack", ("design.bin", "unpacked.asc"), tmp_path, "log")
    found = FAMILY.memories((tmp_path / "unpacked.asc").read_text())
    image = Image.load(build / "image" / "image.npz")
    places = patch.Places.load(build / "bitstream" / "places.npz")
    held = np.stack([found[name] for name in places.names])[places.blocks, places.bits]
    assert np.array_equal(held, patch.contents(image)[places.sources])
    assert set(places.sources.tolist()) == set(range(len(patch.contents(image))))


def test_update_equals_a_full_rebuild(build, tmp_path, monkeypatch):
    target = resolve(build)
    projections = [dataclasses.replace(p, weights=p.weights[::-1].copy()) for p in target.network.projections]
    network = dataclasses.replace(target.network, projections=tuple(projections))
    network.save(tmp_path / "retrained.npz")
    before = contents(build)
    assert main(["update", str(build), str(tmp_path / "retrained.npz")]) == 0
    updated = resolve(build)
    assert updated.network.digest == network.digest and contents(build) != before

    monkeypatch.setattr(bitstream.Job, "drawn", property(lambda job: padded(updated.image)))
    found = record(build)
    job = bitstream.Job(
        "digits", BOARD, boards.board(BOARD), updated.config, updated.image, updated.build_digest, seeds=1
    )
    setting = job.setting(found["clock_mhz"] * 1e6)
    whole = bitstream._place(job, bitstream._synthesise(job, setting), setting, seed=1)
    rebuilt = FAMILY.memories((whole.folder / "routed.asc").read_text())
    assert contents(build) == sorted(bits.tobytes() for bits in rebuilt.values())


def padded(image: Image) -> Image:
    """The image itself, with the rows that only the hardware has as 0, in place of random bits."""
    cores = []
    for core in image.cores:
        cores.append(patch._Drawn(**vars(core)))
        cores[-1].__dict__["drawn"] = patch.rows_of(core, image.config)
    return dataclasses.replace(image, cores=tuple(cores))


def test_update_refuses_more_than_integers(build, tmp_path, capsys):
    target = resolve(build)
    first = dataclasses.replace(target.network.populations[0], size=63)
    projections = (
        dataclasses.replace(target.network.projections[0], weights=target.network.projections[0].weights[:, :63]),
        dataclasses.replace(target.network.projections[1], weights=target.network.projections[1].weights[:63]),
    )
    populations = (dataclasses.replace(first, parameters=first.parameters | {"rounding": 0}),)
    network = dataclasses.replace(
        target.network, populations=(*populations, *target.network.populations[1:]), projections=projections
    )
    network.save(tmp_path / "other.npz")
    assert main(["update", str(build), str(tmp_path / "other.npz")]) == 1
    assert "rounding" in capsys.readouterr().err
