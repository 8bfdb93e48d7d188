"""Gowin LittleBee and Arora: yosys synth_gowin, nextpnr-himbaechel, gowin_pack. LUT RAM; block RAMs of 18 kbit.

PLL: Gowin DS117 (GW1NR data sheet), DS102 (GW2A) and UG286 (clocks). Block RAM: Gowin UG285; contents are parameters
of the routed netlist, which is what gowin_pack of Project Apicula reads.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io

from . import Device, Pll, best, within

NAME = "gowin"
TITLE = "Gowin"
DEVICES = {
    "GW1NR-9C": Device(lut=8640, ff=6480, ram=26, dsp=0, start_hz=54e6, lut_share=0.65),
    "GW2A-18C": Device(lut=20736, ff=15552, ram=46, dsp=0, start_hz=66e6, lut_share=0.65),
}
TOOLS = ("yosys", "nextpnr-himbaechel-gowin", "gowin_pack")
SUFFIX = "fs"
MEMORY_REGISTERS = False
CONSTRAINTS, ROUTED, ROUTE_OPTION = "cst", "json", "write"
UNCONSTRAINED = ("--vopt", f"cst=constraints.{CONSTRAINTS}")
USED = {"lut": "LUT4", "ff": "DFF", "ram": "BSRAM"}

REFERENCE_HZ, DETECTOR_HZ = (3e6, 400e6), (3e6, 400e6)
VCO_HZ, OUTPUT_HZ = (500e6, 1200e6), (3.91e6, 600e6)
"""Limits that hold for both devices."""
DIVIDERS, OUTPUT_DIVIDERS = range(1, 65), (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)

RAMS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
WORDS, WORD_BITS, LINES = 2048, 9, 64
_WORDS = np.arange(WORDS * WORD_BITS)
_DATA = _WORDS.reshape(WORDS, WORD_BITS)[:, :8]  # widths below 9 leave the ninth bit of a word unused
LAYOUTS = (*(_WORDS.reshape(-1, width) for width in (36, 18, 9)), *(_DATA.reshape(-1, width) for width in (4, 2, 1)))
"""For each width of a block RAM: where the bit of a row and a column stands."""


def synthesis(device: str, top: str) -> str:
    """Multipliers of LUTs: nobody has checked the packing of Gowin's with a netlist of ours."""
    return f"synth_gowin -top {top} -family {device[:4].lower()} -nodsp"


def finish(_design: dict[str, Any]) -> None:
    """Nothing is left to do."""


def place(platform) -> tuple[str, ...]:
    """The part, and the family where its name does not tell."""
    return "--device", platform.part, "--vopt", f"family={platform._chipdb_device}"


def effort(_cells: int) -> tuple[str, ...]:
    """Nothing."""
    return ()


def constrain(hz: float) -> tuple[str, ...]:
    """nextpnr does not know what comes out of the PLL."""
    return *UNCONSTRAINED, "--freq", f"{hz / 1e6:g}"


def anywhere(platform, ports: Iterable[str]) -> str:
    """A pin of the package for each port: nextpnr does not choose any."""
    from apycula import chipdb  # not needed to list boards

    device = chipdb.load_chipdb(str(Path(chipdb.__file__).with_name(f"{platform._chipdb_device}.msgpack.xz")))
    package, variant, _speed = device.packages[platform.part]
    pins = [pin for pin, (_, functions) in device.pinout[variant][package].items() if not functions]
    return "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in zip(ports, pins, strict=False))


def pack(device: str) -> tuple[str, ...]:
    """The devices with memory in their package are those without to the packer."""
    return "-d", device.replace("NR-", "N-"), "-o", f"design.{SUFFIX}", f"routed.{ROUTED}"


def used(found: dict[str, int], _cells: dict[str, int]) -> dict[str, int]:
    """What nextpnr counts. A bit of a carry chain takes the place of a LUT; so does a flip-flop's input that is not
    from the LUT beside it. A LUT RAM of 16 x 4 bits takes four, and six flip-flops' places."""
    counts = {kind: found.get(cell, 0) for kind, cell in USED.items()}
    return counts | {"lut": counts["lut"] + found.get("ALU", 0)}


def pll(reference_hz: float, wanted_hz: float) -> Pll:
    """``reference * (FBDIV_SEL + 1) / (IDIV_SEL + 1)``, at most ``wanted_hz``, within all limits."""
    return best(_settings(reference_hz), wanted_hz, reference_hz)


def _settings(reference: float) -> Iterator[Pll]:
    """The oscillator is ODIV_SEL times as fast as what comes out."""
    for divider in DIVIDERS if within(REFERENCE_HZ, reference) else ():
        for factor in DIVIDERS if within(DETECTOR_HZ, reference / divider) else ():
            hz = reference * factor / divider
            for output in OUTPUT_DIVIDERS if within(OUTPUT_HZ, hz) else ():
                if within(VCO_HZ, hz * output):
                    parameters = {"IDIV_SEL": divider - 1, "FBDIV_SEL": factor - 1, "ODIV_SEL": output}
                    yield Pll(reference, hz * output, hz, parameters)


def clock(m, board, reference, setting: Pll) -> tuple[Signal, Signal]:
    """The PLL, with nothing that could change while it runs."""
    m.submodules.reference = buffer = io.Buffer("i", reference)
    clk, locked = Signal(), Signal()
    m.submodules.pll = Instance(
        "rPLL",
        p_DEVICE=board.device,
        p_FCLKIN=f"{setting.reference_hz / 1e6:g}",
        **{f"p_{name}": value for name, value in setting.parameters.items()},
        p_CLKFB_SEL="internal",
        **{f"p_DYN_{name}": "false" for name in ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL", "DA_EN")},
        i_CLKIN=buffer.i,
        **{f"i_{name}": Const(0, bits) for name, bits in _UNUSED.items()},
        o_CLKOUT=clk,
        o_LOCK=locked,
    )
    return clk, locked


_UNUSED = {"CLKFB": 1, "RESET": 1, "RESET_P": 1, "FBDSEL": 6, "IDSEL": 6, "ODSEL": 6, "PSDA": 4, "FDLY": 4, "DUTYDA": 4}


def _blocks(design: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every block RAM of a routed netlist by name."""
    cells = design["modules"]["top"]["cells"]
    return {name: cell for name, cell in cells.items() if "BSRAM_SUBTYPE" in cell["attributes"]}


def _word_bits(cell: dict[str, Any]) -> int:
    return WORD_BITS if cell["attributes"]["BSRAM_SUBTYPE"].strip() == "X9" else WORD_BITS - 1


def memories(text: str) -> dict[str, np.ndarray]:
    """Contents of every block RAM that the design uses, by its name: 18432 bits, word 0 first; those of a RAM whose
    words have 8 bits with a ninth that is 0."""
    return {name: _bits(cell) for name, cell in _blocks(json.loads(text)).items()}


def _bits(cell: dict[str, Any]) -> np.ndarray:
    lines = (cell["parameters"][f"INIT_RAM_{line:02X}"][::-1] for line in range(LINES))
    words = np.frombuffer("".join(lines).encode(), np.uint8).reshape(WORDS, _word_bits(cell)) - ord("0")
    return np.pad(words, ((0, 0), (0, WORD_BITS - words.shape[1]))).ravel()


def with_memories(text: str, contents: dict[str, np.ndarray]) -> str:
    """The routed design with other contents."""
    design = json.loads(text)
    for name, cell in _blocks(design).items():
        words = contents[name].reshape(WORDS, WORD_BITS)[:, : _word_bits(cell)]
        lines = (words.reshape(LINES, -1) + ord("0")).astype(np.uint8)
        cell["parameters"] |= {f"INIT_RAM_{n:02X}": line.tobytes().decode()[::-1] for n, line in enumerate(lines)}
    return json.dumps(design)
