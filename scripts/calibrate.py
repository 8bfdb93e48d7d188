"""Pack designs of many shapes and fit what LUTs are counted by: ``neurogen/flow/calibration.json``.

Takes half an hour; results of synthesis are kept in the cache. Prints the estimate beside what was measured.
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
from neurogen.flow import bitstream, cache, fit, toolchain  # noqa: E402
from neurogen.flow.target import SHIPPED  # noqa: E402

WORK = ROOT / "build" / "calibrate"
BOARDS = {"ice40": "hx8k_breakout", "ecp5": "ulx3s_45f"}
DESIGNS = [  # weight bits, lanes, banks, update lanes
    (4, 4, 1, 1), (4, 4, 2, 1), (8, 4, 2, 1), (4, 8, 2, 1), (4, 4, 4, 1), (4, 8, 1, 2), (4, 8, 4, 4), (8, 8, 2, 2),
    (4, 16, 2, 1), (4, 16, 4, 4), (4, 32, 4, 8), (8, 16, 8, 2),
]  # fmt: skip


def measure(name: str, bits: int, lanes: int, banks: int, update_lanes: int) -> tuple[list[int], dict[str, int], dict]:
    """Features, what is used after packing, and the estimate's block RAMs."""
    board = boards.board(BOARDS[name])
    network = quantise(read(SHIPPED), Quantisation(weight_bits=bits))
    chosen = size(network, Wishes(lanes=lanes, banks=banks, update_lanes=update_lanes)).config
    config = fit.adapted(chosen, name)
    job = bitstream.Job("digits", BOARDS[name], board, config, compile(network, config), 0)
    netlist = bitstream._synthesise(job, job.setting(job.family.DEVICES[board.device].start_hz))
    folder = WORK / f"{name}-{bits}-{lanes}-{banks}-{update_lanes}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(netlist, folder)
    suffix = job.family.CONSTRAINTS
    arguments = (
        *job.family.place(board.platform()), "--json", bitstream.NETLIST, f"--{suffix}", f"constraints.{suffix}",
        "--pack-only", "--log", "place.txt",
    )  # fmt: skip
    toolchain.run(job.family.TOOLS[1], (*arguments, "--quiet"), folder, "pack.log")
    counts = {cell: int(used) for cell, used, _ in bitstream._USE.findall((folder / "place.txt").read_text("latin-1"))}
    cells = json.loads((folder / "cells.json").read_text())["design"]["num_cells_by_type"]
    return fit.features(config), job.family.used(counts, cells), config


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    record = {}
    for name in BOARDS:
        rows, luts = [], []
        for design in DESIGNS:
            found, used, config = measure(name, *design)
            rows.append(found)
            luts.append(used["lut"])
            ram = sum(fit._blocks(*shape, name) for shape in fit._memories(config, name))
            print(name, design, used, f"block RAMs estimated: {ram}", flush=True)
        scale = 1 / np.array(luts)[:, None]  # relative errors count
        coefficients, _ = nnls(np.array(rows) * scale, np.ones(len(rows)))
        errors = (np.array(rows) @ coefficients / luts - 1).round(3)
        print(name, dict(zip(["design", *fit.FEATURES], coefficients.round(2).tolist(), strict=True)), errors)
        record[name] = {"lut": coefficients.round(3).tolist(), "yosys": toolchain.find("yosys").version}
        record[name]["largest_error"] = float(np.abs(errors).max())
    fit.CALIBRATION.write_text(json.dumps(record, indent=2) + "\n")
    print(cache.root())


if __name__ == "__main__":
    main()
