"""Every format, pinned by one bit pattern written by hand: a shared mistake of all codecs fails here."""

import subprocess

import pytest

from neurogen.formats import c_header, formats, markdown
from neurogen.rtl.layout import struct
from neurogen.spec import memory_map, packet, rows, words
from neurogen.spec.config import CoreConfig, FabricConfig, NeuronConfig
from neurogen.spec.memory_map import Region
from neurogen.spec.packet import Kind
from neurogen.spec.words import Command, Response

NEURON = NeuronConfig(
    state_bits={"v": 10},
    parameters={
        "threshold": "per_population",
        "reset": "per_population",
        "leak_shift": "per_neuron",
        "bias": "per_neuron",
        "refractory_ticks": "per_population",
    },
)
CONFIG = FabricConfig(
    width=3,
    height=2,
    lines=100,
    core=CoreConfig(
        axons=200,
        neurons=100,
        lanes=16,
        update_lanes=4,
        payload_bits=3,
        values=True,
        graded=True,
        ranges=3,
        routes=50,
        neuron=NEURON,
    ),
)
RECTANGLE = {"x0": 1, "x1": 2, "y0": 0, "y1": 1}
TO = {"host": 0, **RECTANGLE}

FORMATS = {layout.name: layout for layouts in formats(CONFIG).values() for layout in layouts}

# The last field stands on the left, as in a Verilog concatenation; a _ separates two fields.
PATTERNS = {
    "flit": ("1_101", {"kind": Kind.REPLY, "host": 1}),
    "rectangle": ("1_0_10_01", RECTANGLE),
    "flit.SPIKE": (
        "101_1001_10100101_1_0_10_01_0_000",
        {"kind": Kind.SPIKE, **TO, "axon": 0xA5, "slot": 9, "payload": 5},
    ),
    "flit.WRITE": ("1011111011101111_1_0_10_01_0_010", {"kind": Kind.WRITE, **TO, "data": 0xBEEF}),
    "flit.SETADDR": ("010000000000000011_1_0_10_01_0_011", {"kind": Kind.SETADDR, **TO, "address": 0x10003}),
    "flit.READ": ("0000000000000101_1_0_10_01_0_100", {"kind": Kind.READ, **TO, "count": 5}),
    "flit.host.SPIKE": ("1100011_1_000", {"kind": Kind.SPIKE, "host": 1, "line": 99}),
    "flit.host.VALUE": ("1000000001_0000010_1_001", {"kind": Kind.VALUE, "host": 1, "line": 2, "value": -511}),
    "flit.host.REPLY": ("1011111011101111_1_101", {"kind": Kind.REPLY, "host": 1, "data": 0xBEEF}),
    "axon": ("10_100000001", {"base": 257, "range": 2}),
    "range": ("110_001", {"first": 1, "last": 6}),
    "synapse": ("1101", {"weight": -3}),
    "group": (
        "00000101_10_1110000000_0_1_101_000011_01101",
        {
            "size": 13,
            "depth": 3,
            "phase": 5,
            "value": 1,
            "graded": 0,
            "threshold": -128,
            "reset": 2,
            "refractory_ticks": 5,
        },
    ),
    "pointer": ("110010_000111", {"first": 7, "count": 50}),
    "route": ("1111_11000111_1_0_10_01_0", {"host": 0, **RECTANGLE, "axon": 199, "delay": 15}),
    "route.host": ("1100011_1", {"host": 1, "line": 99}),
    "state": ("00000110_1111111110", {"v": -2, "refractory": 6}),
    "neuron": ("0000000011_00101", {"leak_shift": 5, "bias": 3}),
    "address": ("0010_11_000000101_001", {"word": 1, "row": 5, "bank": 3, "region": Region.SYNAPSES}),
    "event": ("101_10100101_1_0_10_01", {**RECTANGLE, "axon": 0xA5, "payload": 5}),
    "command.NOP": ("0000", {"opcode": Command.NOP}),
    "command.EVENTS": ("0000000100000010_000000000011_0001", {"opcode": Command.EVENTS, "count": 3, "tick": 258}),
    "command.ADVANCE": ("0000000000000101_0010", {"opcode": Command.ADVANCE, "count": 5}),
    "command.RESET": ("0011", {"opcode": Command.RESET}),
    "command.END_SAMPLE": ("0100", {"opcode": Command.END_SAMPLE}),
    "command.TARGET": ("1_0_10_01_0101", {"opcode": Command.TARGET, **RECTANGLE}),
    "command.SETADDR": ("0000000000010000000000000011_0110", {"opcode": Command.SETADDR, "address": 0x10003}),
    "command.WRITE": ("0000000100000000_0111", {"opcode": Command.WRITE, "count": 256}),
    "command.READ": ("0000000000000111_1000", {"opcode": Command.READ, "count": 7}),
    "command.POKE": ("0101_1001", {"opcode": Command.POKE, "register": words.Register.OVERLAPPED}),
    "command.PEEK": ("0111_1010", {"opcode": Command.PEEK, "register": words.Register.REFUSED}),
    "response.NOP": ("0000", {"opcode": Response.NOP}),
    "response.SPIKE": ("1100011_0001", {"opcode": Response.SPIKE, "line": 99}),
    "response.VALUE": ("0000010_0010", {"opcode": Response.VALUE, "line": 2}),
    "response.REPLY": ("1011111011101111_0011", {"opcode": Response.REPLY, "data": 0xBEEF}),
    "response.TICK_DONE": ("0000000100000010_0100", {"opcode": Response.TICK_DONE, "tick": 258}),
    "response.PEEKED": ("1000_0101", {"opcode": Response.PEEKED, "register": words.Register.LATE}),
    "response.RESET_DONE": ("0110", {"opcode": Response.RESET_DONE}),
    "timebase": (
        "1_0_000010_001111_011_1001",
        {"slot": 9, "phase": 3, "opening": 15, "closing": 2, "ended": 0, "restart": 1},
    ),
    "boot.header": (
        f"{0x6E67656E:032b}_{0xFEDCBA98:032b}_{0x76543210:032b}_000000000000_{51_234:020b}",
        {
            "magic": 0x6E67656E,
            "build_high": 0xFEDCBA98,
            "build_low": 0x76543210,
            "reserved": 0,
            "length": 51_234,
        },
    ),
    "frame.header": (
        "0000001100000100_0000010100000110_011110001001_0_1_0_1_0000000100000010",
        {
            "ack": 0x102,
            "open": 1,
            "resend": 0,
            "poll": 1,
            "reserved": 0,
            "credit": 0x789,
            "session": 0x506,
            "seq": 0x304,
        },
    ),
    "frame.identity": (
        f"{3:032b}_{2:032b}_{1:032b}_{0xFEDCBA98:032b}_{0x76543210:032b}_{5:032b}_{12_000_000:032b}"
        "_0000000000000000_1001_1000_00000001",
        {
            "protocol": 1,
            "receive_log2": 8,
            "send_log2": 9,
            "reserved": 0,
            "clock_hz": 12_000_000,
            "config": 5,
            "build_low": 0x76543210,
            "build_high": 0xFEDCBA98,
            "device_0": 1,
            "device_1": 2,
            "device_2": 3,
        },
    ),
}


STORES = {
    "conv": {
        "axon": ("10_011_101_100_000010001", {"base": 17, "first": 4, "length": 5, "lines": 3, "geometry": 2}),
        "geometry": ("110_000000011", {"row_stride": 3, "group_stride": 6}),
        "synapse": ("1101", {"weight": -3}),
    },
    "sparse": {
        "axon": ("111_000010001", {"base": 17, "count": 7}),
        "synapse": ("110_1101", {"weight": -3, "group": 6}),
    },
}
"""The rows that other synapse stores than the dense one have in their way."""


@pytest.mark.parametrize(("store", "name"), [(store, name) for store, found in STORES.items() for name in found])
def test_bit_pattern_of_a_store(store, name):
    config = FabricConfig.parse(
        CONFIG.model_dump() | {"core": CONFIG.core.model_dump() | {"store": store, "geometries": 3}}
    )
    pattern, record = STORES[store][name]
    layout = {layout.name: layout for layout in formats(config)["Rows of a core's memories"]}[name]
    assert ("geometry" in STORES[store]) == (rows.walk(config) is not None)
    assert len(pattern.replace("_", "")) == layout.width
    assert layout.pack(**record) == int(pattern.replace("_", ""), 2)
    assert layout.unpack(layout.pack(**record)) == record


def test_every_format_is_pinned():
    assert set(PATTERNS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_bit_pattern(name):
    pattern, record = PATTERNS[name]
    layout, value = FORMATS[name], int(pattern.replace("_", ""), 2)
    assert len(pattern.replace("_", "")) == layout.width
    assert layout.pack(**record) == value
    assert layout.unpack(value) == record
    assert struct(layout).const(record).as_bits() == value


def test_a_flit_is_as_wide_as_its_widest_kind_and_fits_the_default_mesh():
    assert packet.flit_bits(CONFIG) == 28
    assert packet.flit_bits(FabricConfig(width=8, height=8)) <= 36


def test_words_never_exceed_a_host_word():
    for name, layout in FORMATS.items():
        if name.startswith(("command.", "response.", "event")):
            assert layout.width <= words.HOST_WORD_BITS


def test_addresses_are_linear_within_a_region():
    """Rows are reached by adding one; row padding is skipped by the address register, not by the layout."""
    layout = memory_map.address(CONFIG)
    shape = memory_map.shapes(CONFIG)[Region.SYNAPSES]
    assert (shape.banks, shape.rows, shape.width, shape.words) == (4, 350, 64, 4)
    first = layout.pack(region=Region.SYNAPSES, bank=0, row=0, word=0)
    assert layout.pack(region=Region.SYNAPSES, bank=0, row=1, word=0) == first + (1 << layout["word"].width)


def test_a_region_without_bits_is_left_out():
    assert Region.NEURONS in memory_map.shapes(CONFIG)
    constants = CONFIG.model_copy(update={"core": CoreConfig(neuron=NeuronConfig(parameters={}))})
    assert Region.NEURONS not in memory_map.shapes(constants)


def test_the_c_header_compiles_and_packs_the_same_bits(tmp_path):
    (tmp_path / "fabric.h").write_text(c_header(CONFIG))
    fields = FORMATS["flit.SPIKE"].fields
    record = PATTERNS["flit.SPIKE"][1]
    terms = " | ".join(
        f"(unsigned long){int(record[field.name])} << FLIT_SPIKE_{field.name.upper()}_LSB" for field in fields
    )
    program = f'#include <cstdio>\n#include "fabric.h"\nint main() {{ std::printf("%lu", {terms}); }}\n'
    (tmp_path / "main.cpp").write_text(program)
    subprocess.run(["c++", "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
    packed = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    assert int(packed) == FORMATS["flit.SPIKE"].pack(**record)


def test_every_format_is_documented():
    text = markdown(CONFIG)
    for layout in FORMATS.values():
        assert f"### {layout.name}\n" in text
        for field in layout.fields:
            assert field.doc
