// The cells of a netlist that nextpnr-ice40 has placed and routed. Inputs that nothing drives are tied before these are
// instantiated (neurogen.flow.netlist). The block RAM itself is Yosys' SB_RAM40_4K.

// A logic cell: LUT, carry and flip-flop.
module ICESTORM_LC #(
    parameter [15:0] LUT_INIT = 0,
    parameter [0:0] NEG_CLK = 0, CARRY_ENABLE = 0, CIN_CONST = 0, CIN_SET = 0,
    parameter [0:0] DFF_ENABLE = 0, SET_NORESET = 0, ASYNC_SR = 0
) (
    input I0, I1, I2, I3, CIN, CLK, CEN, SR,
    output LO, O, COUT
);
    wire carry = CIN_CONST ? CIN_SET : CIN;
    assign LO = LUT_INIT[{I3, I2, I1, I0}];
    assign COUT = CARRY_ENABLE && (I1 && I2 || (I1 || I2) && carry);
    generate
        if (DFF_ENABLE) begin : flip_flop
            reg state = 0;
            wire clock = CLK ^ NEG_CLK;
            always @(posedge clock) if (CEN) state <= SR ? SET_NORESET : LO;
            assign O = state;
        end else assign O = LO;
    endgenerate
    initial
        if (ASYNC_SR) begin
            $display("a mode without a model");
            $finish;
        end
endmodule

module SB_GB (
    input USER_SIGNAL_TO_GLOBAL_BUFFER,
    output GLOBAL_BUFFER_OUTPUT
);
    assign GLOBAL_BUFFER_OUTPUT = USER_SIGNAL_TO_GLOBAL_BUFFER;
endmodule

// A block RAM with pins of one bit.
module ICESTORM_RAM #(
    parameter WRITE_MODE = 0, READ_MODE = 0,
    parameter [0:0] NEG_CLK_R = 0, NEG_CLK_W = 0,
    parameter
        INIT_0 = 256'd0, INIT_1 = 256'd0, INIT_2 = 256'd0, INIT_3 = 256'd0, INIT_4 = 256'd0, INIT_5 = 256'd0,
        INIT_6 = 256'd0, INIT_7 = 256'd0, INIT_8 = 256'd0, INIT_9 = 256'd0, INIT_A = 256'd0, INIT_B = 256'd0,
        INIT_C = 256'd0, INIT_D = 256'd0, INIT_E = 256'd0, INIT_F = 256'd0
) (
    output RDATA_15, RDATA_14, RDATA_13, RDATA_12, RDATA_11, RDATA_10, RDATA_9, RDATA_8, RDATA_7, RDATA_6, RDATA_5,
    RDATA_4, RDATA_3, RDATA_2, RDATA_1, RDATA_0,
    input RCLK, RCLKE, RE, WCLK, WCLKE, WE,
    input RADDR_10, RADDR_9, RADDR_8, RADDR_7, RADDR_6, RADDR_5, RADDR_4, RADDR_3, RADDR_2, RADDR_1, RADDR_0,
    input WADDR_10, WADDR_9, WADDR_8, WADDR_7, WADDR_6, WADDR_5, WADDR_4, WADDR_3, WADDR_2, WADDR_1, WADDR_0,
    input MASK_15, MASK_14, MASK_13, MASK_12, MASK_11, MASK_10, MASK_9, MASK_8, MASK_7, MASK_6, MASK_5, MASK_4,
    MASK_3, MASK_2, MASK_1, MASK_0,
    input WDATA_15, WDATA_14, WDATA_13, WDATA_12, WDATA_11, WDATA_10, WDATA_9, WDATA_8, WDATA_7, WDATA_6, WDATA_5,
    WDATA_4, WDATA_3, WDATA_2, WDATA_1, WDATA_0
);
    SB_RAM40_4K #(
        .WRITE_MODE(WRITE_MODE), .READ_MODE(READ_MODE),
        .INIT_0(INIT_0), .INIT_1(INIT_1), .INIT_2(INIT_2), .INIT_3(INIT_3), .INIT_4(INIT_4), .INIT_5(INIT_5),
        .INIT_6(INIT_6), .INIT_7(INIT_7), .INIT_8(INIT_8), .INIT_9(INIT_9), .INIT_A(INIT_A), .INIT_B(INIT_B),
        .INIT_C(INIT_C), .INIT_D(INIT_D), .INIT_E(INIT_E), .INIT_F(INIT_F)
    ) ram (
        .RCLK(RCLK ^ NEG_CLK_R), .RCLKE(RCLKE), .RE(RE), .WCLK(WCLK ^ NEG_CLK_W), .WCLKE(WCLKE), .WE(WE),
        .RDATA({
            RDATA_15, RDATA_14, RDATA_13, RDATA_12, RDATA_11, RDATA_10, RDATA_9, RDATA_8, RDATA_7, RDATA_6, RDATA_5,
            RDATA_4, RDATA_3, RDATA_2, RDATA_1, RDATA_0
        }),
        .RADDR({
            RADDR_10, RADDR_9, RADDR_8, RADDR_7, RADDR_6, RADDR_5, RADDR_4, RADDR_3, RADDR_2, RADDR_1, RADDR_0
        }),
        .WADDR({
            WADDR_10, WADDR_9, WADDR_8, WADDR_7, WADDR_6, WADDR_5, WADDR_4, WADDR_3, WADDR_2, WADDR_1, WADDR_0
        }),
        .MASK({
            MASK_15, MASK_14, MASK_13, MASK_12, MASK_11, MASK_10, MASK_9, MASK_8, MASK_7, MASK_6, MASK_5, MASK_4,
            MASK_3, MASK_2, MASK_1, MASK_0
        }),
        .WDATA({
            WDATA_15, WDATA_14, WDATA_13, WDATA_12, WDATA_11, WDATA_10, WDATA_9, WDATA_8, WDATA_7, WDATA_6, WDATA_5,
            WDATA_4, WDATA_3, WDATA_2, WDATA_1, WDATA_0
        })
    );
endmodule
