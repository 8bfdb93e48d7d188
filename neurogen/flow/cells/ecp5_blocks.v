// ECP5 blocks that Yosys knows by their ports only: block RAM and multiplier, as the netlists of our flow use them.

// Block RAM, 18 kbit, two ports: widths, pins and write modes as in Lattice FPGA-TN-02204 (ECP5 memory usage guide).
//
// A word has 9 bits and is addressed by the upper 11 bits of a port's address; widths below 9 use 8 of them, addressed
// by the lower 3 bits. From width 18 on, the lowest address bits enable the writing of one word each. Width 36 is for a
// port A that only writes (words 0 and 1 on DIA, 2 and 3 on DIB) and a port B that only reads (0 and 1 on DOA, 2 and 3
// on DOB). INITVAL_00 (lowest) to INITVAL_3F hold 16 pairs of words each, in 20 bits. Latency: one clock; two with
// REGMODE = "OUTREG", a register that OCE enables. Of a word of 36 bits REGMODE_A says whether the half on DOA has one,
// and OCEB enables both.
module DP16KD #(
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB",
    parameter GSR = "ENABLED", WID = 0, INIT_DATA = "STATIC",
    parameter
        INITVAL_00 = 320'd0, INITVAL_01 = 320'd0, INITVAL_02 = 320'd0, INITVAL_03 = 320'd0, INITVAL_04 = 320'd0,
        INITVAL_05 = 320'd0, INITVAL_06 = 320'd0, INITVAL_07 = 320'd0, INITVAL_08 = 320'd0, INITVAL_09 = 320'd0,
        INITVAL_0A = 320'd0, INITVAL_0B = 320'd0, INITVAL_0C = 320'd0, INITVAL_0D = 320'd0, INITVAL_0E = 320'd0,
        INITVAL_0F = 320'd0, INITVAL_10 = 320'd0, INITVAL_11 = 320'd0, INITVAL_12 = 320'd0, INITVAL_13 = 320'd0,
        INITVAL_14 = 320'd0, INITVAL_15 = 320'd0, INITVAL_16 = 320'd0, INITVAL_17 = 320'd0, INITVAL_18 = 320'd0,
        INITVAL_19 = 320'd0, INITVAL_1A = 320'd0, INITVAL_1B = 320'd0, INITVAL_1C = 320'd0, INITVAL_1D = 320'd0,
        INITVAL_1E = 320'd0, INITVAL_1F = 320'd0, INITVAL_20 = 320'd0, INITVAL_21 = 320'd0, INITVAL_22 = 320'd0,
        INITVAL_23 = 320'd0, INITVAL_24 = 320'd0, INITVAL_25 = 320'd0, INITVAL_26 = 320'd0, INITVAL_27 = 320'd0,
        INITVAL_28 = 320'd0, INITVAL_29 = 320'd0, INITVAL_2A = 320'd0, INITVAL_2B = 320'd0, INITVAL_2C = 320'd0,
        INITVAL_2D = 320'd0, INITVAL_2E = 320'd0, INITVAL_2F = 320'd0, INITVAL_30 = 320'd0, INITVAL_31 = 320'd0,
        INITVAL_32 = 320'd0, INITVAL_33 = 320'd0, INITVAL_34 = 320'd0, INITVAL_35 = 320'd0, INITVAL_36 = 320'd0,
        INITVAL_37 = 320'd0, INITVAL_38 = 320'd0, INITVAL_39 = 320'd0, INITVAL_3A = 320'd0, INITVAL_3B = 320'd0,
        INITVAL_3C = 320'd0, INITVAL_3D = 320'd0, INITVAL_3E = 320'd0, INITVAL_3F = 320'd0
) (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
    DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
    DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
    DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
    DOB1, DOB0
);
    localparam WIDE = DATA_WIDTH_B == 36;  // a read port that also uses A's output pins

    wire [35:0] dia = {
        DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
        DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0
    };
    wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};

    reg  [8:0]  words [0:2047];
    wire [35:0] doa = REGMODE_A == "OUTREG" ? port[0].registered : port[0].held;
    wire [35:0] dob = {
        REGMODE_B == "OUTREG" ? port[1].registered[35:18] : port[1].held[35:18],
        (WIDE ? REGMODE_A : REGMODE_B) == "OUTREG" ? port[1].registered[17:0] : port[1].held[17:0]
    };
    assign {
        DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
        DOA1, DOA0
    } = WIDE ? dob[17:0] : doa[17:0];
    assign {
        DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
        DOB1, DOB0
    } = WIDE ? dob[35:18] : dob[17:0];

    integer i;
    reg [320*64-1:0] contents;
    initial begin
        contents = {
            INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
            INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
            INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
            INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
            INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
            INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
            INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
            INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
        };
        for (i = 0; i < 1024; i = i + 1) begin
            words[2 * i] = contents[20 * i +: 9];
            words[2 * i + 1] = contents[20 * i + 9 +: 9];
        end
    end

    wire [1:0]  clocks = {CLKBMUX == "INV" ? ~CLKB : CLKB, CLKAMUX == "INV" ? ~CLKA : CLKA};
    wire [1:0]  selected = {CEB && {CSB2, CSB1, CSB0} == 0, CEA && {CSA2, CSA1, CSA0} == 0};
    wire [1:0]  writes = {WEB, WEA};
    wire [1:0]  resets = {RSTB, RSTA};
    wire [1:0]  moves = {OCEB, OCEA};
    genvar p;
    generate
        for (p = 0; p < 2; p = p + 1) begin : port
            localparam WIDTH = p ? DATA_WIDTH_B : DATA_WIDTH_A;
            localparam MODE = p ? WRITEMODE_B : WRITEMODE_A;
            localparam WORDS = WIDTH < 18 ? 1 : WIDTH / 9;  // in a row
            integer     word;
            reg  [35:0] held = 0;
            wire [13:0] address = p ? adb : ada;
            wire [35:0] data = dia >> 18 * p;
            wire [10:0] row = address[13:3] & ~(WORDS - 1);
            wire [2:0]  shift = WIDTH < 9 ? address[2:0] & ~(WIDTH - 1) : 0;
            wire [35:0] enables = {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}};
            wire [35:0] mask = WIDTH < 18 ? (36'd1 << WIDTH) - 1 << shift : enables;
            wire [35:0] stored = {words[row | 3], words[row | 2], words[row | 1], words[row]};
            wire [35:0] written = stored & ~mask | data << shift & mask;
            wire [35:0] read = (writes[p] && MODE == "WRITETHROUGH" ? written : stored) >> shift & ~(~36'd0 << WIDTH);
            wire        clock = clocks[p];
            wire        reset = RESETMODE == "ASYNC" && resets[p];

            always @(posedge clock)
                if (selected[p] && writes[p] && !resets[p])
                    for (word = 0; word < WORDS; word = word + 1) words[row + word] <= written[9 * word +: 9];
            always @(posedge clock, posedge reset)
                if (resets[p]) held <= 0;
                else if (selected[p] && !(writes[p] && MODE == "NORMAL")) held <= read;

            // What it holds before it is first enabled is not to matter, so it is not 0.
            reg  [35:0] registered = ~36'd0;
            always @(posedge clock)
                if (moves[p]) registered <= resets[p] ? 36'd0 : held;
        end
    endgenerate
endmodule

// Multiplier of 18 x 18 bits, two's complement where SIGNEDA and SIGNEDB say so, without registers.
module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_PIPELINE_CLK = "NONE", REG_OUTPUT_CLK = "NONE"
) (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
    P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    wire signed [18:0] a = {SIGNEDA && A17,
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
    };
    wire signed [18:0] b = {SIGNEDB && B17,
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
    };
    wire signed [37:0] product = a * b;
    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
        P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
    } = product[35:0];

    initial
        if ({REG_INPUTA_CLK, REG_INPUTB_CLK, REG_PIPELINE_CLK, REG_OUTPUT_CLK} != {4{"NONE"}}) begin
            $display("a mode without a model");
            $finish;
        end
endmodule
