"""Our model of the ECP5's block RAM: what Yosys maps to it behaves as the Verilog that it was mapped from."""

import json

import pytest

from neurogen.flow import netlist, simulators, toolchain
from neurogen.flow.families import ecp5
from rtl_tests.cocotb.simulators import needs

SEED = 3
CASES = [(width, 18432 // 36 * 36 // width if width >= 9 else 16384 // width) for width in (36, 18, 9, 4, 2, 1)]

MEMORY = """
module {name} (input clk, input [13:0] a, input [13:0] b, input [35:0] d, input [3:0] we, input re, input wb,
               input [35:0] e, output reg [35:0] q, output reg [35:0] r);
    (* ram_style = "block" *) reg [{width}-1:0] rows [0:{depth}-1];
    integer i;
    initial for (i = 0; i < {depth}; i = i + 1) rows[i] = i * 40503 ^ i >> 3;
    initial begin q = 0; r = 0; end
"""
ONE_WAY = """
    always @(posedge clk) begin
        if (we[0]) rows[a % {depth}] <= d;
        if (re) q <= rows[b % {depth}];
    end
endmodule
"""
REGISTERED = """
    reg [{width}-1:0] p;
    always @(posedge clk) begin
        if (we[0]) rows[a % {depth}] <= d;
        if (re && !we[0]) p <= rows[b % {depth}];
        if (wb) q <= p;
    end
endmodule
"""
TWO_WAYS = """
    wire [13:0] c = a % {depth} == b % {depth} ? b + 1 : b;
    always @(posedge clk) if (re) begin
        if (we[0]) rows[a % {depth}] <= d;
        {first}
    end
    always @(posedge clk) if (we[1]) begin
        if (wb) rows[c % {depth}] <= e;
        {second}
    end
endmodule
"""
MODES = {
    "old": ("q <= rows[a % {depth}];", "r <= rows[c % {depth}];"),
    "unchanged": ("if (!we[0]) q <= rows[a % {depth}];", "if (!wb) r <= rows[c % {depth}];"),
    "new": ("q <= we[0] ? d[{width}-1:0] : rows[a % {depth}];", "r <= wb ? e[{width}-1:0] : rows[c % {depth}];"),
}
BENCH = """
module memory_bench;
    reg clk = 0, done /*verilator public_flat_rw*/ = 0;
    reg [31:0] errors /*verilator public_flat_rw*/ = 0, changes /*verilator public_flat_rw*/ = 0, clocks = 0;
    reg [127:0] x = 128'h0123456789abcdeffedcba9876543210;
    wire [35:0] q, r, s, t;
    reg [35:0] last = 0;
    always #5 clk = ~clk;
    written w (clk, x[13:0], x[27:14], x[63:28], x[67:64], x[68], x[69], x[105:70], q, r);
    mapped m (clk, x[13:0], x[27:14], x[63:28], x[67:64], x[68], x[69], x[105:70], s, t);
    always @(negedge clk) begin
        x = x ^ x << 29; x = x ^ x >> 53; x = x ^ x << 17;
        if (clocks & 1) begin x[13:4] = x[13:4] & 10'h203; x[27:18] = x[27:18] & 10'h203; end
        errors <= errors + (clocks > 100 && (q !== s || r !== t));
        changes <= changes + (q != last);
        last <= q;
        clocks <= clocks + 1;
        done <= clocks > 20000;
    end
endmodule
"""


def agree(ports: str, width: int, depth: int, folder, **ways: str) -> None:
    text = MEMORY + ports
    (folder / "mapped.v").write_text(text.format(name="mapped", width=width, depth=depth, **ways))
    script = ("read_verilog mapped.v", "synth_ecp5 -top mapped -noabc9", "write_json netlist.json")
    toolchain.run("yosys", ("-q", "-p", "; ".join(script)), folder, "log")
    design = json.loads((folder / "netlist.json").read_text())
    ecp5.finish(design)
    (folder / "netlist.json").write_text(json.dumps({"modules": {"mapped": design["modules"]["mapped"]}}))
    toolchain.run("yosys", ("-q", "-p", "read_json netlist.json; write_verilog -noattr netlist.v"), folder, "log")
    mapped = (folder / "netlist.v").read_text()
    assert "DP16KD #" in mapped
    assert ('"OUTREG"' in mapped) == (ports == REGISTERED)
    models = netlist.MODELS["ecp5", "synthesised"].text
    written = text.format(name="written", width=width, depth=depth, **ways)
    model = simulators.compile(needs("verilator"), {"top.v": models + mapped + written + BENCH}, "memory_bench", {})
    simulators.run(model, "rtl_tests.slow.play_memory", "it_agrees", folder, SEED)


@pytest.mark.parametrize(("width", "depth"), CASES)
def test_a_port_that_writes_and_one_that_reads(width, depth, tmp_path):
    agree(ONE_WAY, width, depth, tmp_path)


@pytest.mark.parametrize(("width", "depth"), CASES)
def test_the_register_behind_a_port(width, depth, tmp_path):
    agree(REGISTERED, width, depth, tmp_path)


@pytest.mark.parametrize("mode", MODES)
def test_two_ports_that_do_both(mode, tmp_path):
    first, second = (way.format(width=18, depth=1024) for way in MODES[mode])
    agree(TWO_WAYS, 18, 1024, tmp_path, first=first, second=second)
