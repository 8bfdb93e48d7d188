"""UART and link around a stand-in for the fabric that answers every word, in the virtual board's bench."""

import json
from pathlib import Path

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from neurogen.flow import simulators
from neurogen.flow.emit import emit
from neurogen.rtl.link.link import Link
from neurogen.rtl.link.uart import UartRx, UartTx
from neurogen.rtl.streams import Queue
from neurogen.spec.link import Identity
from neurogen.tb import board_files as files

CLOCKS_PER_BIT = 4
IDENTITY = Identity(4_000_000, 0x12345678, 0xFEDCBA9876543210, "bench", 8, 8)


class LinkTop(wiring.Component):
    """Answers word n since the last restart with itself, rotated left by one, XOR n."""

    def __init__(self):
        super().__init__({"rx": In(1), "tx": Out(1)})

    def elaborate(self, platform):
        m = Module()
        settings = {"clock_hz": IDENTITY.clock_hz, "baud": IDENTITY.clock_hz // CLOCKS_PER_BIT}
        m.submodules.uart_rx = uart_rx = UartRx(**settings)
        m.submodules.uart_tx = uart_tx = UartTx(**settings)
        m.submodules.link = link = Link(identity=IDENTITY.pack())
        m.submodules.queue = queue = ResetInserter(link.restart)(Queue(shape=32))
        count = Signal(32)
        connect(m, uart_rx.o, link.i)
        connect(m, link.o, uart_tx.i)
        m.d.comb += [
            uart_rx.rx.eq(self.rx),
            self.tx.eq(uart_tx.tx),
            queue.i.valid.eq(link.words_out.valid),
            queue.i.payload.eq(link.words_out.payload.rotate_left(1) ^ count),
            link.words_out.ready.eq(queue.i.ready),
            link.words_in.valid.eq(queue.o.valid),
            link.words_in.payload.eq(queue.o.payload),
            queue.o.ready.eq(link.words_in.ready),
        ]
        with m.If(link.words_out.valid & link.words_out.ready):
            m.d.sync += count.eq(count + 1)
        with m.If(link.restart):
            m.d.sync += count.eq(0)
        return m


def model(simulator: str = "verilator") -> simulators.Model:
    """The bench, compiled."""
    sources = {"bench.v": files.BENCH.read_text(), "top.v": emit(LinkTop(), "link_top").verilog}
    return simulators.compile(simulator, sources, files.TOP, files.defines("link_top", CLOCKS_PER_BIT))


def run(frames: int, seed: int, folder: Path, simulator: str = "verilator") -> str:
    """A fuzz trial of ``frames`` frames; what was done."""
    (folder / "trial.json").write_text(json.dumps({"frames": frames, "seed": seed}))
    simulators.run(model(simulator), "rtl_tests.cocotb.play_link", "fuzz", folder, seed)
    return (folder / "trial.txt").read_text()
