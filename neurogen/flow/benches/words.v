// Test bench around a fabric: plays the words of words.hex into words_in, one a clock where the fabric takes them, and takes
// every output word at once. transfers.txt gets a line for each word in (i) and out (o), and each wait that is over (w):
// kind, clock, word.
//
// Lines of words.hex are {end, wait, word}: wait holds a word back until nothing has moved for QUIET clocks, and so does
// the end. With DUMP defined, dump.vcd has the fabric's signals.
`timescale 1ns / 1ps

module words;
    reg [33:0] plan[0 : `WORDS];
    reg [31:0] at = 0;
    reg [31:0] cycle = 0;
    reg [31:0] quiet = 0;
    reg clk = 0;
    reg rst = 1;
    always #5 clk = ~clk;

    reg         in_valid = 0;
    reg  [31:0] in_payload = 0;
    wire        in_ready;
    wire        out_valid;
    wire [31:0] out_payload;

    `TOP dut (
        .clk(clk),
        .rst(rst),
        .words_in__payload(in_payload),
        .words_in__valid(in_valid),
        .words_in__ready(in_ready),
        .words_out__payload(out_payload),
        .words_out__valid(out_valid),
        .words_out__ready(1'b1)
    );

    integer sink;
    initial begin
        $readmemh("words.hex", plan);
        sink = $fopen("transfers.txt", "w");
`ifdef DUMP
        $dumpfile("dump.vcd");
        $dumpvars(0, dut);
`endif
    end

    wire [33:0] next = plan[at];
    wire is_free = !in_valid || in_ready;
    wire still = quiet >= `QUIET;
    wire go = is_free && !rst && !next[33] && (!next[32] || still);

    always @(posedge clk) begin
        cycle <= cycle + 1;
        rst <= cycle < 3;
        quiet <= rst || in_valid || out_valid ? 0 : quiet + 1;
        if (in_valid && in_ready) $fwrite(sink, "i %0d %0d\n", cycle, in_payload);
        if (out_valid && !rst) $fwrite(sink, "o %0d %0d\n", cycle, out_payload);
        if (go && next[32]) $fwrite(sink, "w %0d 0\n", cycle);
        if (go) at <= at + 1;
        if (is_free) begin
            in_valid <= go;
            if (go) in_payload <= next[31:0];
        end
        if (next[33] && still) begin
            $fclose(sink);
            $finish;
        end
    end
endmodule
