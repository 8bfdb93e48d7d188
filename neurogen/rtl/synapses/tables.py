"""The memories of the synapse stores: axon rows behind the heads, the walk table, and the banks of synapse rows."""

from functools import partial

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...spec import memory_map, rows
from ...spec.config import FabricConfig
from ...spec.fixed import index_bits
from ...spec.memory_map import Region
from ..image_memory import image_memory, synapse_memory
from ..layout import struct
from ..memory_port import MemoryPort
from ..streams import Lookup, Stalls
from . import head_layout, payload_shape


class AxonTable(wiring.Component):
    """The axon row of every head, bank by bank. Latency that of a :class:`Lookup`, throughput 1 per clock and bank.

    Members
    -------
    heads : In(stream of axon, payload), K
    found : Out(stream of row, payload), K
    port : In(MemoryPort)
        Region AXONS.
    busy : Out(1)
        A row waits.
    """

    def __init__(self, config: FabricConfig, init=None, stalls: Stalls | None = None):
        self.config = config
        self.init = init or [[]] * config.core.banks
        self.stalls = stalls or Stalls()
        core, self.row = config.core, struct(rows.axon(config))
        found = data.StructLayout({"row": self.row, "payload": payload_shape(core)})
        super().__init__(
            {
                "heads": In(stream.Signature(head_layout(core))).array(core.banks),
                "found": Out(stream.Signature(found)).array(core.banks),
                "port": In(MemoryPort(memory_map.shapes(config)[Region.AXONS])),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        core, port = self.config.core, self.port
        bank_read, waiting = Signal.like(port.bank), []
        with m.If(port.read):
            m.d.sync += bank_read.eq(port.bank)
        for bank, (head, output) in enumerate(zip(self.heads, self.found, strict=True)):
            m.submodules[f"bank_{bank}"] = table = Lookup(
                row=self.row,
                rows=core.bank_axons,
                tag=payload_shape(core),
                init=self.init[bank],
                writable=core.writable,
                registered=core.memory_registers,
                memory=partial(image_memory, core),
            )
            found = self.stalls.gate(m, f"found_{bank}", table.o)
            m.d.comb += [
                table.i.p.address.eq(head.p.axon),
                table.i.p.tag.eq(head.p.payload),
                table.i.valid.eq(head.valid),
                head.ready.eq(table.i.ready),
                output.p.row.eq(found.p.row),
                output.p.payload.eq(found.p.tag),
                output.valid.eq(found.valid),
                found.ready.eq(output.ready),
                table.port.row.eq(port.row),
                table.port.write_data.eq(port.write_data),
                table.port.write.eq(port.write & (port.bank == bank)),
                table.port.read.eq(port.read & (port.bank == bank)),
            ]
            with m.If(bank_read == bank):
                m.d.comb += port.read_data.eq(table.port.read_data)
            waiting.append(table.busy)
        m.d.comb += self.busy.eq(Cat(waiting).any())
        return m


class WalkTable(wiring.Component):
    """The rows that axon rows name, in registers, which no reset changes, as none changes a memory.

    Members
    -------
    rows : Out(row layout), as many as there are
    port : In(MemoryPort)
        Region WALKS.
    """

    def __init__(self, config: FabricConfig, init=None):
        self.config = config
        shape, self.row = memory_map.shapes(config)[Region.WALKS], struct(rows.walk(config))
        self.init = init or [0] * shape.rows
        super().__init__({"rows": Out(self.row).array(shape.rows), "port": In(MemoryPort(shape))})

    def elaborate(self, platform):
        m = Module()
        port = self.port
        for number, (packed, output) in enumerate(zip(self.init, self.rows, strict=True)):
            row = Signal(len(output.as_value()), init=packed, reset_less=True, name=f"row_{number}")
            m.d.comb += output.as_value().eq(row)
            if self.config.core.writable:
                with m.If(port.write & (port.row == number)):
                    m.d.sync += row.eq(port.write_data)
            with m.If(port.read & (port.row == number)):
                m.d.sync += port.read_data.eq(row)
        return m


class Banks(wiring.Component):
    """K memories of synapse rows. Memory outputs go straight into registers: no logic stands behind a block RAM.

    Latency 2 clocks, 3 with memory registers; throughput 1 row per clock and bank.

    Members
    -------
    reads : In(enable, row), K
        Only while ``port`` does not work.
    rows : Out(row), K
        The row, 0 if its bank read none while another did.
    port : In(MemoryPort)
        Region SYNAPSES.
    """

    def __init__(self, config: FabricConfig, init=None):
        self.config = config
        self.init = init
        self.latency_cycles = 2 + config.core.memory_registers
        self.shape = memory_map.shapes(config)[Region.SYNAPSES]
        read = data.StructLayout({"enable": 1, "row": index_bits(self.shape.rows)})
        super().__init__(
            {
                "reads": In(read).array(self.shape.banks),
                "rows": Out(self.shape.width).array(self.shape.banks),
                "port": In(MemoryPort(self.shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        reading = Cat(read.enable for read in self.reads).any() | self.port.read
        for bank in range(self.shape.banks):
            self._bank(m, bank, reading)
        # Banks that do not take part are 0, so the row that the port asked for is the OR of all.
        m.d.comb += self.port.read_data.eq(tree(list(self.rows), lambda a, b: a | b))
        return m

    def _bank(self, m, bank: int, reading):
        core, init = self.config.core, self.init[bank] if self.init else []
        m.submodules[f"bank_{bank}"] = memory = synapse_memory(
            core, width=self.shape.width, rows=self.shape.rows, init=init
        )
        read, asked, row = memory.read_port(), self.reads[bank], self.rows[bank]
        is_selected, loads, clears, late = Signal(), Signal(), Signal(), self.latency_cycles - 1
        m.d.comb += [
            is_selected.eq(self.port.read & (self.port.bank == bank)),
            read.addr.eq(Mux(asked.enable, asked.row, self.port.row)),
            # Never in the clock of a write: synthesis would add logic to define what is read then.
            read.en.eq((asked.enable | is_selected) & ~self.port.write),
        ]
        found = read.data
        if core.memory_registers:
            found = Signal.like(read.data, reset_less=True)  # as the memory, so that it can be the memory's own
            m.d.sync += found.eq(read.data)
        m.d.comb += [loads.eq(delayed(m, read.en, late)), clears.eq(delayed(m, reading & ~read.en, late))]
        # Clearing comes before loading, so that it maps to the registers' own synchronous reset.
        with m.If(clears):
            m.d.sync += row.eq(0)
        with m.Elif(loads):
            m.d.sync += row.eq(found)
        if core.writable:
            write = memory.write_port()
            m.d.comb += [
                write.addr.eq(read.addr if core.starts_empty else self.port.row),
                write.data.eq(self.port.write_data),
                write.en.eq(self.port.write & (self.port.bank == bank)),
            ]


def tree(values, combine):
    """``values`` combined in pairs, balanced."""
    while len(values) > 1:
        pairs = [combine(a, b) for a, b in zip(values[::2], values[1::2], strict=False)]
        values = pairs + values[2 * len(pairs) :]
    return values[0]


def delayed(m, value, cycles: int):
    """``value``, ``cycles`` clocks later."""
    for _ in range(cycles):
        late = Signal.like(value, name="late")
        m.d.sync += late.eq(value)
        value = late
    return value


def products(m, core, weights, payload, name: str) -> list:
    """Every weight times the event's ``payload`` one clock later, or the weights now where payloads have no bits."""
    if not core.payload_bits:
        return list(weights)
    found = []
    for lane, weight in enumerate(weights):
        product = Signal((weight * payload).shape(), name=f"product_{name}_{lane}")
        m.d.sync += product.eq(weight * payload)
        found.append(product)
    return found
