"""A build's bitstream: made with the build, or an earlier one with the new image in it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import boards

from .. import compiler
from ..compiler.sizing import ANYTHING
from ..host.boot import boot_image
from ..spec.errors import InputError
from ..spec.network import Network
from . import bitstream, cache, fit, patch
from .bitstream import BOOT_IMAGE
from .families import families, family
from .target import MANIFEST, SHIPPED, Finish, Target

FOLDER, LOGS = "bitstream", "logs"


@dataclass(frozen=True)
class Wanted:
    """The board that a bitstream is for, where it is defined if it is the user's, and how many seeds are tried."""

    board: str
    folder: Path | None = None
    seeds: int = 2


def implement(target: Target, wanted: Wanted, seed: int, progress: bitstream.Progress = lambda _: None) -> Finish:
    """Synthesis, place and route for a board. The image is in the bitstream, or loaded by the host.

    Raises InputError if the fabric's tables cannot be found in a bitstream.
    """
    if target.folded and target.config.core.image_memories != "block":
        raise InputError('a bitstream with its image inside needs a fabric with core.image_memories = "block"')
    job = bitstream.Job(
        name=target.name,
        board_name=wanted.board,
        board=boards.board(wanted.board, wanted.folder),
        config=target.config,
        image=target.image if target.folded else None,
        build_digest=int(design_digest(target, seed)[:16], 16),
        seeds=wanted.seeds,
        design_seed=seed,
    )

    def finish(build: Path) -> dict[str, Any]:
        record = bitstream.make(job, build / FOLDER, build / LOGS, progress)
        if job.boots:
            (build / FOLDER / BOOT_IMAGE).write_bytes(boot_image(target.image, job.build_digest))
        return record

    return finish


def design_digest(target: Target, seed: int) -> str:
    """What a routed design is known by: the same for all images that it can hold."""
    return cache.digest(target.config.digest, patch.drawn(target.image, seed).digest if target.folded else "")


def exchange(old: Target, new: Target) -> Finish:
    """The bitstream of ``old`` with the image of ``new``, which is inside, or beside it for the board's flash.

    Raises InputError if more than integers changed.
    """
    directory = old.directory
    if directory is None or not any((directory / FOLDER / name).exists() for name in (bitstream.PLACES, BOOT_IMAGE)):
        raise InputError(f"{old.origin}: there is no bitstream with its image inside or beside it; build with --board")
    if old.folded and (found := patch.difference(old.image, new.image)):
        raise InputError(f"{directory} cannot be updated: {found} would change, not only integers; build it anew")
    record = json.loads((directory / MANIFEST).read_text())["bitstream"]

    def finish(build: Path) -> dict[str, Any]:
        folder, logs = build / FOLDER, build / LOGS
        shutil.copytree(directory / FOLDER, folder)
        shutil.copytree(directory / LOGS, logs)
        if not old.folded:
            (folder / BOOT_IMAGE).write_bytes(boot_image(new.image, int(record["build_digest"], 16)))
            return record
        found = family_of(record["device"])
        routed = (folder / f"{bitstream.ROUTED}.{found.ROUTED}").read_text()
        places = patch.Places.load(folder / bitstream.PLACES)
        bitstream.pack(record["device"], found, patch.patched(found, routed, places, new.image), folder, logs)
        return record

    return finish


def family_of(device: str) -> ModuleType:
    """The family that a device belongs to."""
    return next(module for module in families().values() if device in module.DEVICES)


def packed(directory: Path) -> tuple[str, Path]:
    """Name of the board that a build directory's bitstream is for, and the file.

    Raises InputError if it has none.
    """
    try:
        record = json.loads((directory / MANIFEST).read_text())["bitstream"]
    except (OSError, ValueError, KeyError):
        raise InputError(f"{directory}: there is no bitstream; make one with: neurogen build --board NAME") from None
    return record["board"], directory / FOLDER / f"design.{family_of(record['device']).SUFFIX}"


def table(folder: Path | None = None) -> list[dict[str, Any]]:
    """Every board: device, what it has, clock, link, and the fabric of the shipped network that suits it."""
    source = compiler.read(SHIPPED)
    network = source.network or compiler.quantise(source)
    return [_row(name, board, network) for name, board in boards.boards(folder).items()]


def _row(name: str, board: boards.Board, network: Network) -> dict[str, Any]:
    platform = board.open()
    device = family(platform).DEVICES[board.device]
    return {
        "board": name,
        "device": board.device,
        "LUTs": device.lut,
        "block RAMs": device.ram,
        "multipliers": device.dsp,
        "clock": f"{platform.lookup(board.clock).clock.frequency / 1e6:g} MHz",
        "link": f"{board.link}, {board.baud:,} baud",
        network.name: _suits(network, name, board),
        "note": board.note,
    }


def _suits(network: Network, name: str, board: boards.Board) -> str:
    """Banks x lanes of the fastest fabric for the network on a board, and the share of its LUTs; or "no"."""
    try:
        config = fit.fit(network, ANYTHING, board, name).config
    except InputError:
        return "no"
    module = family(board.platform())
    share = fit.estimate(config, module.NAME)["lut"] / module.DEVICES[board.device].lut
    return f"{config.core.banks} x {config.core.lanes}, {share:.0%}"
