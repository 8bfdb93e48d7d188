"""The changes to yosys' text, on a small piece of it."""

from neurogen.flow.tidy import tidy

TEXT = """\
/* head */

module child (a, y);
  input [3:0] a;
  wire [3:0] a;
  output y;
  wire y;
  assign y = a[2] & a[0];
endmodule

module parent (clk, d, q,
 extra, q2);
  input clk;
  wire clk;
  input [7:0] d;
  wire [7:0] d;
  input extra;
  wire extra;
  output q;
  reg q = 1'h0;
  output q2;
  wire q2;
  wire never;
  reg [3:0] \\odd.name  = 4'h3;
  reg [7:0] memory [1:0];
  wire [3:0] \\next ;
  assign \\next  = { d[1:0], 2'h0 };
  always @(posedge clk)
    if (\\next [3]) \\odd.name  <= \\next ;
  always @(posedge clk)
    q <= \\odd.name [1];
  always @(posedge clk)
    memory[d[7]] <= 8'h00;
  child  inner (
    .a({ d[3:2], 2'h0 }),
    .y(q2)
  );
endmodule
"""


def test_values_leave_declarations_and_unused_bits_are_named():
    lines = tidy(TEXT).splitlines()
    assert "  reg q;" in lines and "  initial q = 1'h0;" in lines
    assert "  reg [3:0] \\odd.name ;" in lines and "  initial \\odd.name = 4'h3;" in lines
    assert "  wire unused_bits = &{ 1'h0, a[1], a[3] };" in lines
    assert "  wire unused_bits = &{ 1'h0, d[6:4], extra, never, \\odd.name [0], \\odd.name [3:2] };" in lines
    assert [line for line in lines if "memory" in line] == ["  reg [7:0] memory [1:0];", "    memory[d[7]] <= 8'h00;"]


def test_what_is_tidy_stays():
    clean = (
        "/* head */\n\nmodule m (a, y);\n  input a;\n  wire a;\n  output y;\n  wire y;\n  assign y = a;\nendmodule\n"
    )
    assert tidy(clean) == clean
