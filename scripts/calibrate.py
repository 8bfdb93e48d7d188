"""Pack designs of many shapes and fit what LUTs are counted by: ``neurogen/flow/calibration.json``.

``calibrate.py [FAMILY ...]`` measures only those families and keeps what is recorded of the others. Takes half an hour;
what the cache holds is not synthesised again. Prints what was measured, and by how much the estimate is off.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import boards  # noqa: E402
from neurogen.compiler import Quantisation, Wishes, compile, quantise, read, size  # noqa: E402
from neurogen.flow import bitstream, fit, toolchain  # noqa: E402
from neurogen.flow.target import SHIPPED  # noqa: E402

WORK = ROOT / "build" / "calibrate"
BOARDS = {"ice40": "hx8k_breakout", "ecp5": "ulx3s_45f", "gowin": "tang_primer_20k"}
DESIGNS = [  # weight bits, lanes, banks, update lanes, counter bits
    (4, 4, 1, 1, 0), (4, 4, 1, 1, 32), (8, 4, 2, 1, 32), (4, 8, 4, 4, 32), (4, 16, 2, 1, 16), (8, 8, 2, 2, 32),
    (4, 16, 8, 2, 32), (4, 32, 4, 8, 32), (8, 32, 2, 4, 0),
]  # fmt: skip


def measure(name: str, bits: int, lanes: int, banks: int, update_lanes: int, counter_bits: int) -> dict:
    """Features of a design, its LUTs after packing, and its block RAMs beside the estimate of them."""
    board = boards.board(BOARDS[name])
    network = quantise(read(SHIPPED), Quantisation(weight_bits=bits))
    chosen = size(network, Wishes(lanes=lanes, banks=banks, update_lanes=update_lanes)).config
    config = fit.adapted(chosen, name, counter_bits)
    job = bitstream.Job("digits", BOARDS[name], board, config, compile(network, config), 0)
    setting = job.setting(job.family.DEVICES[board.device].start_hz)
    netlist = bitstream._synthesise(job, setting)
    folder = WORK / f"{name}-{netlist.name[:8]}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(netlist, folder)
    arguments = (
        *job.family.place(board.platform()), "--json", bitstream.NETLIST, *job.family.constrain(setting.hz),
        "--pack-only", "--log", bitstream.LOG, "--quiet",
    )  # fmt: skip
    toolchain.run(job.family.TOOLS[1], arguments, folder, "pack.log", own=bitstream.LOG)
    used = bitstream.packed(job.family, folder)
    design = (bits, lanes, banks, update_lanes, counter_bits)
    found = {"design": design, "features": fit.features(config), "lut": used["lut"], "ram": used["ram"]}
    return found | {"estimated_ram": fit.block_rams(config, name)}


def main(names: list[str]) -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    record = json.loads(fit.CALIBRATION.read_text()) if fit.CALIBRATION.exists() else {}
    for name in names or BOARDS:
        found = []
        for design in DESIGNS:
            found.append(measure(name, *design))
            print(name, json.dumps(found[-1]), flush=True)
        coefficients, errors = solve(found)
        print(name, dict(zip(["design", *fit.FEATURES], coefficients, strict=True)), errors)
        record[name] = {"lut": coefficients, "yosys": toolchain.find("yosys").version, "designs": found}
        record[name]["largest_error"] = max(map(abs, errors))
        fit.CALIBRATION.write_text(json.dumps(record, indent=1) + "\n")


def solve(found: list[dict]) -> tuple[list[float], list[float]]:
    """Shares, none negative, whose relative errors are least in squares; and these errors."""
    rows, luts = np.array([item["features"] for item in found]), np.array([item["lut"] for item in found])
    coefficients, _ = nnls(rows / luts[:, None], np.ones(len(rows)))
    return coefficients.round(3).tolist(), (rows @ coefficients / luts - 1).round(3).tolist()


if __name__ == "__main__":
    main(sys.argv[1:])
