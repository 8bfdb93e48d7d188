"""A board's pins, PLL and reset around the design that was verified, which is instantiated by name."""

import math
import re

from amaranth.build import Platform
from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, ResetSignal, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from boards import Board

from .families import Pll, family

_SOURCE = re.compile(r"^ *attribute .src .*\n", re.MULTILINE)  # they name files on this machine

TOP = "Board"
"""The module with the board's pins; no network has a name with a capital letter."""

RESET_SECONDS = 15e-6
"""An iCE40's block RAMs read as 0 for about 3 microseconds after configuration."""


class OnBoard(Elaboratable):
    """The module ``design`` (ports clk, rst, rx, tx) on a board, clocked by the PLL. If it ``boots``, the board's flash
    is at its ports ``flash_sck``, ``flash_select``, ``flash_copi``, ``flash_cipo``.

    Reset ends ``RESET_SECONDS`` after the PLL has locked and the board's reset button, if it has one, is released.
    """

    def __init__(self, board: Board, pll: Pll, design: str, boots: bool = False):
        self.board = board
        self.pll = pll
        self.design = design
        self.boots = boots

    def elaborate(self, platform):
        m = Module()
        reference = platform.request(self.board.clock, dir="-")
        clk, locked = family(platform).clock(m, self.board, reference, self.pll)
        self._reset(m, platform, clk, locked)
        uart = platform.lookup(self.board.uart)
        pins = platform.request(self.board.uart, dir={item.name: "-" for item in uart.ios})
        m.submodules.rx = rx = io.Buffer("i", pins.rx)
        m.submodules.tx = tx = io.Buffer("o", pins.tx)
        ports = {"i_clk": ClockSignal(), "i_rst": ResetSignal(), "i_rx": rx.i, "o_tx": tx.o}
        m.submodules.design = Instance(self.design, **ports, **(self._flash(m, platform) if self.boots else {}))
        for name in self.board.inactive:
            m.submodules[name] = buffer = io.Buffer("o", platform.request(name, dir="-"))
            m.d.comb += buffer.o.eq(0)
        return m

    def _flash(self, m, platform: Platform) -> dict[str, Signal]:
        """The flash's pins; its other inputs are inactive."""
        found, ports = platform.lookup(self.board.flash), {}
        pins = platform.request(self.board.flash, dir={item.name: "-" for item in found.ios})
        driven = {"clk": "o_flash_sck", "cs": "o_flash_select", "copi": "o_flash_copi"}
        for item in found.ios:
            direction = "i" if item.name == "cipo" else "o"
            m.submodules[f"flash_{item.name}"] = buffer = io.Buffer(direction, getattr(pins, item.name))
            if direction == "i":
                ports["i_flash_cipo"] = buffer.i
            elif item.name in driven:
                ports[driven[item.name]] = buffer.o
        return ports

    def _reset(self, m, platform: Platform, clk: Signal, locked: Signal) -> None:
        m.domains.sync = ClockDomain()
        m.domains.por = ClockDomain(reset_less=True, local=True)
        cycles = math.ceil(RESET_SECONDS * self.pll.hz)
        is_stable, timer, ready = Signal(), Signal(range(cycles + 1)), Signal()
        pressed = Const(0)
        if platform.default_rst is not None:
            m.submodules.button = button = io.Buffer("i", platform.request(platform.default_rst, dir="-"))
            pressed = button.i
        m.submodules.stable = FFSynchronizer(locked & ~pressed, is_stable, o_domain="por")
        m.d.comb += [ClockSignal("por").eq(clk), ClockSignal().eq(clk), ResetSignal().eq(~ready)]
        m.d.por += ready.eq(timer == cycles)
        with m.If(~is_stable):
            m.d.por += timer.eq(0)
        with m.Elif(timer != cycles):
            m.d.por += timer.eq(timer + 1)


def wrapper(board: Board, pll: Pll, design: str, boots: bool = False) -> tuple[str, str]:
    """The board's top level as RTLIL, and its constraints in the form that the family's place and route reads."""
    platform = board.open()
    files = platform.prepare(OnBoard(board, pll, design, boots), TOP).files
    return _SOURCE.sub("", files[f"{TOP}.il"]), files[f"{TOP}.{family(platform).CONSTRAINTS}"]
