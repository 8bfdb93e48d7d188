// A serial flash as an FPGA finds it: in deep power-down. It knows RELEASE (0xAB) and READ (0x03), in SPI mode 0.
//
// The file flash.hex has its bytes, from the address `FLASH_OFFSET` on; what is behind is erased. It stays asleep for
// `FLASH_WAKE` nanoseconds after RELEASE.
`timescale 1ns / 1ps

module spi_flash (
    input      sck,
    input      select,  // active high
    input      copi,
    output reg cipo
);
    localparam BYTES = 1 << 18;

    reg [7:0]  memory [0:BYTES-1];
    reg        awake = 0;
    reg        listens = 0;
    time       woken = 0;
    reg [31:0] order = 0;
    reg [5:0]  taken = 0;  // bits of the order
    reg [23:0] address = 0;
    reg [2:0]  place = 0;
    integer    i;

    initial begin
        cipo = 0;
        for (i = 0; i < BYTES; i = i + 1) memory[i] = 8'hff;
        $readmemh("flash.hex", memory);
    end

    always @(posedge select) begin
        listens = !awake || $time - woken >= `FLASH_WAKE;
        order = 0;
        taken = 0;
        place = 0;
    end

    always @(negedge select)
        if (taken == 8 && order[7:0] == 8'hab && !awake) begin
            awake = 1;
            woken = $time;
        end

    always @(posedge sck)
        if (select && taken != 32) begin
            order = {order[30:0], copi};
            taken = taken + 1;
            if (taken == 32) address = order[23:0] - `FLASH_OFFSET;
        end

    always @(negedge sck)
        if (select && awake && listens && taken == 32 && order[31:24] == 8'h03) begin
            cipo = address < BYTES ? memory[address[17:0]][3'd7 - place] : 1'b1;
            place = place + 1;
            if (place == 0) address = address + 1;
        end
endmodule
