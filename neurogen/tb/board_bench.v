// Bench around a board's top: plays bytes onto its rx pin and takes those from its tx pin, bit by bit, chunk after chunk.
//
// Python fills `to_board` (the first byte lowest) and `to_count`, makes `request` differ from `served`, and waits until
// they are equal again: then all bytes are out, at least `quantum` clocks have passed, and `from_board` holds `from_count`
// bytes that came. The line is noisy in both directions: `flip` is the probability, in 1/2**20, that a bit is inverted,
// `drop` that a byte does not arrive (the line stays high), `insert` that a random one stands before it. They are drawn
// from an xorshift generator started by `seed`, hence the same under every simulator. A board that boots has a flash.
`timescale 1ns / 1ps

module board_bench;
    localparam DIVISOR = `CLOCKS_PER_BIT;
    localparam CAPACITY = `CAPACITY;  // bytes

    reg [31:0] request  /*verilator public_flat_rw*/ = 0;
    reg [31:0] served   /*verilator public_flat_rw*/ = 0;
    reg [31:0] quantum  /*verilator public_flat_rw*/ = 1000;
    reg [31:0] seed     /*verilator public_flat_rw*/ = 32'h1;
    reg [19:0] flip     /*verilator public_flat_rw*/ = 0;
    reg [19:0] drop     /*verilator public_flat_rw*/ = 0;
    reg [19:0] insert   /*verilator public_flat_rw*/ = 0;
    reg [31:0] to_count /*verilator public_flat_rw*/ = 0;
    reg [31:0] from_count /*verilator public_flat_rw*/ = 0;
    reg [8*CAPACITY-1:0] to_board   /*verilator public_flat_rw*/ = 0;
    reg [8*CAPACITY-1:0] from_board /*verilator public_flat_rw*/ = 0;
    reg [63:0] cycles   /*verilator public_flat_rw*/ = 0;
    reg [31:0] damage   /*verilator public_flat_rw*/ = 0;  // flips, drops and insertions so far

    reg clk = 0;
    reg rst = 1;
    always #5 clk = ~clk;

    reg  rx = 1;
    wire tx;
`ifdef FLASH_OFFSET
    wire sck, select, copi, cipo;
    spi_flash flash (.sck(sck), .select(select), .copi(copi), .cipo(cipo));
`endif
    `TOP board (
        .clk(clk),
        .rst(rst),
`ifdef FLASH_OFFSET
        .flash_sck(sck),
        .flash_select(select),
        .flash_copi(copi),
        .flash_cipo(cipo),
`endif
        .rx(rx),
        .tx(tx)
    );

    function [31:0] next_draw(input [31:0] x);
        begin
            next_draw = x ^ (x << 13);
            next_draw = next_draw ^ (next_draw >> 17);
            next_draw = next_draw ^ (next_draw << 5);
        end
    endfunction

    // Two independent draws: one for each direction.
    reg [31:0] draw_in = 32'h1;
    reg [31:0] draw_out = 32'h2;
    reg        running = 0;
    reg [31:0] ran = 0;
    reg [8*CAPACITY-1:0] waiting = 0;
    reg [31:0] left = 0;

    // To the board: ten bits, the lowest first; `silent` bytes are not seen on the line.
    reg [9:0]  out_bits = 10'h3ff;
    reg [3:0]  out_left = 0;
    reg [15:0] out_phase = 0;
    reg        silent = 0;
    // From the board.
    reg [7:0]  in_bits = 0;
    reg [3:0]  in_left = 0;
    reg [15:0] in_phase = 0;
    reg        in_flip = 0;
    reg [31:0] count = 0;
    reg [8*CAPACITY-1:0] gathered = 0;
    wire       line = tx ^ in_flip;

    task gather(input [7:0] value);
        if (count < CAPACITY) begin
            gathered[8 * count +: 8] = value;
            count = count + 1;
        end
    endtask

    task next_byte;
        begin
            out_left <= 10;
            out_phase <= 0;
            silent <= 0;
            if (draw_in[19:0] < insert) begin
                out_bits <= {1'b1, draw_in[27:20], 1'b0};
                damage <= damage + 1;
            end else begin
                out_bits <= {1'b1, waiting[7:0], 1'b0};
                waiting <= waiting >> 8;
                left <= left - 1;
                if (draw_in[31:12] < drop) begin
                    silent <= 1;
                    damage <= damage + 1;
                end
            end
        end
    endtask

    task to_the_board;
        begin
            if (out_left == 0) begin
                rx <= 1;
                if (running && left != 0) next_byte;
            end else begin
                if (out_phase == 0) begin
                    rx <= (out_bits[0] | silent) ^ (draw_in[19:0] < flip);
                    if (draw_in[19:0] < flip) damage <= damage + 1;
                end
                out_phase <= out_phase + 1;
                if (out_phase == DIVISOR - 1) begin
                    out_phase <= 0;
                    out_bits <= out_bits >> 1;
                    out_left <= out_left - 1;
                    if (out_left == 1 && left != 0 && running) next_byte;
                end
            end
        end
    endtask

    task from_the_board;
        begin
            in_phase <= in_phase + 1;
            if (in_left == 0) begin
                in_phase <= 0;
                in_flip <= 0;
                if (!tx) begin
                    in_left <= 10;
                    in_phase <= 1;
                end
            end else begin
                if (in_phase == DIVISOR / 2) begin
                    in_bits <= {line, in_bits[7:1]};
                    if (in_left == 1) begin
                        if (draw_out[19:0] < insert) gather(draw_out[27:20]);
                        if (draw_out[31:12] >= drop) gather(in_bits);
                        if (draw_out[19:0] < insert || draw_out[31:12] < drop) damage <= damage + 1;
                        in_left <= 0;
                    end
                end
                if (in_phase == DIVISOR - 1) begin
                    in_phase <= 0;
                    in_left <= in_left - 1;
                    in_flip <= draw_out[19:0] < flip;
                    if (draw_out[19:0] < flip) damage <= damage + 1;
                end
            end
        end
    endtask

    always @(posedge clk) begin : player
        cycles <= cycles + 1;
        rst <= cycles < 3;
        draw_in <= next_draw(draw_in);
        draw_out <= next_draw(draw_out);
        ran <= ran + 1;
        to_the_board;
        from_the_board;
        if (!running && request != served) begin
            if (request == 1) begin
                draw_in <= seed;
                draw_out <= ~seed;
            end
            waiting <= to_board;
            left <= to_count;
            ran <= 0;
            running <= 1;
        end else if (running && left == 0 && out_left == 0 && ran >= quantum) begin
            from_board <= gathered;
            from_count <= count;
            count = 0;
            running <= 0;
            served <= request;
        end
    end
endmodule
