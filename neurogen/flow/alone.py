"""One block by itself on a device: what it takes and what clock it reaches, with no pin in its way.

Every port of the block meets a flip-flop: inputs come from one shift register, outputs go to flip-flops that nothing
reads. So all paths of the block begin and end in flip-flops, as they do inside a design, and no path to a pin is among
them. These flip-flops are not counted as the block's; they have no LUTs.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from boards import Board

from ..spec.errors import ToolError
from . import bitstream, toolchain
from . import cache as store
from .bitstream import CELLS, LOG, NETLIST, REPORT, Critical
from .emit import Emitted
from .families import family

TOP = "alone"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Block:
    """``emitted`` on the device of ``board``, routed with ``aim_hz`` as the clock to reach."""

    name: str
    emitted: Emitted
    board: Board
    aim_hz: float

    @property
    def family(self) -> ModuleType:
        return family(self.board.platform())


@dataclass(frozen=True)
class Placed:
    """One place and route: the clock that it reaches, what the block takes, and what keeps it from being faster."""

    seed: int
    fmax_hz: float
    used: dict[str, int]
    critical: Critical


def wrapper(emitted: Emitted) -> tuple[str, int]:
    """Verilog of the module ``alone`` around a block, and the flip-flops that it adds, named after the ports."""
    ports = [port for port in emitted.ports if port["name"] != "clk"]
    declarations, moves, connections, last = [], [], [], "serial"
    for name, width, into in ((f"port_{p['name']}", p["width"], p["direction"] == "in") for p in ports):
        connection = name if into else f"{name}_now"
        connections.append(f".{name.removeprefix('port_')}({connection})")
        if into:
            declarations.append(f"reg [{width - 1}:0] {name} = 0;")
            moves.append(f"{name} <= {{{name}, {last}}};")
            last = f"{name}[{width - 1}]"
        else:
            declarations += [f"wire [{width - 1}:0] {connection};", f"(* keep *) reg [{width - 1}:0] {name} = 0;"]
            moves.append(f"{name} <= {connection};")
    text = f"""
module {TOP} (input clk, input serial);
  {_lines(declarations, 2)}
  always @(posedge clk) begin
    {_lines(moves, 4)}
  end
  {emitted.top} block (
    .clk(clk),
    {_lines(connections, 4, ",")}
  );
endmodule
"""
    return text, sum(port["width"] for port in ports)


def _lines(parts: list[str], indent: int, end: str = "") -> str:
    return f"{end}\n{' ' * indent}".join(parts)


def synthesise(block: Block) -> Path:
    """The folder of the block's netlist, from the cache if it was made before. Raises ToolError."""
    outside, _ = wrapper(block.emitted)
    return bitstream.synthesised(block.emitted.verilog + outside, block.family, block.board.device, TOP)


def place(block: Block, netlist: Path, seed: int) -> Placed:
    """One place and route; timing may fail, for what is reached is what is asked for. Raises InputError, ToolError."""
    aim = ("--freq", f"{block.aim_hz / 1e6:g}", "--report", REPORT, "--timing-allow-fail")
    folder = _nextpnr("placed", block, netlist, "--seed", str(seed), *aim)
    fmax_hz, used = bitstream.results(block.family, folder)
    return Placed(seed, fmax_hz, _own(block, used), bitstream.critical(folder))


def packed(block: Block, netlist: Path) -> dict[str, int]:
    """What the block takes, as :func:`place` says it, without place and route. Raises InputError, ToolError."""
    return _own(block, bitstream.packed(block.family, _nextpnr("packed", block, netlist, "--pack-only")))


def _nextpnr(kind: str, block: Block, netlist: Path, *options: str) -> Path:
    """The folder with what nextpnr says of a netlist, from the cache if it was made before."""
    name = block.family.TOOLS[1]
    arguments = (
        *block.family.place(block.board.platform()), *bitstream.effort(block.family, netlist), "--json", NETLIST,
        "--top", TOP, *options, "--quiet", "--log", LOG, *block.family.UNCONSTRAINED,
    )  # fmt: skip

    def fill(folder: Path) -> None:
        for file in (NETLIST, CELLS):
            shutil.copyfile(netlist / file, folder / file)
        pins = block.family.anywhere(block.board.platform(), ("clk", "serial"))
        (folder / f"constraints.{block.family.CONSTRAINTS}").write_text(pins)
        try:
            toolchain.run(name, arguments, folder, f"{name}.log", own=LOG)
        except ToolError:
            bitstream.refuse_if_too_large(block.name, block.board.device, block.family, folder / LOG)
            raise
        (folder / NETLIST).unlink()

    return store.entry(kind, store.digest(netlist.name, toolchain.find(name).version, *arguments), fill)


def _own(block: Block, used: dict[str, int]) -> dict[str, int]:
    """Without the wrapper's flip-flops."""
    return used | {"ff": used["ff"] - wrapper(block.emitted)[1]}


def measure(block: Block, seeds: int, progress: Progress = lambda _: None) -> list[Placed]:
    """Synthesis, and a place and route for each of the seeds 1..``seeds``."""
    progress(f"{block.name}: synthesis")
    netlist = synthesise(block)
    found = []
    for seed in range(1, seeds + 1):
        progress(f"{block.name}: place and route, seed {seed} of {seeds}")
        found.append(place(block, netlist, seed))
    return found
