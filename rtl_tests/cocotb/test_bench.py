"""The fabric's bench, around a stand-in that only sends words back: nothing lost, both simulators alike."""

import os

import pytest
from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from neurogen.flow import simulators
from neurogen.flow.emit import emit
from neurogen.spec.words import OPCODE_BITS, Command, Response
from rtl_tests.cocotb.simulators import SIMULATORS, needs

SEED = 7
MODULE = "rtl_tests.cocotb.play_loopback"


class Loopback(wiring.Component):
    """Words come back through a queue; PEEK is answered by the two words of PEEKED, RESET stops everything."""

    def __init__(self):
        word = stream.Signature(32)
        super().__init__({"words_in": In(word), "words_out": Out(word)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = SyncFIFOBuffered(width=32, depth=4)
        opcode, second, stopped = queue.r_data[:OPCODE_BITS], Signal(), Signal()
        is_peek = opcode == Command.PEEK
        m.d.comb += [
            queue.w_data.eq(self.words_in.payload),
            queue.w_en.eq(self.words_in.valid & ~stopped),
            self.words_in.ready.eq(queue.w_rdy & ~stopped),
            self.words_out.valid.eq(queue.r_rdy & (opcode != Command.RESET)),
            self.words_out.payload.eq(queue.r_data),
            queue.r_en.eq(self.words_out.ready & self.words_out.valid & (~is_peek | second)),
        ]
        with m.If(is_peek):
            m.d.comb += self.words_out.payload.eq(int(Response.PEEKED))
            with m.If(self.words_out.valid & self.words_out.ready):
                m.d.sync += second.eq(~second)
        with m.If(queue.r_rdy & (opcode == Command.RESET)):
            m.d.sync += stopped.eq(1)
        return m


def clocks(name: str, folder) -> str:
    model = simulators.bench(needs(name), emit(Loopback(), "loopback").verilog, "loopback")
    simulators.run(model, MODULE, "words_pass_whatever_the_bench_holds_back", folder, SEED)
    return (folder / "clocks.txt").read_text()


@pytest.mark.parametrize("name", SIMULATORS)
def test_words_pass_whatever_the_bench_holds_back(name, tmp_path):
    assert len(clocks(name, tmp_path).split(",")) == 4


def test_verilator_needs_no_python_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "python").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("NEUROGEN_CACHE", str(tmp_path / "cache"))
    assert clocks(needs("verilator"), tmp_path)


def test_both_simulators_take_the_same_clocks(tmp_path):
    found = set()
    for name in SIMULATORS:
        (tmp_path / name).mkdir()
        found.add(clocks(name, tmp_path / name))
    assert len(found) == 1


@pytest.mark.parametrize("name", SIMULATORS)
def test_a_fabric_that_stops_is_reported(name, tmp_path):
    model = simulators.bench(needs(name), emit(Loopback(), "loopback").verilog, "loopback")
    simulators.run(model, MODULE, "a_fabric_that_stops_is_reported", tmp_path, SEED)
