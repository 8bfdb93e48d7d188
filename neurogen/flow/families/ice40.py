"""Lattice iCE40: yosys synth_ice40, nextpnr-ice40, icepack. No LUT RAM; block RAMs of 256 x 16 bits.

PLL: Lattice TN1251 (iCE40 sysCLOCK PLL) and the family's data sheets. Block RAM: the text format of Project IceStorm.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io

from . import Device, Pll, best, hexadecimal, within

NAME = "ice40"
TITLE = "iCE40"
DEVICES = {
    "iCE40UP5K": Device(lut=5280, ff=5280, ram=30, dsp=8, spram=4, start_hz=24e6),
    "iCE40LP8K": Device(lut=7680, ff=7680, ram=32, dsp=0, start_hz=48e6),
    "iCE40HX8K": Device(lut=7680, ff=7680, ram=32, dsp=0, start_hz=66e6),
}
TOOLS = ("yosys", "nextpnr-ice40", "icepack")
SUFFIX = "bin"
MEMORY_REGISTERS = False
CONSTRAINTS, ROUTED, ROUTE_OPTION = "pcf", "asc", "asc"
UNCONSTRAINED = ("--pcf-allow-unconstrained",)
USED = {"lut": "ICESTORM_LC", "ram": "ICESTORM_RAM", "dsp": "ICESTORM_DSP", "spram": "ICESTORM_SPRAM"}

REFERENCE_HZ, DETECTOR_HZ = (10e6, 133e6), (10e6, 133e6)
VCO_HZ, OUTPUT_HZ = (533e6, 1066e6), (16e6, 275e6)
FILTER_HZ = (17e6, 26e6, 44e6, 66e6, 101e6, 133e6)  # upper bounds of the detector's frequency for FILTER_RANGE 1..6

RAMS = ((16, 256), (8, 512), (4, 1024), (2, 2048))
ROWS, COLUMNS = 256, 16
LAYOUTS = (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS),)
"""Where the bits of a column stand; narrower modes interleave the columns of 256 rows each, so this serves for all."""

_RAM = re.compile(r"^\.ram_data (\d+ \d+)\n((?:[0-9a-f]+\n)+)", re.MULTILINE)


def synthesis(device: str, top: str) -> str:
    """Multipliers and SPRAM only where the device has some."""
    has = DEVICES[device]
    return f"synth_ice40 -top {top} {'-dsp' if has.dsp else ''} {'-spram' if has.spram else ''}"


def finish(_design: dict[str, Any]) -> None:
    """Nothing is left to do."""


def place(platform) -> tuple[str, ...]:
    """Device and package, as amaranth's platform spells them for nextpnr."""
    device, package = platform._nextpnr_device_options[platform.device], platform.package.lower()
    return device, "--package", package


def effort(_cells: int) -> tuple[str, ...]:
    """Nothing."""
    return ()


def constrain(_hz: float) -> tuple[str, ...]:
    """nextpnr knows what comes out of a PLL."""
    return f"--{CONSTRAINTS}", f"constraints.{CONSTRAINTS}"


def anywhere(_platform, _ports: Iterable[str]) -> str:
    """nextpnr finds pins by itself."""
    return ""


def pack(_device: str) -> tuple[str, ...]:
    return f"routed.{ROUTED}", f"design.{SUFFIX}"


def used(found: dict[str, int], cells: dict[str, int]) -> dict[str, int]:
    """Logic cells hold a LUT and a flip-flop each; nextpnr counts cells, yosys the flip-flops in them."""
    ff = sum(count for cell, count in cells.items() if cell.startswith("SB_DFF"))
    return {kind: found.get(cell, 0) for kind, cell in USED.items()} | {"ff": ff}


def pll(reference_hz: float, wanted_hz: float) -> Pll:
    """``reference * (DIVF + 1) / (DIVR + 1) / 2**DIVQ``, at most ``wanted_hz``, within all limits."""
    return best(_settings(reference_hz), wanted_hz, reference_hz)


def _settings(reference: float) -> Iterator[Pll]:
    for divr in range(16 if within(REFERENCE_HZ, reference) else 0):
        detector = reference / (divr + 1)
        if not within(DETECTOR_HZ, detector):
            continue
        filter_range = 1 + next(i for i, bound in enumerate(FILTER_HZ) if detector <= bound)
        for divf in range(128):
            vco = detector * (divf + 1)
            for divq in range(1, 7) if within(VCO_HZ, vco) else ():
                if within(OUTPUT_HZ, vco / 2**divq):
                    parameters = {"DIVR": divr, "DIVF": divf, "DIVQ": divq, "FILTER_RANGE": filter_range}
                    yield Pll(reference, vco, vco / 2**divq, parameters)


def clock(m, board, reference, setting: Pll) -> tuple[Signal, Signal]:
    """The PLL. A clock pin that belongs to the PLL goes into it directly, another through a buffer."""
    clk, locked = Signal(), Signal()
    if board.clock_pad:
        kind, source = "SB_PLL40_PAD", {"i_PACKAGEPIN": reference.io}
    else:
        m.submodules.reference = buffer = io.Buffer("i", reference)
        kind, source = "SB_PLL40_CORE", {"i_REFERENCECLK": buffer.i}
    m.submodules.pll = Instance(
        kind,
        p_FEEDBACK_PATH="SIMPLE",
        **{f"p_{name}": value for name, value in setting.parameters.items()},
        **source,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clk,
        o_LOCK=locked,
    )
    return clk, locked


def memories(text: str) -> dict[str, np.ndarray]:
    """Contents of every block RAM that the design uses, by its location: 4096 bits, word 0 first."""
    return {found[1]: _bits(hexadecimal(found[2].split())) for found in _RAM.finditer(text)}


def _bits(lines: list[int]) -> np.ndarray:
    """Each line holds 16 words, the lowest bit last."""
    raw = b"".join(line.to_bytes(32, "little") for line in lines)
    return np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")


def with_memories(text: str, contents: dict[str, np.ndarray]) -> str:
    """The routed design with other contents."""

    def block(found: re.Match) -> str:
        rows = np.packbits(contents[found[1]], bitorder="little").reshape(-1, 32)[:, ::-1]
        return f".ram_data {found[1]}\n" + "".join(f"{row.tobytes().hex()}\n" for row in rows)

    return _RAM.sub(block, text)
