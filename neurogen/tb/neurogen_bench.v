// Test bench around a fabric: plays words.in into words_in and records words_out in words.out, chunk after chunk.
//
// Python asks for a chunk by making `request` differ from `served`, and waits until they are equal again: it is called
// per chunk and not per clock, so the simulator runs at its own speed. Both files hold 32-bit words, the first big-endian
// (as $fread reads), the second as lines of hexadecimal digits. Every chunk ends with a PEEK of IDENTITY; its answer is the
// last of the chunk. Words that come later stay in the fabric until the next chunk.
//
// `idle` and `stall` are probabilities in 1/256 that a word, or an output's readiness, is held back for a clock. They
// are drawn from an xorshift generator started by `seed`, hence the same under every simulator. An offered word stays
// until it is taken; while nothing is offered the payload is noise. `limit` clocks without a transfer set `stuck`.
`timescale 1ns / 1ps

module neurogen_bench;
    localparam OPCODE_BITS = `OPCODE_BITS;
    localparam [(1 << `OPCODE_BITS) - 1 : 0] TWO_WORDS = `TWO_WORDS;  // by opcode: another word follows
    localparam [31:0] LAST = `LAST;  // first word of the message that ends a chunk

    reg [31:0] request /*verilator public_flat_rw*/ = 0;
    reg [31:0] served  /*verilator public_flat_rw*/ = 0;
    reg [31:0] seed    /*verilator public_flat_rw*/ = 32'h1;
    reg [7:0]  idle    /*verilator public_flat_rw*/ = 0;
    reg [7:0]  stall   /*verilator public_flat_rw*/ = 0;
    reg [31:0] limit   /*verilator public_flat_rw*/ = 32'd4194304;
    reg        stuck   /*verilator public_flat_rw*/ = 0;
    reg [63:0] cycles  /*verilator public_flat_rw*/ = 0;
    reg [31:0] idled   /*verilator public_flat_rw*/ = 0;
    reg [31:0] stalled /*verilator public_flat_rw*/ = 0;

    reg clk = 0;
    reg rst = 1;
    always #5 clk = ~clk;

    reg         in_valid = 0;
    reg  [31:0] in_payload = 0;
    wire        in_ready;
    wire        out_valid;
    wire [31:0] out_payload;
    reg         out_ready = 0;

    `TOP fabric (
        .clk(clk),
        .rst(rst),
        .words_in__payload(in_payload),
        .words_in__valid(in_valid),
        .words_in__ready(in_ready),
        .words_out__payload(out_payload),
        .words_out__valid(out_valid),
        .words_out__ready(out_ready)
    );

    integer      source = 0;
    integer      sink = 0;
    reg          running = 0;
    reg          empty = 0;
    reg          second = 0;  // the next output word is the second of its message
    reg          last = 0;    // and that message is the last
    reg  [31:0]  word;
    reg  [31:0]  draw = 32'h1;
    reg  [31:0]  quiet = 0;

    wire taken = (in_valid && in_ready) === 1'b1;  // what is undefined is no transfer, so that it gets stuck here
    wire given = (out_valid && out_ready) === 1'b1;
    wire ends = given && second && last;
    wire hold = draw[7:0] < idle;
    wire refuse = draw[15:8] < stall;
    wire timeout = running && limit != 0 && quiet == limit;

    function [31:0] next_draw(input [31:0] x);
        begin
            next_draw = x ^ (x << 13);
            next_draw = next_draw ^ (next_draw >> 17);
            next_draw = next_draw ^ (next_draw << 5);
        end
    endfunction

    always @(posedge clk) begin : player
        cycles <= cycles + 1;
        rst <= cycles < 3;
        draw <= next_draw(draw);
        quiet <= taken || given ? 0 : quiet + 1;
        if (!rst && !running && request != served) begin
            source = $fopen("words.in", "rb");
            sink = $fopen("words.out", "w");
            draw <= seed;
            quiet <= 0;
            stuck <= 0;
            empty <= 0;
            running <= 1;
        end
        if (!in_valid || taken) begin
            in_valid <= 0;
            in_payload <= draw;
            if (running && !empty && hold) idled <= idled + 1;
            if (running && !empty && !hold) begin
                if ($fread(word, source) == 4) begin
                    in_valid <= 1;
                    in_payload <= word;
                end else empty <= 1;
            end
        end
        if (given) begin
            $fwrite(sink, "%h\n", out_payload);
            second <= !second && TWO_WORDS[out_payload[OPCODE_BITS - 1 : 0]];
            if (!second) last <= out_payload == LAST;
        end
        out_ready <= running && !refuse && !ends && !timeout;
        if (out_valid && !out_ready && running) stalled <= stalled + 1;
        if (ends || timeout) begin
            $fclose(source);
            $fclose(sink);
            stuck <= timeout;
            running <= 0;
            served <= request;
        end
    end
endmodule
