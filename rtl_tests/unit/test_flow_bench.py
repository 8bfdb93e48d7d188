"""The performance table's machinery: a block by itself, medians of seeds, records, what is refused. No tool runs."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from boards import board
from neurogen.cli import main
from neurogen.flow import alone, bench, bitstream
from neurogen.flow.bench import blocks, clocks, designs, history
from neurogen.flow.bench.row import Measured, Row, Settings, Skipped, at_least, at_most
from neurogen.flow.emit import Emitted
from neurogen.spec.config import CoreConfig, FabricConfig
from neurogen.spec.errors import InputError

PORTS = (
    {"name": "clk", "direction": "in", "width": 1},
    {"name": "o", "direction": "out", "width": 3},
    {"name": "rst", "direction": "in", "width": 1},
    {"name": "x", "direction": "in", "width": 4},
)
BLOCK = alone.Block("thing", Emitted("thing", "module thing; endmodule", PORTS), board("ulx3s_85f"), 100e6)
PATH = bitstream.Critical("a", "b", 1.0, 2.0, 3)
SPEEDS = {1: 90e6, 2: 120e6, 3: 100e6}


@pytest.fixture
def placed(monkeypatch):
    """Place and route of any block, at the speed of its seed."""
    made = []

    def place(block, netlist, seed):
        made.append((block.name, seed))
        return alone.Placed(seed, SPEEDS[seed], {"lut": 10 + seed, "ff": 5, "ram": 2, "dsp": 0}, PATH)

    monkeypatch.setattr(alone, "synthesise", lambda block: None)
    monkeypatch.setattr(alone, "place", place)
    return made


def test_wrapper_puts_a_flip_flop_at_every_port_and_says_how_many():
    text, added = alone.wrapper(BLOCK.emitted)
    assert added == 3 + 1 + 4
    assert ".o(port_o_now)" in text and ".rst(port_rst)" in text and ".x(port_x)" in text
    assert "port_rst <= {port_rst, serial};" in text and "port_x <= {port_x, port_rst[0]};" in text
    assert text.count(".clk(clk)") == 1


def test_figures_are_those_of_the_median_seed(placed):
    figures, rest = blocks.routed(BLOCK, Settings(seeds=3), lambda _: None)
    assert figures == {"lut": 13, "ff": 5, "ram": 2, "dsp": 0, "fmax_mhz": 100.0}
    assert rest["seeds"] == {1: 90.0, 2: 120.0, 3: 100.0} and rest["critical"]["end"] == "b"
    assert len(rest["tools"]) == 2 and placed == [("thing", 1), ("thing", 2), ("thing", 3)]


def test_critical_path_is_the_longest_between_clock_edges(tmp_path):
    def path(name, start, *delays):
        steps = [{"type": kind, "delay": delay, "from": {"cell": f"{name}0"}, "to": {"cell": f"{name}1"}}
                 for kind, delay in delays]  # fmt: skip
        return {"from": start, "to": "posedge clk", "path": steps}

    report = {
        "critical_paths": [
            path("pin", "<async>", ("routing", 50.0)),
            path("slow", "posedge clk", ("clk-to-q", 0.5), ("routing", 2.0), ("logic", 0.25), ("setup", 0.0)),
            path("fast", "posedge clk", ("clk-to-q", 0.5), ("routing", 1.0)),
        ]
    }
    (tmp_path / bitstream.REPORT).write_text(json.dumps(report))
    assert bitstream.critical(tmp_path) == bitstream.Critical("slow0", "slow1", 0.75, 2.0, 1)


def row(name: str, measured=None, **targets) -> Row:
    def measure(settings, progress):
        if measured is None:
            raise Skipped("nothing is here; get it")
        return measured

    return Row(name, f"the {name}", measure, targets)


@pytest.fixture
def two_rows(monkeypatch):
    good = Measured({"fmax_mhz": 100.5, "operations": 8, "lut": 12}, "it", ["tool 1"], {1: 100.5}, limit=16)
    found = {item.name: item for item in (row("one", good, lut=at_most(10), operations=at_least(8)), row("two"))}
    monkeypatch.setattr(bench, "rows", lambda: found)
    return found


def test_rows_are_recorded_shown_and_held_against_their_targets(two_rows):
    one, two = bench.run((), Settings())
    assert list(one["figures"]) == ["operations", "lut", "fmax_mhz"]
    assert bench.missed(one) == ["<= 10 LUT"]
    assert "50% of the 16 synapses" in bench.text(one) and "not met: <= 10 LUT" in bench.text(one)
    assert bench.text(two) == "the two: skipped: nothing is here; get it"
    table = bench.table([one, two])
    assert table[0]["of the memory's limit"] == "50% of 16" and table[0]["made by"] == "tool 1"
    assert table[1]["measured"] == "skipped: nothing is here; get it"


def test_unknown_row_is_refused(two_rows):
    with pytest.raises(InputError, match=r"^there is no row 'three'; there are one, two$"):
        list(bench.run(("three",), Settings()))


def test_command_line_keeps_records_and_history(two_rows, tmp_path, capsys):
    record, lines = tmp_path / "bench.json", tmp_path / "bench.csv"
    arguments = ["bench", "--record", str(record), "--history", str(lines)]
    assert main([*arguments, "one", "two"]) == 0
    assert "the one: it" in capsys.readouterr().out
    assert main([*arguments, "one", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["row"] == "one"
    assert [item["row"] for item in json.loads(record.read_text())] == ["one", "two"]
    (line,) = history.load(lines)
    assert line["row"] == "one" and line["lut"] == "12.0" and line["tools"] == "tool 1" and line["commit"]


def test_skipped_row_does_not_replace_a_measured_one(tmp_path):
    path, good = tmp_path / "bench.json", {"row": "a", "skipped": None, "figures": {}}
    history.merge(path, [good], ["a"])
    history.merge(path, [{"row": "a", "skipped": "no tool"}], ["a"])
    assert json.loads(path.read_text()) == [good]


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"lut": 1020, "ram": 4, "fmax_mhz": 1.0}, []),
        ({"lut": 1021, "ram": 4}, ["a: 1,021 LUT, and 1,000 in abc; at most 2% more is allowed"]),
        ({"lut": 500, "ram": 5}, ["a: 5 RAM, and 4 in abc; at most 0% more is allowed"]),
    ],
)
def test_figures_that_got_worse_are_found(tmp_path, figures, found):
    path = tmp_path / "bench.csv"
    old = {"row": "a", "skipped": None, "figures": {"lut": 2000, "ram": 4}, "tools": []}
    history.append(path, [old], "old")
    history.append(path, [old | {"figures": {"lut": 1000, "ram": 4, "fmax_mhz": 100}}], "abc")
    assert history.worse(history.load(path), {"row": "a", "figures": figures}) == found


def test_line_of_one_commit_is_replaced_and_a_row_without_history_is_said(tmp_path):
    path = tmp_path / "bench.csv"
    record = {"row": "a", "skipped": None, "figures": {"lut": 1}, "tools": []}
    for lut in (1, 2):
        history.append(path, [record | {"figures": {"lut": lut}}], "abc")
    assert [line["lut"] for line in history.load(path)] == ["2"]
    (message,) = history.worse(history.load(path), {"row": "b", "figures": {}})
    assert message == "b: nothing is recorded; add it with: neurogen bench b --history FILE"
    path.write_text("x,y\n")
    with pytest.raises(InputError, match="not a history of the performance table"):
        history.load(path)


def test_dense_tick_is_the_walks_of_64_events_and_little_else():
    core = CoreConfig(axons=128, neurons=64, lanes=8, banks=2, update_lanes=4)
    found = clocks.dense_tick(FabricConfig(core=core))
    walks = 64 / 2 * 64 / 8
    assert walks < found["tick_cycles"] < 1.5 * walks
    assert found["sustained"] == pytest.approx(64 * 64 / (found["tick_cycles"] * 16))
    assert clocks.drawn_events(np.random.default_rng(1), 9, 128, 64).sum(axis=1).tolist() == [64] * 9


def test_idle_ticks_of_a_mesh_do_not_depend_on_neurons_at_rest():
    found = clocks.idle(Settings(), lambda _: None).figures
    assert found["cycles"] < found["leaking_cycles"], "nothing leaked"
    core = CoreConfig()
    assert found["leaking_cycles"] - found["cycles"] >= core.groups * core.subgroups


def test_rows_of_mnist_say_that_their_files_are_missing(tmp_path):
    with pytest.raises(Skipped, match=r"^--material names no folder with models/"):
        designs.mnist("icebreaker", {}, Settings(data=tmp_path), lambda _: None)


def test_mnist_is_as_fast_as_its_clock_and_its_clocks(tmp_path, monkeypatch):
    for file in (designs.NETWORK, designs.IMAGES):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    np.savez(tmp_path / designs.IMAGES, x=np.zeros((3, 28, 28), np.uint8), y=np.zeros(3, np.int64))
    built = {
        "clock_mhz": 50.0,
        "used": {"lut": 3000, "ff": 2000, "ram": 9, "dsp": 0},
        "seeds": [{"seed": seed, "fmax_mhz": mhz} for seed, mhz in ((1, 60.0), (2, 55.0), (3, 52.0))],
        "critical": {"start": "a", "end": "b", "logic_ns": 5.0, "wire_ns": 12.0, "cells": 9},
        "tools": {"yosys": "yosys 1", "nextpnr-ecp5": "nextpnr 2"},
    }
    target = SimpleNamespace(config=FabricConfig(), image=SimpleNamespace(can_overlap=lambda steps: True))
    monkeypatch.setattr(designs, "_target", lambda *_: target)
    monkeypatch.setattr(designs.on_board, "implement", lambda target, wanted, seed, progress: wanted.seeds)
    monkeypatch.setattr(designs, "build", lambda *_, finish: SimpleNamespace(summary={"bitstream": built}))
    monkeypatch.setattr(designs, "image_cycles", lambda *_: 900.0)
    monkeypatch.setattr(designs, "overlapped_cycles", lambda *_: 500.0)
    monkeypatch.setattr(designs, "accuracy", lambda *_: 0.96)
    found = designs.mnist("ulx3s_85f", {}, Settings(data=tmp_path), lambda _: None)
    assert found.figures["us"] == 18.0 and found.figures["images_per_second"] == 100_000
    assert found.figures["fmax_mhz"] == 55.0 and found.figures["operations"] == 128
    assert found.critical["cells"] == 9
    assert found.limit == 1872 and found.tools == ["nextpnr 2", "yosys 1"]

    def refuse(*_):
        raise InputError("it is too large")

    monkeypatch.setattr(designs, "_target", refuse)
    with pytest.raises(Skipped, match=r"^it is too large$"):
        designs.mnist("icebreaker", {}, Settings(data=tmp_path), lambda _: None)


def test_every_row_is_known_by_its_name():
    assert {
        "core",
        "smallest",
        "router",
        "fabric",
        "full",
        "icebreaker",
        "ulx3s",
        "replicas",
        "idle",
        "golden",
        "build",
    } == set(bench.rows())
