"""The clock of a bitstream: lowered until the routed design reaches it, raised where there is room, or given up."""

import dataclasses
import json

import pytest

import boards
from neurogen import compiler
from neurogen.cli import main
from neurogen.flow import bitstream, on_board
from neurogen.flow.target import resolve
from neurogen.host.boot import boot_image
from neurogen.spec.errors import InputError, ToolError


@pytest.fixture
def job() -> bitstream.Job:
    target = resolve(None)
    board = boards.board("hx8k_breakout")
    return bitstream.Job("digits", "hx8k_breakout", board, target.config, target.image, 0, seeds=3)


def reach(job, monkeypatch, speed) -> tuple[float, list[dict]]:
    """The clock that is chosen, and the rounds, where routing at a clock (MHz) with a seed reaches ``speed``."""
    monkeypatch.setattr(bitstream, "_synthesise", lambda job, setting: None)
    monkeypatch.setattr(
        bitstream,
        "_place",
        lambda job, netlist, setting, seed: bitstream.Trial(seed, None, speed(setting.hz / 1e6, seed) * 1e6, {}),
    )
    setting, trials, rounds = bitstream._reach(job, lambda _: None)
    assert len(trials) == 3 and max(trial.fmax_hz for trial in trials) >= setting.hz * (1 + bitstream.MARGIN)
    return setting.hz / 1e6, rounds


def test_clock_that_is_reached_at_once_is_kept(job, monkeypatch):
    clock, rounds = reach(job, monkeypatch, lambda hz, seed: 71 + seed)
    assert clock == 66 and len(rounds) == 1 and rounds[0]["fmax_mhz"] == {1: 72, 2: 73, 3: 74}


def test_clock_is_lowered_to_what_was_routed(job, monkeypatch):
    clock, rounds = reach(job, monkeypatch, lambda hz, seed: 40 + seed)
    assert 35 < clock <= 43 / 1.05 and len(rounds) == 2


def test_clock_is_raised_where_there_is_room(job, monkeypatch):
    clock, rounds = reach(job, monkeypatch, lambda hz, seed: 120)
    assert 100 < clock <= 120 / 1.05 and len(rounds) == 2


def test_one_good_seed_is_enough(job, monkeypatch):
    clock, _ = reach(job, monkeypatch, lambda hz, seed: 72 if seed == 2 else 30)
    assert clock == 66


def test_design_that_gets_slower_each_time_is_given_up(job, monkeypatch):
    with pytest.raises(ToolError, match=r"^digits on hx8k_breakout: no clock was reached in 4 rounds: "):
        reach(job, monkeypatch, lambda hz, seed: hz * 0.99)


def test_what_is_too_large_is_said(job, tmp_path):
    log = tmp_path / "place.txt"
    log.write_text("Info: \t         ICESTORM_LC:    9001/   7680   117%\nInfo: \t  ICESTORM_RAM:  3/ 32  9%\n")
    message = (
        r"^digits does not fit hx8k_breakout: 9,001 LUTs of 7,680, 17% too many; fewer weight bits may, or a board "
    )
    with pytest.raises(InputError, match=message):
        bitstream.refuse_if_too_large(job.name, job.board_name, job.family, log)
    log.write_text("Info: \t         ICESTORM_LC:    7000/   7680   91%\n")
    bitstream.refuse_if_too_large(job.name, job.board_name, job.family, log)


def manifest(tmp_path, board: str, device: str):
    (tmp_path / "manifest.json").write_text(json.dumps({"bitstream": {"board": board, "device": device}}))


def test_flash_prints_its_command(tmp_path, capsys):
    manifest(tmp_path, "ulx3s_12f", "LFE5U-12F")
    assert main(["flash", str(tmp_path), "--dry-run"]) == 0
    words = capsys.readouterr().out.split()
    assert words[-3:] == ["--board", "ulx3s", str(tmp_path / "bitstream" / "design.bit")]
    assert main(["flash", str(tmp_path), "--dry-run", "--permanent"]) == 0
    assert capsys.readouterr().out.split()[-2] == "--write-flash"


def test_flash_writes_a_boot_image_before_the_bitstream_that_reads_it(tmp_path, capsys, monkeypatch):
    manifest(tmp_path, "icebreaker", "iCE40UP5K")
    (tmp_path / "bitstream").mkdir()
    boot, design = tmp_path / "bitstream" / "boot.bin", tmp_path / "bitstream" / "design.bin"
    boot.write_bytes(b"image")
    assert main(["flash", str(tmp_path), "--dry-run"]) == 0
    first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    board = ["--board", "ice40_generic", "--write-flash"]
    assert first[-6:] == [*board, "--offset", "0x20000", str(boot)]
    assert second[-4:] == [*board, str(design)]
    manifest(tmp_path, "icesugar", "iCE40UP5K")
    (tmp_path / "icesprog").write_text("#!/bin/sh\n")
    (tmp_path / "icesprog").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert main(["flash", str(tmp_path)]) == 0
    assert main(["flash", str(tmp_path), "--dry-run"]) == 0
    expected = [f"loaded: {boot}", f"loaded: {design}", f"icesprog -o 0x20000 {boot}", f"icesprog -o 0x0 {design}"]
    assert capsys.readouterr().out.splitlines() == expected


def test_update_writes_a_new_boot_image(tmp_path):
    """Weights in SPRAM are not in the bitstream: only what the flash holds behind it changes."""
    options = {"size": {"lanes": 4, "banks": 4, "synapse_memory": "spram"}, "quantise": {"weight_bits": 4}}
    target = resolve(None, options)
    record = {"board": "icebreaker", "device": "iCE40UP5K", "build_digest": f"{7:016x}"}
    (tmp_path / "manifest.json").write_text(json.dumps({"bitstream": record}))
    for folder in ("bitstream", "logs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bitstream" / "boot.bin").write_bytes(b"old")
    (tmp_path / "bitstream" / "design.bin").write_bytes(b"bits")
    finish = on_board.exchange(dataclasses.replace(target, directory=tmp_path), target)
    (tmp_path / "new").mkdir()
    assert finish(tmp_path / "new") == record
    assert (tmp_path / "new" / "bitstream" / "boot.bin").read_bytes() == boot_image(target.image, 7)
    assert (tmp_path / "new" / "bitstream" / "design.bin").read_bytes() == b"bits"
    (tmp_path / "bitstream" / "boot.bin").unlink()
    with pytest.raises(InputError, match="there is no bitstream with its image inside or beside it"):
        on_board.exchange(dataclasses.replace(target, directory=tmp_path), target)


def test_flash_uses_the_boards_own_tool(tmp_path, capsys, monkeypatch):
    manifest(tmp_path, "tinyfpga_bx", "iCE40LP8K")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["flash", str(tmp_path), "--dry-run"]) == 2
    assert "tinyprog is not installed; TinyFPGA BX is loaded with it" in capsys.readouterr().err
    (tmp_path / "tinyprog").write_text('#!/bin/sh\necho "no board: $*"\nexit 3\n')
    (tmp_path / "tinyprog").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert main(["flash", str(tmp_path), "--dry-run"]) == 0
    assert capsys.readouterr().out.split() == ["tinyprog", "-p", str(tmp_path / "bitstream" / "design.bin")]
    assert main(["flash", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "could not be loaded (exit code 3)" in said and "no board: -p" in said


def test_flash_and_update_want_a_bitstream(tmp_path, capsys):
    assert main(["flash", str(tmp_path)]) == 1
    assert "there is no bitstream; make one with: neurogen build --board NAME" in capsys.readouterr().err
    assert main(["update", str(tmp_path)]) == 1
    assert "update needs a build directory and a network: neurogen update DIR NETWORK" in capsys.readouterr().err


def test_image_inside_wants_memories_in_block_ram():
    with pytest.raises(
        InputError, match=r'^a bitstream with its image inside needs .* core\.image_memories = "block"$'
    ):
        on_board.implement(resolve(None), on_board.Wanted("icebreaker"), seed=0)


def test_builds_of_other_weights_share_a_design():
    target = resolve(None, {"size": {"lanes": 4, "banks": 1}})
    projections = tuple(dataclasses.replace(p, weights=p.weights[::-1].copy()) for p in target.network.projections)
    network = dataclasses.replace(target.network, projections=projections)
    other = dataclasses.replace(target, network=network, image=compiler.compile(network, target.config))
    assert other.image.digest != target.image.digest
    assert on_board.design_digest(other, 1) == on_board.design_digest(target, 1) != on_board.design_digest(target, 2)
