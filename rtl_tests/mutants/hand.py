"""Mutants made by hand: one change in one source, with the mistake that it stands for."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import neurogen
from neurogen.flow import simulators
from neurogen.spec.config import FabricConfig
from neurogen.spec.errors import ToolError

from .fabrics import CUBA, FULL
from .trial import Specimen, judge

PACKAGE = Path(neurogen.__file__).parent
STALLS = 5
CONVERT = """
import sys
from neurogen.flow.emit import overlay
from neurogen.rtl.streams import Stalls
from neurogen.spec.config import FabricConfig
config, stalls = FabricConfig.model_validate_json(sys.stdin.read()), {stalls}
sys.stdout.write(overlay(config, Stalls(stalls)).verilog)
"""


@dataclass(frozen=True)
class Mutation:
    """``old``, which stands once in ``file`` of ``neurogen.rtl``, becomes ``new``; ``name`` says what that means."""

    name: str
    file: str
    old: str
    new: str
    fabric: FabricConfig = FULL


MUTATIONS = (
    Mutation(
        "scheduler: an event is lost while the slot is read", "scheduler.py",
        "self.events.ready.eq(~(self.start | Cat(fetching).any()))", "self.events.ready.eq(1)",
    ),
    Mutation(
        "scheduler: stale word, the event before last is not forwarded", "scheduler.py",
        "Mux(is_last, last, Mux(is_second_last, second_last, Mux(was_pending, before, 0)))",
        "Mux(is_last, last, Mux(was_pending, before, 0))",
    ),
    Mutation(
        "scheduler: a reset does not empty the slots", "scheduler.py",
        "m.d.sync += counts.eq(0)", "m.d.sync += counts.eq(counts)",
    ),
    Mutation(
        "scheduler: payloads of other slots are mixed up", "scheduler.py",
        "write.addr.eq(Cat(stored.slot, stored.bit, stored.word))",
        "write.addr.eq(Cat(C(0, 1), stored.slot[1:], stored.bit, stored.word))",
    ),
    Mutation(
        "sequencer: a pass walks one group too many", "sequencer.py",
        "walks.eq(step.group + 1 != last)", "walks.eq(step.group != last)",
    ),
    Mutation(
        "sequencer: banks join a pass of another range", "sequencer.py",
        "joins.eq(Cat((chosen & own).any() for own in wanted))", "joins.eq(Cat(own.any() for own in wanted))",
    ),
    Mutation(
        "sequencer: every group gets the first group's weights", "sequencer.py",
        "bank.row.eq(bank.row + 1)", "bank.row.eq(bank.row)",
    ),
    Mutation(
        "store: swapped banks, weights are written into the neighbour", "synapses/tables.py",
        "write.en.eq(self.port.write & (self.port.bank == bank))",
        "write.en.eq(self.port.write & (self.port.bank == bank ^ 1))",
    ),
    Mutation(
        "store: a bank that takes no part adds its last row again", "synapses/tables.py",
        "clears.eq(delayed(m, reading & ~read.en, late))", "clears.eq(0)", CUBA,
    ),
    Mutation(
        "store: the adder tree loses its carries", "synapses/dense.py",
        "total.eq(a + b)", "total.eq(a ^ b)", CUBA,
    ),
    Mutation(
        "store: the payload is one event late", "synapses/dense.py",
        "asked.payload, 0), banks.latency_cycles)", "asked.payload, 0), banks.latency_cycles + 1)",
    ),
    Mutation(
        "sequencer: stale sum, a pass does not wait for the row of its group", "sequencer.py",
        'repeats = step.valid & (step.group == first) if core.accumulators == "block" else C(0)', "repeats = C(0)",
    ),
    Mutation(
        "accumulators: sums of the last tick are kept", "accumulators.py",
        "touched.eq((touched | hits) & kept)", "touched.eq(touched | hits)", CUBA,
    ),
    Mutation(
        "update: an overlapped sample continues from the last one's state", "update.py",
        "(now.restart | t.is_fresh)", "t.is_fresh",
    ),
    Mutation(
        "update: neurons work one tick after the end of their sample", "update.py",
        "(group.depth <= now.closing)", "(group.depth < now.closing)",
    ),
    Mutation(
        "update: a group rests when its last lanes do", "update.py",
        "quiet.all() & (so_far | is_first)", "quiet.all()",
    ),
    Mutation(
        "accumulators: sums are lost while a vector waits", "accumulators.py",
        "read.en.eq(asks), self.row", "read.en.eq(1), self.row",
    ),
    Mutation(
        "neuron: a refractory neuron fires", "neurons/lif.py",
        "fires(t.x, t.threshold, t.compare) & ~t.refractory.any()", "fires(t.x, t.threshold, t.compare)",
    ),
    Mutation(
        "neuron: a delayed reset is forgotten", "neurons/lif.py",
        "Mux(t.spike == t.pending, t.x,", "Mux(~t.spike, t.x,",
    ),
    Mutation(
        "neuron: saturation keeps the lowest code", "neurons/arithmetic.py",
        "x[-1] & ~(high.all() & low.any())", "x[-1] & ~high.all()",
    ),
    Mutation(
        "neuron: rounding without its carry", "neurons/arithmetic.py",
        "return x >> shift, carry", "return x >> shift, C(0, 1)",
    ),
    Mutation(
        "neuron: refractory for one tick too long", "neurons/arithmetic.py",
        "ticks - ticks.any()", "ticks", CUBA,
    ),
    Mutation(
        "neuron: a wrapped current has the wrong sign", "neurons/cuba_lif.py",
        "Cat(code, code[-1] & code[:-1].any()).as_signed()", "code", CUBA,
    ),
    Mutation(
        "encoder: of several spikes in a vector only the first leaves", "encoder.py",
        "rest.eq(vector.spikes & ~chosen)", "rest.eq(0)",
    ),
    Mutation(
        "routes: an off-by-one slot", "routes.py",
        "slot = (self.tick_slot + entry.delay)", "slot = (self.tick_slot + entry.delay + 1)",
    ),
    Mutation(
        "routes: a packet is lost under backpressure", "routes.py",
        "~self.o.valid | (is_last & self.o.ready)", "~self.o.valid | is_last",
    ),
    Mutation(
        "streams: the second item of a queue is lost under backpressure", "streams.py",
        "front.eq(Mux(back_valid, back, self.i.payload))", "front.eq(self.i.payload)",
    ),
    Mutation(
        "router: a packet is lost under backpressure", "router.py",
        "is_free.eq(~self.o.valid | self.o.ready)", "is_free.eq(1)",
    ),
    Mutation(
        "router: a multicast copy is dropped where another branch is faster", "router.py",
        "is_free.eq(~(self.waiting & ~self.leaving).any())", "is_free.eq(~self.waiting.any() | self.leaving.any())",
    ),
    Mutation(
        "router: a multicast branch leaves twice", "router.py",
        "self.waiting.eq(self.waiting & ~self.leaving)", "self.waiting.eq(self.waiting)",
    ),
    Mutation(
        "routing: multicast does not reach the southmost row", "routing/mesh.py",
        "in_column & (head.y1 > y)", "in_column & (head.y1 > y + 1)",
    ),
    Mutation(
        "barrier: a tick is over before it began", "barrier.py",
        "window.eq(self.round_trip_cycles)", "window.eq(0)",
    ),
    Mutation(
        "barrier: nobody waits for the last node", "barrier.py",
        "level = list(self.busy)", "level = list(self.busy)[:-1]",
    ),
    Mutation(
        "core: a tick ends while a packet waits to leave", "core.py",
        " | self.configuration.busy | self.outbox.o.valid", " | self.configuration.busy",
    ),
    Mutation(
        "ticks: one tick more than was ordered", "ticks.py",
        "follows.eq((remaining > 1) & ~real_time)", "follows.eq((remaining > 0) & ~real_time)",
    ),
    Mutation(
        "host port: the end of a tick is not told while output waits", "host_port.py",
        "self.messages.ready.eq(is_free & ~self.packets.valid)", "self.messages.ready.eq(is_free)",
    ),
    Mutation(
        "decoder: the two halves of a configuration word are swapped", "decoder.py",
        "Mux(self.upper, upper, lower)", "Mux(self.upper, lower, upper)",
    ),
    Mutation(
        "decoder: the last slot of the window is refused", "decoder.py",
        "> slots - 2)", "> slots - 3)",
    ),
    Mutation(
        "ticks: a phase lasts one tick longer", "ticks.py",
        "wraps.eq(phase + 1 >= settings.period_ticks)", "wraps.eq(phase >= settings.period_ticks)",
    ),
    Mutation(
        "ticks: overlapped samples are one tick longer", "ticks.py",
        "(position + 1 >= settings.sample_ticks)", "(position >= settings.sample_ticks)",
    ),
    Mutation(
        "configuration: the row number does not follow the last word of a row", "configuration.py",
        "address.row.eq(address.row + 1)", "address.row.eq(address.row)",
    ),
)  # fmt: skip


def intact() -> tuple[Mutation, ...]:
    """Changes of nothing: with these the cases have to pass."""
    return tuple(Mutation(f"none, {fabric.name}", "core.py", "", "", fabric) for fabric in (FULL, CUBA))


class Damaged:
    """A copy of the package in ``folder`` with one mutation, and the fabric that it generates."""

    def __init__(self, mutation: Mutation, folder: Path):
        self._mutation, self._folder = mutation, folder
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
        path = folder / PACKAGE.name / "rtl" / mutation.file
        path.write_text(path.read_text().replace(mutation.old, mutation.new, 1))

    def specimen(self, gated: bool) -> Specimen:
        """What to run. Raises ToolError if the damage is none, or is more than the tools take."""
        mutation, stalls = self._mutation, STALLS if gated else None
        verilog = convert(self._folder, mutation.fabric, stalls)
        if mutation.old and verilog == intact_verilog(mutation.fabric, stalls):
            raise ToolError(f"{mutation.name}: the same Verilog as without it")
        return Specimen(simulators.bench("verilator", verilog, mutation.fabric.name), mutation.fabric.name, gated)

    def judge(self, folder: Path) -> str | None:
        """How it is found out, or None: first with gates in all streams, then without."""
        for gated in (True, False):
            ((_, verdict),) = judge(self.specimen(gated), [0], folder)
            if verdict:
                return verdict
        return None


@cache
def intact_verilog(fabric: FabricConfig, stalls: int | None) -> str:
    return convert(PACKAGE.parent, fabric, stalls)


def convert(folder: Path, fabric: FabricConfig, stalls: int | None) -> str:
    """The fabric's Verilog as the package in ``folder`` writes it."""
    command = [sys.executable, "-c", CONVERT.format(stalls=stalls)]
    result = subprocess.run(command, cwd=folder, input=fabric.model_dump_json(), capture_output=True, text=True)
    if result.returncode:
        raise ToolError(f"{folder}: no Verilog comes out: {result.stderr.strip().splitlines()[-1]}")
    return result.stdout
