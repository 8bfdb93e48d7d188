"""What is done to an ECP5's netlist before place and route: registers move into the block RAMs before them."""

import copy

import pytest

from neurogen.flow.families import ecp5

CLOCK, ENABLE, OTHER = 2, 3, 4
DATA, OUT = (10, 11, 12), (20, 21, 22)


def flip_flop(data: int, out: int, **connections) -> dict:
    found = {"CLK": [CLOCK], "CE": [ENABLE], "LSR": ["0"], "DI": [data], "Q": [out]} | connections
    return {
        "type": "TRELLIS_FF",
        "parameters": {"CLKMUX": "CLK", "CEMUX": "CE", "LSRMUX": "LSR", "REGSET": "RESET"},
        "port_directions": {pin: "output" if pin == "Q" else "input" for pin in found},
        "connections": found,
    }


def design(width: int = 18, pins: tuple[str, ...] = ("DOB0", "DOB1", "DOB5")) -> dict:
    """A block RAM that reads through port B, and a register behind it."""
    connections = {"CLKA": [CLOCK], "CLKB": [CLOCK], "OCEA": ["0"], "OCEB": ["1"], "DOB9": [99]}
    connections |= {pin: [bit] for pin, bit in zip(pins, DATA, strict=True)}
    memory = {
        "type": "DP16KD",
        "parameters": {
            **{f"REGMODE_{port}": "NOREG" for port in "AB"},
            **{f"CLK{port}MUX": f"CLK{port}" for port in "AB"},
            "DATA_WIDTH_B": f"{width:032b}",
        },
        "port_directions": {pin: "output" if pin.startswith("DO") else "input" for pin in connections},
        "connections": connections,
    }
    registers = {f"ff{i}": flip_flop(data, out) for i, (data, out) in enumerate(zip(DATA, OUT, strict=True))}
    ports = {"q": {"direction": "output", "bits": list(OUT)}}
    return {"modules": {"top": {"ports": ports, "cells": {"memory": memory} | registers}}}


def finished(found: dict) -> tuple[dict, dict]:
    """The cells after finishing, and the block RAM."""
    ecp5.finish(found)
    cells = found["modules"]["top"]["cells"]
    return cells, cells["memory"]


def test_a_register_moves_into_the_block_ram():
    cells, memory = finished(design())
    assert list(cells) == ["memory"]
    assert memory["parameters"] | {"REGMODE_A": "NOREG", "REGMODE_B": "OUTREG"} == memory["parameters"]
    assert [memory["connections"][pin][0] for pin in ("DOB0", "DOB1", "DOB5", "OCEB")] == [*OUT, ENABLE]
    assert memory["connections"]["OCEA"] == ["0"]


def test_a_wide_word_has_registers_on_both_halves():
    _, memory = finished(design(36, ("DOA3", "DOB1", "DOB5")))
    assert [memory["parameters"][f"REGMODE_{port}"] for port in "AB"] == ["OUTREG"] * 2
    assert [memory["connections"][f"OCE{port}"] for port in "AB"] == [[ENABLE]] * 2


def test_a_register_without_enable_moves_too():
    found = design()
    for name in ("ff0", "ff1", "ff2"):
        found["modules"]["top"]["cells"][name]["parameters"]["CEMUX"] = "1 "
    _, memory = finished(found)
    assert memory["connections"]["OCEB"] == ["1"]


@pytest.mark.parametrize(
    ("cell", "part", "change"),
    [
        ("ff1", "connections", {"LSR": [OTHER]}),
        ("ff1", "connections", {"CE": [OTHER]}),
        ("ff1", "connections", {"CLK": [OTHER]}),
        ("ff1", "connections", {"CE": [DATA[0]]}),
        ("ff1", "parameters", {"CLKMUX": "INV"}),
        ("ff1", "parameters", {"CEMUX": "INV"}),
        ("ff1", "parameters", {"CEMUX": "1 "}),
        ("memory", "connections", {"CLKB": [OTHER]}),
        ("memory", "parameters", {"CLKBMUX": "INV"}),
        ("memory", "connections", {"OCEA": [DATA[2]]}),
    ],
)
def test_what_works_otherwise_stays(cell, part, change):
    found = design()
    found["modules"]["top"]["cells"][cell][part] |= change
    before = copy.deepcopy(found)
    ecp5.finish(found)
    assert found == before


def test_a_bit_that_is_a_port_stays():
    found = design()
    found["modules"]["top"]["ports"]["q"]["bits"].append(DATA[0])
    before = copy.deepcopy(found)
    ecp5.finish(found)
    assert found == before


def test_the_larger_a_design_the_less_a_router_tries():
    sizes = (ecp5.RIPUP_CELLS, ecp5.RIPUP_CELLS + 1, ecp5.ROUTER1_CELLS + 1)
    assert [ecp5.effort(cells) for cells in sizes] == [("--tmg-ripup",), (), ("--router", "router2")]
