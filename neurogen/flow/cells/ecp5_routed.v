// The cells of a netlist that nextpnr-ecp5 has placed and routed: halves of slices, clock buffers.
// Inputs that nothing drives are tied before these are instantiated (neurogen.flow.netlist).

// One LUT with what surrounds it. LOGIC: a LUT of four inputs. CCU2: one bit of a carry chain. DPRAM: one column of a
// LUT RAM, whose address is {A, C, B, D}, but whose INITVAL is that of a LUT, at {D, C, B, A}. OFX joins two LUTs (PFUMX),
// or two such pairs where IS_Z1 (L6MUX21).
module TRELLIS_COMB #(
    parameter MODE = "LOGIC",
    parameter [15:0] INITVAL = 0,
    parameter CCU2_INJECT1 = "NO",
    parameter WCKMUX = "WCK", WREMUX = "WRE",
    parameter [0:0] IS_Z1 = 0
) (
    input A, B, C, D, M, FCI, F1, FXA, FXB, DI0, DI1, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK,
    output F, FCO, OFX
);
    assign OFX = IS_Z1 ? (M ? FXB : FXA) : (M ? F1 : F);
    generate
        if (MODE == "CCU2") begin : carry
            wire four = INITVAL[{D, C, B, A}];
            wire two = INITVAL[{2'b0, B, A}];
            assign F = four ^ (CCU2_INJECT1 == "NO" && FCI);
            assign FCO = four ? FCI : CCU2_INJECT1 == "NO" && two;
        end else if (MODE == "DPRAM") begin : memory
            reg [15:0] column = INITVAL;
            wire clock = WCKMUX == "INV" ? ~WCK : WCK;
            always @(posedge clock) if (WREMUX == "INV" ? ~WRE : WRE) column[{WAD0, WAD2, WAD1, WAD3}] <= WD;
            assign F = column[{D, C, B, A}];
            assign FCO = 0;
        end else begin : logic_
            assign F = INITVAL[{D, C, B, A}];
            assign FCO = 0;
        end
    endgenerate
endmodule

// A flip-flop, 0 or REGSET at power-up and while LSR is active; its input is DI (from its LUT) or M (from outside).
module TRELLIS_FF #(
    parameter GSR = "ENABLED", CEMUX = "1", CLKMUX = "CLK", LSRMUX = "LSR", REGSET = "RESET", SRMODE = "LSR_OVER_CE",
    parameter SD = "1"
) (
    input CLK, LSR, CE, DI, M,
    output reg Q
);
    localparam START = REGSET == "SET";
    wire clock = CLKMUX == "INV" ? ~CLK : CLK;
    wire set = LSRMUX == "INV" ? ~LSR : LSR;
    wire enable = CEMUX == "1" ? 1'b1 : CEMUX == "0" ? 1'b0 : CEMUX == "INV" ? ~CE : CE;
    initial Q = START;
    always @(posedge clock)
        if (set) Q <= START;
        else if (enable) Q <= SD == "0" ? M : DI;
    initial
        if (SRMODE == "ASYNC") begin
            $display("a mode without a model");
            $finish;
        end
endmodule

// Beside the columns of a LUT RAM: takes address and data of a write from its LUT inputs to them.
module TRELLIS_RAMW (
    input A0, B0, C0, D0, A1, B1, C1, D1,
    output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
    assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
    assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule

module DCCA (
    input CLKI, CE,
    output CLKO
);
    assign CLKO = CLKI;
endmodule
