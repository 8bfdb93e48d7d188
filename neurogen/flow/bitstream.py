"""Verilog to a bitstream for a board: synthesis, place and route, packing, at a clock that the routed design reaches.

The clock enters the design (PLL, UART), and what it reaches is known after routing. So the first round aims at what
is usual for the device; a later one at what the round before it reached, less a margin, until a round confirms its own
clock. All results come from the cache if they were made before.
"""

import dataclasses
import inspect
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from amaranth.lib import wiring

from boards import Board

from ..rtl.fabric import SIGNATURE
from ..rtl.shared import Shared
from ..spec.config import FabricConfig
from ..spec.errors import InputError, ToolError
from ..spec.image import Image
from . import cache as store
from . import emit, patch, toolchain
from .families import RESOURCES, Pll, family
from .wiring import TOP, wrapper

MARGIN = 0.05
"""How much faster the routed design has to be than its clock."""

SLACK = 0.1
"""How much faster it may be before a faster clock is tried."""

ROUNDS = 4
ROUTED, NETLIST, PLACES, BOOT_IMAGE = "routed", "netlist.json", "places.npz", "boot.bin"
CELLS, REPORT, LOG = "cells.json", "report.json", "place.txt"
"""Cells by type after synthesis; nextpnr's report and log."""

Progress = Callable[[str], None]
"""Told what begins."""

_USE = re.compile(r"\s([A-Z]\w+):\s+(\d+)/\s*(\d+)\s+\d+%")


@dataclass(frozen=True)
class Critical:
    """The slowest path between two flip-flops or memories: their names, the time in logic and in wires, its cells."""

    start: str
    end: str
    logic_ns: float
    wire_ns: float
    cells: int


@dataclass(frozen=True)
class Trial:
    """One place and route: ``folder`` holds it; ``fmax_hz`` is the clock that it reaches."""

    seed: int
    folder: Path
    fmax_hz: float
    used: dict[str, int]


@dataclass(frozen=True)
class Job:
    """A fabric for a board. ``image`` (None: the host loads it) is what its memories hold at power-up.

    ``design_seed`` draws the contents with which it is routed; ``seeds`` places and routes are tried.
    """

    name: str
    board_name: str
    board: Board
    config: FabricConfig
    image: Image | None
    build_digest: int
    seeds: int = 2
    design_seed: int = 0

    @property
    def family(self) -> ModuleType:
        return family(self.board.platform())

    @property
    def top(self) -> str:
        """The module with the UART's pins."""
        return f"{self.config.name}_board"

    @property
    def boots(self) -> bool:
        """Whether it loads its image from the board's flash."""
        return self.config.core.starts_empty and self.board.flash is not None

    @property
    def drawn(self) -> Image | None:
        """The image as it is routed."""
        return self.image and patch.drawn(self.image, self.design_seed)

    def setting(self, wanted_hz: float) -> Pll:
        """The PLL's setting closest below a frequency."""
        return self.family.pll(self.board.open().lookup(self.board.clock).clock.frequency, wanted_hz)


def make(job: Job, folder: Path, logs: Path, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Build ``job`` into ``folder``, the tools' logs into ``logs``; returns what ``summary.json`` says of it.

    Raises InputError if it does not fit the device, ToolError, with the log, if a tool fails or no clock is reached.
    """
    setting, trials, rounds = _reach(job, progress)
    best = max(trials, key=lambda trial: trial.fmax_hz)
    progress("pack")
    folder.mkdir(parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    for name in ("design.v", "board.v", f"constraints.{job.family.CONSTRAINTS}", NETLIST):
        shutil.copyfile(best.folder / name, folder / name)
    for log in best.folder.glob("*.log"):
        shutil.copyfile(log, logs / log.name)
    routed = (best.folder / f"{ROUTED}.{job.family.ROUTED}").read_text()
    if job.image:
        places = patch.locate(job.family, routed, job.drawn)
        places.save(folder / PLACES)
        routed = patch.patched(job.family, routed, places, job.image)
    pack(job.board.device, job.family, routed, folder, logs)
    return _record(job, setting, trials, best, rounds)


def pack(device: str, found: ModuleType, routed: str, folder: Path, logs: Path) -> None:
    """The routed design and the bitstream of it into ``folder``."""
    (folder / f"{ROUTED}.{found.ROUTED}").write_text(routed)
    log = f"{found.TOOLS[2]}.log"
    toolchain.run(found.TOOLS[2], found.pack(device), folder, log)
    (folder / log).rename(logs / log)


def _reach(job: Job, progress: Progress) -> tuple[Pll, list[Trial], list[dict[str, Any]]]:
    """A clock that the routed design reaches with the margin, its trials, and what every round found."""
    start_hz = job.family.DEVICES[job.board.device].start_hz
    setting, rounds = job.setting(start_hz), []
    for number in range(1, ROUNDS + 1):
        text = f"round {number} at {setting.hz / 1e6:.1f} MHz"
        progress(f"{text}: synthesis")
        netlist = _synthesise(job, setting)
        trials = []
        for seed in range(1, job.seeds + 1):
            progress(f"{text}: place and route, seed {seed} of {job.seeds}")
            trials.append(_place(job, netlist, setting, seed))
        reached = max(trial.fmax_hz for trial in trials) / (1 + MARGIN)
        rounds.append({"clock_mhz": setting.hz / 1e6, "fmax_mhz": {t.seed: t.fmax_hz / 1e6 for t in trials}})
        following = job.setting(reached * (1 - MARGIN) if reached < setting.hz else reached)
        if setting.hz <= reached and (following.hz <= setting.hz * (1 + SLACK) or number == ROUNDS):
            return setting, trials, rounds
        setting = following
    raise ToolError(f"{job.name} on {job.board_name}: no clock was reached in {ROUNDS} rounds: {rounds}")


def design(job: Job, image: Image | None, setting: Pll) -> str:
    """UART, link and fabric as Verilog, with ``image`` in the memories; from the cache if it was made before."""
    inside = emit.fabric(job.config, image)
    parts = [
        inside.digest,
        str(setting.hz),
        f"{job.build_digest:x}",
        job.board_name,
        str(job.board.baud),
        str(job.boots),
    ]

    def fill(folder: Path) -> None:
        from ..rtl.board_top import BoardTop  # not needed where the text is in the cache

        fabric = Shared(wiring.PureInterface(SIGNATURE, path=("fabric",)), inside.top)
        top = BoardTop(
            job.config, clock_hz=round(setting.hz), baud=job.board.baud, build_digest=job.build_digest,
            device=job.board_name, boots=job.boots, fabric=lambda *_: fabric,
        )  # fmt: skip
        (folder / "link.v").write_text(emit.emit(top, job.top).verilog)

    key = store.digest(*parts, *emit.versions().values(), emit.source_digest(emit.SOURCES))
    return f"{(store.entry('board_top', key, fill) / 'link.v').read_text()}\n{inside.verilog}"


def _synthesise(job: Job, setting: Pll) -> Path:
    """The folder with the netlist of the design for one clock."""
    script, text = job.family.synthesis(job.board.device, TOP), design(job, job.drawn, setting)
    rtlil, constraints = wrapper(job.board, setting, job.top, job.boots)

    def fill(folder: Path) -> None:
        (folder / "design.v").write_text(text)
        (folder / "board.il").write_text(rtlil)
        (folder / f"constraints.{job.family.CONSTRAINTS}").write_text(constraints)
        reads = ("read_rtlil board.il", "write_verilog -noattr board.v", "read_verilog design.v")
        _yosys(folder, job.family, *reads, script)

    key = store.digest(text, rtlil, constraints, script, _finishing(job.family), toolchain.find("yosys").version)
    return store.entry("netlist", key, fill)


def synthesised(verilog: str, found: ModuleType, device: str, top: str) -> Path:
    """The folder with a family's netlist of the module ``top`` of a text; from the cache if it was made before."""
    script = found.synthesis(device, top)

    def fill(folder: Path) -> None:
        (folder / "design.v").write_text(verilog)
        _yosys(folder, found, "read_verilog design.v", script)

    key = store.digest(verilog, script, _finishing(found), toolchain.find("yosys").version)
    return store.entry("synthesised", key, fill)


def _finishing(found: ModuleType) -> str:
    """The text that says how a family finishes a netlist."""
    return inspect.getsource(found)


def _yosys(folder: Path, found: ModuleType, *commands: str) -> None:
    """Run commands that end in a netlist, finish that, and leave it and its cells by type in ``folder``."""
    tail = (f"tee -q -o {CELLS} stat -json", f"write_json {NETLIST}")
    (folder / "synthesis.ys").write_text("\n".join((*commands, *tail)) + "\n")
    toolchain.run("yosys", ("-q", "-l", "yosys.txt", "synthesis.ys"), folder, "yosys.log", own="yosys.txt")
    design = json.loads((folder / NETLIST).read_text())
    found.finish(design)
    (folder / NETLIST).write_text(json.dumps(design))


def _place(job: Job, netlist: Path, setting: Pll, seed: int) -> Trial:
    """One place and route. Timing may fail here: what was reached is what is asked for."""
    found, name = job.family, job.family.TOOLS[1]
    arguments = (
        *found.place(job.board.platform()), *effort(found, netlist), "--json", NETLIST, *found.constrain(setting.hz),
        f"--{found.ROUTE_OPTION}", f"{ROUTED}.{found.ROUTED}", "--seed", str(seed), "--report", REPORT,
        "--timing-allow-fail", "--quiet", "--log", LOG,
    )  # fmt: skip
    kept = (NETLIST, CELLS, "design.v", "board.v", f"constraints.{found.CONSTRAINTS}", "yosys.log")

    def fill(folder: Path) -> None:
        for file in kept:
            shutil.copyfile(netlist / file, folder / file)
        try:
            toolchain.run(name, arguments, folder, f"{name}.log", own=LOG)
        except ToolError:
            refuse_if_too_large(job.name, job.board_name, job.family, folder / LOG)
            raise

    key = store.digest(netlist.name, toolchain.find(name).version, *arguments)
    folder = store.entry("routed", key, fill)
    return Trial(seed, folder, *results(found, folder))


def results(found: ModuleType, folder: Path) -> tuple[float, dict[str, int]]:
    """The clock that a placed and routed design reaches, and what it takes, from the tools' reports in ``folder``."""
    report = json.loads((folder / REPORT).read_text())
    slowest = min(clock["achieved"] for clock in report["fmax"].values())
    return slowest * 1e6, _used(found, folder, {cell: item["used"] for cell, item in report["utilization"].items()})


def critical(folder: Path) -> Critical:
    """The longest of the paths in nextpnr's report that begin and end with the same clock edge."""
    report = json.loads((folder / REPORT).read_text())
    paths = [path["path"] for path in report["critical_paths"] if not {"<async>"} & {path["from"], path["to"]}]
    path = max(paths, key=lambda steps: sum(step["delay"] for step in steps))
    delays = {"routing": 0.0}
    for step in path:
        kind = step["type"] if step["type"] in delays else "logic"
        delays[kind] = delays.get(kind, 0.0) + step["delay"]
    return Critical(
        start=path[0]["from"]["cell"],
        end=path[-1]["to"]["cell"],
        logic_ns=delays.get("logic", 0.0),
        wire_ns=delays["routing"],
        cells=sum(step["type"] == "logic" for step in path),
    )


def packed(found: ModuleType, folder: Path) -> dict[str, int]:
    """What a design takes that was packed and not placed, from nextpnr's log in ``folder``."""
    counts = utilization((folder / LOG).read_text(errors="replace"))
    return _used(found, folder, {cell: used for cell, (used, _) in counts.items()})


def _used(found: ModuleType, folder: Path, counts: dict[str, int]) -> dict[str, int]:
    return found.used(counts, _cells(folder))


def _cells(folder: Path) -> dict[str, int]:
    """Cells by type of a netlist."""
    return json.loads((folder / CELLS).read_text())["design"]["num_cells_by_type"]


def effort(found: ModuleType, folder: Path) -> tuple[str, ...]:
    """Arguments with which nextpnr reaches more for the netlist in ``folder``."""
    return found.effort(sum(_cells(folder).values()))


def trial(job: Job, seed: int = 1) -> Trial:
    """One synthesis, place and route at the clock that is usual for the device. Raises InputError, ToolError."""
    setting = job.setting(job.family.DEVICES[job.board.device].start_hz)
    return _place(job, _synthesise(job, setting), setting, seed)


def refuse_if_too_large(name: str, place: str, found: ModuleType, log: Path) -> None:
    """Raise InputError if a place and route failed because the device has too little of something.

    ``name`` is the design's, ``place`` the board's or the device's, ``log`` nextpnr's.
    """
    text = log.read_text(errors="replace") if log.exists() else ""
    names = {cell: kind for kind, cell in found.USED.items()}
    for cell, (used, available) in utilization(text).items():
        if cell in names and used > available:
            raise InputError(too_large(name, place, names[cell], used, available))


def utilization(log: str) -> dict[str, tuple[int, int]]:
    """How many cells of each kind nextpnr's log says are used, and how many there are."""
    return {cell: (int(used), int(available)) for cell, used, available in _USE.findall(log)}


def too_large(name: str, board_name: str, resource: str, used: int, available: int, others: Sequence[str] = ()) -> str:
    """By how much something does not fit, and what would: ``others`` are boards on which it does."""
    return (
        f"{name} does not fit {board_name}: {used:,} {RESOURCES[resource]} of {available:,},"
        f" {used / available - 1:.0%} too many;"
        f" fewer weight bits may, or {' or '.join(others) or 'a board with more (see: neurogen boards)'}"
    )


def _record(job: Job, setting: Pll, trials: list[Trial], best: Trial, rounds: list) -> dict[str, Any]:
    device = job.family.DEVICES[job.board.device]
    return {
        "board": job.board_name,
        "device": job.board.device,
        "clock_mhz": setting.hz / 1e6,
        "pll": {"reference_mhz": setting.reference_hz / 1e6, "vco_mhz": setting.vco_hz / 1e6, **setting.parameters},
        "baud": job.board.baud,
        "fmax_mhz": best.fmax_hz / 1e6,
        "critical": dataclasses.asdict(critical(best.folder)),
        "seed": best.seed,
        "seeds": [{"seed": t.seed, "fmax_mhz": t.fmax_hz / 1e6, "used": t.used} for t in trials],
        "used": best.used,
        "available": {kind: getattr(device, kind) for kind in RESOURCES},
        "rounds": rounds,
        "tools": {name: toolchain.find(name).version for name in job.family.TOOLS},
        "native": {name: toolchain.find(name).native for name in job.family.TOOLS},
        "design_seed": job.design_seed,
        "build_digest": f"{job.build_digest:016x}",
    }
