// The cells of a netlist that nextpnr-himbaechel has placed and routed for Gowin, where they differ from Yosys'.
// Inputs that nothing drives are tied before these are instantiated (neurogen.flow.netlist).

// One bit of a carry chain: a LUT whose upper halves are the sum's part, by I3, and whose lowest quarter is the carry's.
// nextpnr gives the LUT where it has folded constants into it; the ends of a chain take a carry out and make one.
module ALU #(
    parameter ALU_MODE = 0,
    parameter [15:0] RAW_ALU_LUT = ALU_MODE == "C2L" ? 16'h0000 : ALU_MODE == "ONE2C" ? 16'h000F : 16'h609A
) (
    input I0, I1, I2, I3, CIN,
    output SUM, COUT
);
    wire sum = RAW_ALU_LUT[{I3, 1'b1, I1, I0}];
    assign SUM = sum ^ CIN;
    assign COUT = sum ? CIN : RAW_ALU_LUT[{2'b00, I1, I0}];
    initial
        if (ALU_MODE != 2 && ALU_MODE != "C2L" && ALU_MODE != "ONE2C") begin
            $display("a mode without a model");
            $finish;
        end
endmodule

// LUT RAM, 16 x 4: reads at once, writes at the clock.
module RAM16SDP4 #(
    parameter [15:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0
) (
    input CLK, CE, WRE,
    input [3:0] WAD, RAD, DI,
    output [3:0] DO
);
    reg [15:0] column_0 = INIT_0, column_1 = INIT_1, column_2 = INIT_2, column_3 = INIT_3;
    assign DO = {column_3[RAD], column_2[RAD], column_1[RAD], column_0[RAD]};
    always @(posedge CLK)
        if (CE && WRE) begin
            column_0[WAD] <= DI[0];
            column_1[WAD] <= DI[1];
            column_2[WAD] <= DI[2];
            column_3[WAD] <= DI[3];
        end
endmodule

// Block RAM, 18 kbit, two ports: widths, pins and write modes as in Gowin UG285 (BSRAM and SSRAM).
//
// A word has WORD_BITS (8 or 9) bits and is addressed by the upper 11 bits of a port's address; widths below 8 are
// addressed by the lower 3 bits as well. From width 16 on, the lowest address bits enable the writing of one word each.
// Write modes: 0 leaves the output as it is, 1 shows what is written, 2 what was there. INIT_RAM_00 (lowest) to
// INIT_RAM_3F hold 32 words each. Latency: one clock.
module block_ram #(
    parameter WORD_BITS = 9, WIDTH_A = 36, WIDTH_B = 36, WRITE_MODE_A = 0, WRITE_MODE_B = 0, RESET_MODE = "SYNC",
    parameter [2048*WORD_BITS-1:0] CONTENTS = 0
) (
    input clk_a, enable_a, write_a, reset_a, clk_b, enable_b, write_b, reset_b,
    input [13:0] address_a, address_b,
    input [35:0] data_a, data_b,
    output reg [35:0] out_a, out_b
);
    reg [WORD_BITS-1:0] words [0:2047];
    integer i, a, b;
    initial begin
        out_a = 0;
        out_b = 0;
        for (i = 0; i < 2048; i = i + 1) words[i] = CONTENTS[WORD_BITS * i +: WORD_BITS];
    end

    localparam WORDS_A = WIDTH_A < 16 ? 1 : WIDTH_A / WORD_BITS;  // in a row
    wire [10:0] row_a = address_a[13:3] & ~(WORDS_A - 1);
    wire [2:0]  shift_a = WIDTH_A < 8 ? address_a[2:0] & ~(WIDTH_A - 1) : 0;
    wire [35:0] enables_a = {{WORD_BITS{address_a[3]}}, {WORD_BITS{address_a[2]}}, {WORD_BITS{address_a[1]}},
                          {WORD_BITS{address_a[0]}}};
    wire [35:0] mask_a = WIDTH_A < 16 ? (36'd1 << WIDTH_A) - 1 << shift_a : enables_a;
    wire [35:0] old_a = {words[row_a | 3], words[row_a | 2], words[row_a | 1], words[row_a]};
    wire [35:0] new_a = old_a & ~mask_a | data_a << shift_a & mask_a;
    wire [35:0] read_a = (write_a && WRITE_MODE_A == 1 ? new_a : old_a) >> shift_a & ~(~36'd0 << WIDTH_A);
    wire        async_a = RESET_MODE == "ASYNC" && reset_a;

    always @(posedge clk_a)
        if (enable_a && write_a)
            for (a = 0; a < WORDS_A; a = a + 1) words[row_a + a] <= new_a[WORD_BITS * a +: WORD_BITS];
    always @(posedge clk_a, posedge async_a)
        if (reset_a) out_a <= 0;
        else if (enable_a && !(write_a && WRITE_MODE_A == 0)) out_a <= read_a;

    localparam WORDS_B = WIDTH_B < 16 ? 1 : WIDTH_B / WORD_BITS;  // in a row
    wire [10:0] row_b = address_b[13:3] & ~(WORDS_B - 1);
    wire [2:0]  shift_b = WIDTH_B < 8 ? address_b[2:0] & ~(WIDTH_B - 1) : 0;
    wire [35:0] enables_b = {{WORD_BITS{address_b[3]}}, {WORD_BITS{address_b[2]}}, {WORD_BITS{address_b[1]}},
                          {WORD_BITS{address_b[0]}}};
    wire [35:0] mask_b = WIDTH_B < 16 ? (36'd1 << WIDTH_B) - 1 << shift_b : enables_b;
    wire [35:0] old_b = {words[row_b | 3], words[row_b | 2], words[row_b | 1], words[row_b]};
    wire [35:0] new_b = old_b & ~mask_b | data_b << shift_b & mask_b;
    wire [35:0] read_b = (write_b && WRITE_MODE_B == 1 ? new_b : old_b) >> shift_b & ~(~36'd0 << WIDTH_B);
    wire        async_b = RESET_MODE == "ASYNC" && reset_b;

    always @(posedge clk_b)
        if (enable_b && write_b)
            for (b = 0; b < WORDS_B; b = b + 1) words[row_b + b] <= new_b[WORD_BITS * b +: WORD_BITS];
    always @(posedge clk_b, posedge async_b)
        if (reset_b) out_b <= 0;
        else if (enable_b && !(write_b && WRITE_MODE_B == 0)) out_b <= read_b;
endmodule

// Both ports read and write, up to 18 bits wide.
module DP #(
    parameter WORD_BITS = 9, BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18, READ_MODE0 = 0, READ_MODE1 = 0,
    parameter WRITE_MODE0 = 0, WRITE_MODE1 = 0, BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC",
    parameter [32*WORD_BITS-1:0]
        INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
        INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
        INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
        INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
        INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
        INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
        INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
        INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
        INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0
) (
    input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input [17:0] DIA, DIB,
    output [17:0] DOA, DOB
);
    wire [35:0] out_a, out_b;
    assign DOA = out_a[17:0];
    assign DOB = out_b[17:0];
    block_ram #(
        .WORD_BITS(WORD_BITS), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .RESET_MODE(RESET_MODE),
        .WRITE_MODE_A(WRITE_MODE0), .WRITE_MODE_B(WRITE_MODE1),
        .CONTENTS({
            INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
            INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
            INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
            INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
            INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
            INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
            INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
            INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
        })
    ) memory (
        .clk_a(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(WREA), .reset_a(RESETA), .address_a(ADA),
        .data_a({18'd0, DIA}), .out_a(out_a),
        .clk_b(CLKB), .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(WREB), .reset_b(RESETB), .address_b(ADB),
        .data_b({18'd0, DIB}), .out_b(out_b)
    );
    initial
        if (READ_MODE0 != 0 || READ_MODE1 != 0) begin
            $display("a mode without a model");
            $finish;
        end
endmodule

// Port A writes, port B reads, up to 36 bits wide.
module SDP #(
    parameter WORD_BITS = 9, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36, READ_MODE = 0,
    parameter BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC",
    parameter [32*WORD_BITS-1:0]
        INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, INIT_RAM_05 = 0,
        INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0,
        INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0,
        INIT_RAM_12 = 0, INIT_RAM_13 = 0, INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0,
        INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0,
        INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0,
        INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, INIT_RAM_28 = 0, INIT_RAM_29 = 0,
        INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0,
        INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0,
        INIT_RAM_36 = 0, INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0,
        INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0
) (
    input CLKA, CEA, RESETA, WREA, CLKB, CEB, OCE, OCEB, RESETB, WREB,
    input [2:0] BLKSELA, BLKSELB,
    input [13:0] ADA, ADB,
    input [35:0] DI,
    output [35:0] DO
);
    wire [35:0] unused;
    block_ram #(
        .WORD_BITS(WORD_BITS), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .RESET_MODE(RESET_MODE),
        .CONTENTS({
            INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
            INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
            INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
            INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
            INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
            INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
            INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
            INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
        })
    ) memory (
        .clk_a(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(WREA), .reset_a(RESETA), .address_a(ADA),
        .data_a(DI), .out_a(unused),
        .clk_b(CLKB), .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(1'b0), .reset_b(RESETB), .address_b(ADB),
        .data_b(36'd0), .out_b(DO)
    );
    initial
        if (READ_MODE != 0) begin
            $display("a mode without a model");
            $finish;
        end
endmodule

module IBUF #(
    parameter NET_I = "NET", NET_O = "NET"
) (
    input I,
    output O
);
    assign O = I;
endmodule

module OBUF #(
    parameter NET_I = "NET", NET_O = "NET", NET_BOTTOM_IO_PORT_A = "GND", NET_BOTTOM_IO_PORT_B = "GND"
) (
    input I, BOTTOM_IO_PORT_A, BOTTOM_IO_PORT_B,
    output O
);
    assign O = I;
endmodule

module BUFG (
    input I,
    output O
);
    assign O = I;
endmodule

module GOWIN_VCC (
    output V
);
    assign V = 1;
endmodule

module GOWIN_GND (
    output G
);
    assign G = 0;
endmodule

module GSR (
    input GSRI
);
endmodule
