"""Mutants at random: yosys damages single bits of the flattened netlist; one model has them all."""

import re
import subprocess
from dataclasses import dataclass

from amaranth.back import rtlil

from neurogen.flow import simulators
from neurogen.flow.emit import YOSYS
from neurogen.rtl.fabric import Fabric
from neurogen.rtl.streams import Stalls
from neurogen.spec.errors import ToolError

from .fabrics import FULL
from .trial import Specimen

SEED = 5
PARTS = {"core": 110, "router": 50}
"""How many mutations are drawn from the cells of all cores, and of all routers. Those of clocks are left out."""
NETLIST, BITS = "netlist", 16

WRAPPER = """
module {top}(input clk, input rst, input [31:0] words_in__payload, input words_in__valid, output words_in__ready,
             output [31:0] words_out__payload, output words_out__valid, input words_out__ready);
    reg [{high}:0] mutant /*verilator public_flat_rw*/ = 0;
    reg open /*verilator public_flat_rw*/ = 1;
    netlist netlist (
        .clk(clk), .rst(rst), .mutant(mutant), .open(open),
        .words_in__payload(words_in__payload), .words_in__valid(words_in__valid), .words_in__ready(words_in__ready),
        .words_out__payload(words_out__payload), .words_out__valid(words_out__valid),
        .words_out__ready(words_out__ready)
    );
endmodule
"""
"""``mutant`` 0 is the intact fabric; ``open`` opens all gates."""


@dataclass(frozen=True)
class Mutation:
    """One line of ``mutate -list``, numbered from 1."""

    number: int
    command: str

    def __str__(self) -> str:
        """What is done where: the port's bit, and the wire that it belongs to where that has a name."""
        found = dict(re.findall(r"-(mode|cell|port|portbit|ctrlbit|wire|wirebit) (\S+)", self.command))
        cell = found["cell"].replace("$flatten", "").replace("\\", "")
        wire = f" {found['wire']}[{found['wirebit']}]" if "wire" in found else ""
        by = f" by {found['ctrlbit']}" if "ctrlbit" in found else ""
        return f"{found['mode']}{by} {cell}.{found['port']}[{found['portbit']}]{wire}"


class Mutants:
    """The mutated fabric's model, and which mutations it has."""

    def __init__(self):
        text = rtlil.convert(Fabric(FULL, stalls=Stalls(SEED)), name=NETLIST, emit_src=False)
        steps = ("proc", "flatten -noscopeinfo", "opt_expr -full", "opt_clean", "pmuxtree", "memory_collect")
        self._prepare = [f"read_rtlil <<end_of_design\n{text}\nend_of_design", *steps, "opt_clean -purge"]
        drawn = _lines(_yosys([*self._prepare, *self._draw()]), "mutate ")
        self.mutations = [Mutation(i + 1, line) for i, line in enumerate(line for line in drawn if "CLK" not in line)]

    def specimen(self) -> Specimen:
        """What to run. Raises ToolError if yosys or the simulator refuses the netlist."""
        gates = _lines(_yosys([*self._prepare, "select -list w:*gate_*.is_open %ci1:+$dff[Q] t:$dff %i"]), NETLIST)
        force = f"mutate -ctrl open 1 1 -mode const1 -module {NETLIST} -port Q -portbit 0 -cell "
        opened = [force + gate.partition("/")[2] for gate in gates]
        damage = [f"{item.command.split(' -wire ')[0]} -ctrl mutant {BITS} {item.number}" for item in self.mutations]
        out = _yosys([*self._prepare, *opened, *damage, "write_verilog -noattr -norename"])
        netlist = out[out.index(f"\nmodule {NETLIST}(") :]
        wrapper = WRAPPER.format(top=FULL.name, high=BITS - 1)
        return Specimen(simulators.bench("verilator", wrapper + netlist, FULL.name), FULL.name, None)

    @staticmethod
    def _draw() -> list[str]:
        lines = []
        for part, count in PARTS.items():
            lines += [f"select c:*{part}_*.* c:*gate_* %d", f"mutate -list {count} -seed {SEED}", "select -clear"]
        return lines


def _yosys(lines: list[str]) -> str:
    result = subprocess.run([*YOSYS, "-Q", "-T", "-"], input="\n".join(lines), capture_output=True, text=True)
    if result.returncode:
        raise ToolError(f"yosys: {result.stderr.strip().splitlines()[-1]}")
    return result.stdout


def _lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]
