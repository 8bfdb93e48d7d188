"""The virtual board: the board's top with its UART pins, in a simulator, at a socket that the host can open."""

import json
import math
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from amaranth.lib import wiring

import boards

from ..rtl.board_top import BoardTop
from ..rtl.fabric import SIGNATURE
from ..rtl.shared import Shared
from ..spec.errors import ToolError
from ..tb import board_files as files
from . import simulators
from .emit import Emitted, emit
from .netlist import netlist
from .target import Target

TESTS, TEST = "neurogen.tb.board", "serve"
DEVICE = "virtual"
BAUD = 1_000_000
CLOCKS_PER_BIT = 4
FLASH_WAKE_SECONDS = 35e-6
START_SECONDS = 600.0
"""For a simulation that hangs: one that ends is noticed at once, and a busy machine may take minutes to start one."""

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Noise:
    """Probabilities on the line, in each direction: of a bit to be inverted, of a byte to be lost, and to be added."""

    flip: float = 0.0
    drop: float = 0.0
    insert: float = 0.0
    seed: int = 1

    def settings(self) -> dict[str, int]:
        """As the bench takes them: in 1/2**20."""
        scaled = {name: round(getattr(self, name) * (1 << 20)) for name in ("flip", "drop", "insert")}
        return {**scaled, "seed": self.seed}


def board(target: Target, clocks_per_bit: int = CLOCKS_PER_BIT, boots: bool = False) -> Emitted:
    """The board's top around the target's own Verilog, which is part of the text. Does it load its image at start?"""
    inside = target.emitted
    top = BoardTop(
        target.config, clock_hz=BAUD * clocks_per_bit, baud=BAUD, build_digest=target.build_digest, device=DEVICE,
        boots=boots, fabric=lambda *_: Shared(wiring.PureInterface(SIGNATURE, path=("fabric",)), inside.top),
    )  # fmt: skip
    outside = emit(top, f"{inside.top}_board")
    return Emitted(outside.top, f"{outside.verilog}\n{inside.verilog}", outside.ports)


class VirtualBoard:
    """A context manager that runs the board of ``target``; hosts open ``url``.

    Parameters
    ----------
    target : :class:`~neurogen.flow.target.Target`
    noise : :class:`Noise`
    simulator : str
    clocks_per_bit : int
        Of the simulated UART; the fewer, the faster.
    flash : bytes, optional
        What the board's flash holds from where boot images stand; the board then loads its image from there.
    implemented : (str, str), optional
        A board, and a stage of :data:`~neurogen.flow.netlist.MODELS`: what runs is what the tools made for its device.

    Raises
    ------
    ToolError
        The simulator fails, or a tool that implements it.
    """

    def __init__(
        self, target: Target, noise: Noise | None = None, simulator: str = "verilator",
        clocks_per_bit: int = CLOCKS_PER_BIT, flash: bytes | None = None, implemented: tuple[str, str] | None = None,
    ):  # fmt: skip
        self._verilog, self._noise = board(target, clocks_per_bit, flash is not None), noise or Noise()
        if implemented:
            self._verilog = netlist(self._verilog, boards.board(implemented[0]), implemented[1])
        self._flash = flash
        self._simulator, self._clocks_per_bit = simulator, clocks_per_bit
        self._folder: Path | None = None
        self._error: ToolError | None = None
        self.url = ""
        self.clocks = self.damage = 0
        """Clocks that were simulated, and bits inverted, bytes lost and added: known after the end."""

    def __enter__(self) -> Self:
        sources = {"bench.v": files.BENCH.read_text(), "top.v": self._verilog.verilog}
        has_flash = self._flash is not None
        if has_flash:
            sources["flash.v"] = files.FLASH.read_text()
        wake = math.ceil(FLASH_WAKE_SECONDS * BAUD * self._clocks_per_bit) if has_flash else 0
        macros = files.defines(self._verilog.top, self._clocks_per_bit, wake)
        model = simulators.compile(self._simulator, sources, files.TOP, macros)
        self._folder = Path(tempfile.mkdtemp(prefix="neurogen-board-"))
        (self._folder / files.SETTINGS).write_text(json.dumps(self._noise.settings()))
        if has_flash:
            (self._folder / files.FLASH_CONTENTS).write_text("".join(f"{byte:02x}\n" for byte in self._flash))
        self._thread = threading.Thread(target=self._run, args=(model,), daemon=True)
        self._thread.start()
        try:
            port = self._port()
            self._owner = socket.create_connection(("127.0.0.1", port))
        except BaseException:
            self._clean()
            raise
        self.url = f"socket://127.0.0.1:{port}"
        return self

    def _run(self, model: simulators.Model) -> None:
        try:
            simulators.run(model, TESTS, TEST, self._folder, seed=self._noise.seed)
        except ToolError as error:
            self._error = error

    def _port(self) -> int:
        """The port, once the simulation has written it down."""
        latest = time.monotonic() + START_SECONDS
        while (runs := self._thread.is_alive()) and time.monotonic() < latest:
            try:
                return int((self._folder / files.PORT).read_text())
            except OSError:
                time.sleep(POLL_SECONDS)
        why = f"has not started within {START_SECONDS:.0f} s" if runs else "ended before a host could connect"
        raise self._error or ToolError(f"the virtual board {why}")

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._owner.close()
        self._thread.join()
        try:
            if self._error and kind is None:
                raise self._error
            if not self._error:
                found = json.loads((self._folder / files.SPEED).read_text())
                self.clocks, self.damage = found["clocks"], found["damage"]
        finally:
            self._clean()

    def _clean(self) -> None:
        if self._error is None or self._error.log is None:
            shutil.rmtree(self._folder, ignore_errors=True)
