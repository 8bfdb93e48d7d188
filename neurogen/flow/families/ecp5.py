"""Lattice ECP5: yosys synth_ecp5, nextpnr-ecp5, ecppack. LUT RAM; block RAMs of 18 kbit, up to 36 bits wide.

PLL: Lattice FPGA-TN-02200 (ECP5 sysCLOCK) and FPGA-DS-02012 (data sheet). Block RAM: the text format of Project
Trellis.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from amaranth.hdl import Const, Instance, Signal
from amaranth.lib import io

from . import Device, Pll, best, within

NAME = "ecp5"
TITLE = "ECP5"
_SIZES = {  # the 12F is a 25F with another name for the tools, which let all of it be used
    "12F": Device(lut=24288, ff=24288, ram=56, dsp=28, start_hz=80e6),
    "25F": Device(lut=24288, ff=24288, ram=56, dsp=28, start_hz=80e6),
    "45F": Device(lut=43848, ff=43848, ram=108, dsp=72, start_hz=80e6),
    "85F": Device(lut=83640, ff=83640, ram=208, dsp=156, start_hz=80e6),
}
DEVICES = {f"{line}-{size}": device for line in ("LFE5U", "LFE5UM", "LFE5UM5G") for size, device in _SIZES.items()}
TOOLS = ("yosys", "nextpnr-ecp5", "ecppack")
SUFFIX = "bit"
MEMORY_REGISTERS = True
RIPUP_CELLS, ROUTER1_CELLS = 15_000, 50_000
"""Cells up to which critical nets are ripped up, and up to which nextpnr's first router has an end in sight."""

CONSTRAINTS, ROUTED, ROUTE_OPTION = "lpf", "config", "textcfg"
UNCONSTRAINED = ("--lpf-allow-unconstrained",)
USED = {"lut": "TRELLIS_COMB", "ff": "TRELLIS_FF", "ram": "DP16KD", "dsp": "MULT18X18D"}

REFERENCE_HZ, DETECTOR_HZ = (8e6, 400e6), (10e6, 400e6)
VCO_HZ, OUTPUT_HZ = (400e6, 800e6), (3.125e6, 400e6)
DIVIDERS = range(1, 129)

RAMS = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
WORDS, WORD_BITS = 2048, 9
_WORDS = np.arange(WORDS * WORD_BITS)
_DATA = _WORDS.reshape(WORDS, WORD_BITS)[:, :8]  # widths below 9 leave the ninth bit of a word unused
LAYOUTS = (*(_WORDS.reshape(-1, width) for width in (36, 18, 9)), *(_DATA.reshape(-1, width) for width in (4, 2, 1)))
"""For each width of a block RAM: where the bit of a row and a column stands."""

_RAM = re.compile(r"^\.bram_init (\d+)\n((?:[0-9a-f ]+\n)+)", re.MULTILINE)


def synthesis(_device: str, top: str) -> str:
    """ABC9, the default for this family, does not survive large designs in WebAssembly; classic ABC does.

    LUTs of 4 inputs only: with wide ones (``-lut 4:7``) a core takes an eighth more and is no faster once routed.
    """
    return "\n".join(
        (
            f"synth_ecp5 -top {top} -run begin:map_luts",
            "techmap -map +/lattice/latches_map.v",
            "abc -lut 4 -dress",
            "clean",
            f"synth_ecp5 -top {top} -run map_cells:edif",
        )
    )


def finish(design: dict[str, Any]) -> None:
    """Take registers behind block RAMs into these: what they have inside answers in a sixth of the time.

    For this, each bit of a port that is used has one flip-flop without reset behind it and nothing else, all with one
    clock and enable. What it holds before it is first enabled is not defined then. In the cell, the port's OCE enables
    the registers; of words of 36 bits, which port B reads, REGMODE_A says whether the A half has them (FPGA-TN-02204).
    """
    for module in design["modules"].values():
        cells, loads = module["cells"], _loads(module)
        registers = {cell["connections"]["DI"][0]: name for name, cell in cells.items() if _is_plain(cell)}
        for cell in [cell for cell in cells.values() if cell["type"] == "DP16KD"]:
            for port, outputs in _outputs(cell).items():
                found = {pin: bits[0] for pin, bits in outputs.items() if loads[bits[0]]}
                names = {pin: registers.get(bit) for pin, bit in found.items() if loads[bit] == 1}
                if found and len(names) == len(found) and None not in names.values():
                    _absorb(cells, cell, port, names)


def _loads(module: dict[str, Any]) -> Counter:
    """How many inputs and ports each bit goes to."""
    loads = Counter(bit for port in module["ports"].values() for bit in port["bits"])
    for cell in module["cells"].values():
        for pin, bits in cell["connections"].items():
            loads.update(bits if cell["port_directions"][pin] == "input" else ())
    return loads


def _is_plain(cell: dict[str, Any]) -> bool:
    """Whether it is a flip-flop at the rising edge, without a reset, whose enable is not inverted."""
    return (
        cell["type"] == "TRELLIS_FF"
        and cell["connections"].get("LSR", ["0"]) == ["0"]
        and cell["parameters"]["CLKMUX"] == "CLK"
        and cell["parameters"]["CEMUX"].strip() in ("CE", "1")
    )


def _outputs(cell: dict[str, Any]) -> dict[str, dict[str, list]]:
    """The data outputs of each port of a block RAM; B has all of them where its words have 36 bits."""
    outputs = {pin: bits for pin, bits in cell["connections"].items() if pin.startswith("DO") and bits}
    if int(cell["parameters"]["DATA_WIDTH_B"], 2) == 36:
        return {"B": outputs}
    return {port: {pin: bits for pin, bits in outputs.items() if pin[2] == port} for port in "AB"}


def _absorb(cells: dict[str, Any], cell: dict[str, Any], port: str, names: dict[str, str]) -> None:
    """Make the flip-flops behind a port's outputs the port's own, if they have its clock and one enable."""
    kinds = set()
    for register in (cells[name] for name in names.values()):
        has_enable = register["parameters"]["CEMUX"] == "CE"
        kinds.add((register["connections"]["CLK"][0], register["connections"]["CE"][0] if has_enable else "1"))
    clock = cell["connections"][f"CLK{port}"][0]
    if len(kinds) != 1 or (kind := kinds.pop())[0] != clock or cell["parameters"][f"CLK{port}MUX"] != f"CLK{port}":
        return
    for half in {port, *(pin[2] for pin in names)}:
        cell["parameters"][f"REGMODE_{half}"] = "OUTREG"
        cell["connections"][f"OCE{half}"] = [kind[1]]
    for pin, name in names.items():
        cell["connections"][pin] = cells.pop(name)["connections"]["Q"]


def place(platform) -> tuple[str, ...]:
    """Device, package and speed grade, as amaranth's platform spells them for nextpnr."""
    package = platform._nextpnr_package_options[platform.package].upper()
    return platform._nextpnr_device_options[platform.device], "--package", package, "--speed", platform.speed


def effort(cells: int) -> tuple[str, ...]:
    """Routes of critical nets are ripped up and laid anew: a core gets a tenth faster.

    In a large design these are thousands of nets in each of 50 rounds, and the next round finds as many. In one that
    fills the device, nets displace each other for hours; the second router settles that, at some cost in speed.
    """
    if cells <= RIPUP_CELLS:
        return ("--tmg-ripup",)
    return () if cells <= ROUTER1_CELLS else ("--router", "router2")


def constrain(_hz: float) -> tuple[str, ...]:
    """nextpnr knows what comes out of a PLL."""
    return f"--{CONSTRAINTS}", f"constraints.{CONSTRAINTS}"


def anywhere(_platform, _ports: Iterable[str]) -> str:
    """nextpnr finds pins by itself."""
    return ""


def pack(_device: str) -> tuple[str, ...]:
    return "--input", f"routed.{ROUTED}", "--bit", f"design.{SUFFIX}", "--compress"


def used(found: dict[str, int], _cells: dict[str, int]) -> dict[str, int]:
    """What nextpnr counts; a LUT RAM of 16 x 4 bits takes eight LUTs."""
    return {kind: found.get(cell, 0) for kind, cell in USED.items()}


def pll(reference_hz: float, wanted_hz: float) -> Pll:
    """``reference * CLKOP_DIV / CLKOS_DIV``, at most ``wanted_hz``, within all limits."""
    return best(_settings(reference_hz), wanted_hz, reference_hz)


def _settings(reference: float) -> Iterator[Pll]:
    """CLKOP is as fast as the reference and fed back; CLKOS is the oscillator divided once more, and goes out."""
    for clkop in DIVIDERS if within(REFERENCE_HZ, reference) and within(DETECTOR_HZ, reference) else ():
        for clkos in DIVIDERS if within(VCO_HZ, vco := reference * clkop) else ():
            if within(OUTPUT_HZ, vco / clkos):
                yield Pll(reference, vco, vco / clkos, {"CLKOP_DIV": clkop, "CLKOS_DIV": clkos})


def clock(m, _board, reference, setting: Pll) -> tuple[Signal, Signal]:
    """The PLL; phases are half a period late, as Lattice's tools set them."""
    m.submodules.reference = buffer = io.Buffer("i", reference)
    clk, feedback, locked = Signal(), Signal(), Signal()
    m.submodules.pll = Instance(
        "EHXPLLL",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        p_FEEDBK_PATH="CLKOP",
        p_CLKI_DIV=1,
        p_CLKFB_DIV=1,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_CPHASE=setting.parameters["CLKOP_DIV"] // 2,
        p_CLKOP_FPHASE=0,
        p_CLKOS_ENABLE="ENABLED",
        p_CLKOS_CPHASE=setting.parameters["CLKOS_DIV"] // 2,
        p_CLKOS_FPHASE=0,
        **{f"p_{name}": value for name, value in setting.parameters.items()},
        i_CLKI=buffer.i,
        i_CLKFB=feedback,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        i_ENCLKOS=Const(0),
        o_CLKOP=feedback,
        o_CLKOS=clk,
        o_LOCK=locked,
    )
    return clk, locked


def memories(text: str) -> dict[str, np.ndarray]:
    """Contents of every block RAM that the design uses, by its number: 18432 bits, word 0 first."""
    return {found[1]: _bits(found[2].split()) for found in _RAM.finditer(text)}


def _bits(words: list[str]) -> np.ndarray:
    values = np.array([int(word, 16) for word in words], dtype=np.int64)
    return ((values[:, None] >> np.arange(WORD_BITS)) & 1).astype(np.uint8).ravel()


def with_memories(text: str, contents: dict[str, np.ndarray]) -> str:
    """The routed design with other contents."""

    def block(found: re.Match) -> str:
        words = contents[found[1]].reshape(-1, WORD_BITS) @ (1 << np.arange(WORD_BITS))
        lines = (" ".join(f"{word:03x}" for word in line) for line in words.reshape(-1, 8).tolist())
        return f".bram_init {found[1]}\n" + "".join(f"{line}\n" for line in lines)

    return _RAM.sub(block, text)
