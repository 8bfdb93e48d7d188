"""Boards: one module each, an amaranth-boards platform and what our design is wired to on it.

A module defines ``NAME`` and ``BOARD``. Modules of this package are found by a scan; a user's own come from the ``.py``
files of a folder or from installed packages through the entry point group ``neurogen.boards``.
"""

import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from amaranth.build import Platform, Resource

from neurogen.spec.errors import InputError
from neurogen.spec.registry import pick, scan

ENTRY_POINTS = "neurogen.boards"


@dataclass(frozen=True)
class Board:
    """What is different from board to board.

    ``platform`` is the class of amaranth-boards, or one like it. ``clock`` names the resource that feeds the PLL;
    ``clock_pad``: its pin is the one that an iCE40's PLL takes over (SB_PLL40_PAD). ``uart`` is the resource with
    ``rx`` and ``tx`` as the FPGA sees them, ``link`` what it leads to, ``baud`` how fast that is. ``extra`` are
    resources that the platform lacks; outputs named in ``inactive`` are driven to their inactive level. ``loader`` is
    what openFPGALoader is told, or the whole command of another tool with ``{bitstream}`` in it, and ``{offset}`` where
    it can write elsewhere in the flash too. ``flash`` is the resource of the serial flash (``clk``, ``cs``, ``copi``,
    ``cipo``), if a design may read it. ``note`` says what the user has to do first.
    """

    title: str
    platform: type[Platform]
    clock: str
    link: str
    loader: tuple[str, ...]
    uart: str = "uart"
    baud: int = 1_000_000
    clock_pad: bool = False
    extra: tuple[Resource, ...] = ()
    inactive: tuple[str, ...] = ()
    flash: str | None = None
    note: str = ""

    @property
    def device(self) -> str:
        """The FPGA's type as its maker calls it; platforms of Gowin's devices call it their family."""
        return getattr(self.platform, "device", None) or self.platform.family

    def open(self) -> Platform:
        """A platform, with all resources, that one design can be built for."""
        platform = self.platform()
        platform.add_resources(self.extra)
        return platform


def boards(folder: Path | None = None) -> dict[str, Board]:
    """Every board by name: ours, those of installed packages, those in ``folder``; sorted.

    Raises InputError if ``folder`` or a file in it is wrong, or if two boards have one name.
    """
    found = {name: module.BOARD for name, module in scan(sys.modules[__name__]).items()}
    modules = [entry.load() for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)]
    for module in [*modules, *_modules(folder)]:
        name, board = getattr(module, "NAME", None), getattr(module, "BOARD", None)
        if not isinstance(name, str) or not isinstance(board, Board):
            raise InputError(f"{module.__file__}: a board's module defines NAME (a string) and BOARD (a boards.Board)")
        if name in found:
            raise InputError(f"{module.__file__}: there is a board {name!r} already")
        found[name] = board
    return dict(sorted(found.items()))


def board(name: str, folder: Path | None = None) -> Board:
    """One board. Raises InputError, naming those that exist."""
    return pick(boards(folder), name, "board")


def _modules(folder: Path | None):
    if folder is None:
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder of boards")
    for path in sorted(folder.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"neurogen_board_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever the user's file does wrong
            raise InputError(f"{path}: {type(error).__name__}: {error}") from None
        yield module
