"""Pack designs of many shapes and fit what LUTs are counted by: ``neurogen/flow/calibration.json``.

``calibrate.py [FAMILY ...]`` measures only those families and keeps what is recorded of the others. Takes half an hour;
what the cache holds is not synthesised again. Prints what was measured, and by how much the estimate is off: of the
designs that it was fitted to, and of each if it is fitted to the others.
"""

import dataclasses
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from scipy.optimize import nnls

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import boards  # noqa: E402
from neurogen.compiler import Quantisation, Wishes, compile, quantise, read, size  # noqa: E402
from neurogen.flow import bitstream, emit, fit, toolchain  # noqa: E402
from neurogen.flow.families import family  # noqa: E402
from neurogen.flow.target import SHIPPED  # noqa: E402
from neurogen.rtl.link.link import Link  # noqa: E402
from neurogen.rtl.link.uart import UartRx, UartTx  # noqa: E402
from neurogen.spec.network import Input, Network, Output, Population, Projection  # noqa: E402

WORK = ROOT / "build" / "calibrate"
BOARDS = {"ice40": "hx8k_breakout", "ecp5": "ulx3s_45f", "gowin": "tang_primer_20k"}
SPRAM_BOARD = "icebreaker"
SIZES = (784, 128, 10)
"""Inputs and neurons of the larger network: those of MNIST in two layers."""

LINK_CLOCKS_PER_BIT, LINK_IDENTITY = 12, int.from_bytes(bytes(range(1, 33)), "little")


@dataclass(frozen=True)
class Design:
    """A fabric for the shipped digits, or for a network of ``SIZES``, whose weights are drawn."""

    weight_bits: int
    lanes: int
    banks: int
    update_lanes: int
    counter_bits: int = 32
    large: bool = False
    width: int = 1
    height: int = 1
    host_port: str = "full"
    encoder: str | None = None
    synapse_memory: str | None = None

    @property
    def network(self) -> Network:
        if not self.large:
            return quantise(read(SHIPPED), Quantisation(weight_bits=self.weight_bits))
        rng, most = np.random.default_rng(1), (1 << self.weight_bits - 1) - 1
        names = ("in", *(f"layer_{i}" for i in range(1, len(SIZES))))
        neuron = {"threshold": 100, "leak_shift": 3}
        populations = tuple(
            Population(name, count, "lif", neuron, {"v": 16}) for name, count in zip(names[1:], SIZES[1:], strict=True)
        )
        projections = tuple(
            Projection(*names[i : i + 2], rng.integers(-most, most + 1, SIZES[i : i + 2]))
            for i in range(len(SIZES) - 1)
        )
        return Network("large", (Input("in", SIZES[0]),), populations, projections, (Output(names[-1]),))

    @property
    def wishes(self) -> Wishes:
        latency = {"encoder_steps": 12, "encoder_parameters": {"full": 16, "least": 1}} if self.encoder else {}
        names = ("lanes", "banks", "update_lanes", "width", "height", "encoder", "synapse_memory")
        return Wishes(**{name: getattr(self, name) for name in names}, **latency)


DESIGNS = [
    Design(4, 4, 1, 1, 0), Design(4, 4, 1, 1), Design(8, 4, 2, 1), Design(4, 8, 4, 4), Design(4, 16, 2, 1, 16),
    Design(8, 8, 2, 2), Design(4, 16, 8, 2), Design(4, 32, 4, 8), Design(8, 32, 2, 4, 0),
    Design(4, 4, 1, 1, width=2), Design(4, 4, 2, 1, 0, host_port="small"), Design(4, 8, 2, 1, 0, encoder="latency"),
]  # fmt: skip
LARGE_DESIGNS = [
    Design(4, 8, 2, 2, large=True), Design(4, 32, 4, 4, 16, large=True), Design(8, 16, 8, 2, 0, large=True),
    Design(4, 8, 2, 1, 0, width=2, height=2),
]  # fmt: skip
SPRAM_DESIGNS = [
    Design(4, 16, 1, 1, 0, large=True, host_port="small", synapse_memory="spram"),
    Design(4, 4, 2, 1, 0, large=True, synapse_memory="spram"),
]
"""An iCE40 holds the larger network in SPRAM only."""


def measure(name: str, design: Design) -> dict:
    """Features of a design, its LUTs after packing, and its block RAMs beside the estimate of them."""
    board_name = SPRAM_BOARD if design.synapse_memory else BOARDS[name]
    board, network = boards.board(board_name), design.network
    chosen = size(network, design.wishes).config
    config = fit.adapted(chosen, name, design.counter_bits, design.host_port)
    image = None if config.core.starts_empty else compile(network, config)
    job = bitstream.Job(network.name, board_name, board, config, image, 0)
    setting = job.setting(job.family.DEVICES[board.device].start_hz)
    netlist = bitstream._synthesise(job, setting)
    used = packed(name, netlist, board, *job.family.constrain(setting.hz))
    shown = {key: value for key, value in dataclasses.asdict(design).items() if value}
    found = {"design": shown, "features": fit.features(config, name), "lut": used["lut"], "ram": used["ram"]}
    return found | {"estimated_ram": fit.block_rams(config, name)}


class LinkAlone(wiring.Component):
    """UART and link."""

    def __init__(self):
        words = stream.Signature(32)
        ports = {"rx": In(1), "tx": Out(1), "words_out": Out(words), "words_in": In(words), "restart": Out(1)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        m.submodules.uart_rx = uart_rx = UartRx(clock_hz=LINK_CLOCKS_PER_BIT, baud=1)
        m.submodules.uart_tx = uart_tx = UartTx(clock_hz=LINK_CLOCKS_PER_BIT, baud=1)
        m.submodules.link = link = Link(identity=LINK_IDENTITY)
        connect(m, uart_rx.o, link.i)
        connect(m, link.o, uart_tx.i)
        connect(m, link.words_out, flipped(self.words_out))
        connect(m, flipped(self.words_in), link.words_in)
        m.d.comb += [uart_rx.rx.eq(self.rx), self.tx.eq(uart_tx.tx), self.restart.eq(link.restart)]
        return m


def link(name: str) -> dict[str, int]:
    """What UART and link take by themselves, their words at pins."""
    board, emitted = boards.board(BOARDS[name]), emit.emit(LinkAlone(), "link")
    found = family(board.platform())
    netlist = bitstream.synthesised(emitted.verilog, found, board.device, emitted.top)
    pins = {f"constraints.{found.CONSTRAINTS}": found.anywhere(board.platform(), emitted.bits)}
    return packed(name, netlist, board, *found.UNCONSTRAINED, files=pins)


def packed(
    name: str, netlist: Path, board: boards.Board, *options: str, files: Mapping[str, str] = {}
) -> dict[str, int]:
    """What a netlist takes, packed but not placed."""
    found, folder = family(board.platform()), WORK / f"{name}-{netlist.name[:8]}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(netlist, folder)
    for file, text in files.items():
        (folder / file).write_text(text)
    arguments = (
        *found.place(board.platform()), "--json", bitstream.NETLIST, *options, "--pack-only", "--log", bitstream.LOG,
        "--quiet",
    )  # fmt: skip
    toolchain.run(found.TOOLS[1], arguments, folder, "pack.log", own=bitstream.LOG)
    return bitstream.packed(found, folder)


def main(names: list[str]) -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    record = json.loads(fit.CALIBRATION.read_text()) if fit.CALIBRATION.exists() else {}
    for name in names or BOARDS:
        found = []
        for design in DESIGNS + (SPRAM_DESIGNS if name == "ice40" else LARGE_DESIGNS):
            found.append(measure(name, design))
            print(name, json.dumps(found[-1]), flush=True)
        rows, luts = np.array([item["features"] for item in found]), np.array([item["lut"] for item in found])
        shares = solve(rows, luts)
        errors = rows @ shares / luts - 1
        unseen = unseen_errors(rows, luts)
        print(name, dict(zip([*fit.FEATURES, "LUT RAMs"], shares.round(1).tolist(), strict=True)))
        print(name, "errors", errors.round(3).tolist(), "unseen", unseen.round(3).tolist())
        record[name] = {
            "lut": shares.round(3).tolist(),
            "yosys": toolchain.find("yosys").version,
            "link": link(name),
            "largest_error": round(float(np.abs(errors).max()), 3),
            "largest_unseen_error": round(float(np.abs(unseen).max()), 3),
            "designs": found,
        }
        print(name, {key: record[name][key] for key in ("link", "largest_error", "largest_unseen_error")})
        fit.CALIBRATION.write_text(json.dumps(record, indent=1) + "\n")


def unseen_errors(rows: np.ndarray, luts: np.ndarray) -> np.ndarray:
    """The error of each design if shares are fitted to the others, where these have all that it has."""
    others = [(i, np.delete(rows, i, 0), np.delete(luts, i)) for i in range(len(luts))]
    rank = np.linalg.matrix_rank(rows)
    return np.array([rows[i] @ solve(r, n) / luts[i] - 1 for i, r, n in others if np.linalg.matrix_rank(r) == rank])


def solve(rows: np.ndarray, luts: np.ndarray) -> np.ndarray:
    """Shares, none negative, whose relative errors are least in squares."""
    return nnls(rows / luts[:, None], np.ones(len(rows)))[0]


if __name__ == "__main__":
    main(sys.argv[1:])
