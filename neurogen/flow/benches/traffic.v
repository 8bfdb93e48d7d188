// Test bench around routers without cores: every end offers the flits of its plan, each from its own clock on, and takes
// whatever arrives. What arrives goes to arrivals.txt: clock, end, flit.
//
// plan.hex holds one line per flit, {clock (32 bits), flit}, those of end 0 first; first.hex says where each end's begin,
// where the last one's end, and after how many clocks the simulation does.
`timescale 1ns / 1ps

module traffic;
    reg [32 + `FLIT_BITS - 1 : 0] plan[0 : `FLITS];
    reg [31:0] first[0 : `ENDS + 1];
    reg [31:0] at[0 : `ENDS - 1];
    reg [31:0] cycle = 0;
    reg clk = 0;
    reg rst = 1;
    always #5 clk = ~clk;

    reg  [`ENDS - 1 : 0] in_valid = 0;
    wire [`ENDS - 1 : 0] in_ready;
    wire [`ENDS - 1 : 0] out_valid;
    reg  [`FLIT_BITS - 1 : 0] in_payload[0 : `ENDS - 1];
    wire [`FLIT_BITS - 1 : 0] out_payload[0 : `ENDS - 1];

    routers dut (
        .clk(clk),
        .rst(rst),
        /* connections */
    );

    integer end_, sink;
    initial begin
        $readmemh("plan.hex", plan);
        $readmemh("first.hex", first);
        sink = $fopen("arrivals.txt", "w");
        for (end_ = 0; end_ < `ENDS; end_ = end_ + 1) begin
            at[end_] = first[end_];
            in_payload[end_] = 0;
        end
    end

    always @(posedge clk) begin : play
        cycle <= cycle + 1;
        rst <= cycle < 3;
        for (end_ = 0; end_ < `ENDS; end_ = end_ + 1) begin
            if (out_valid[end_] && !rst) $fwrite(sink, "%0d %0d %0d\n", cycle, end_, out_payload[end_]);
            if (!in_valid[end_] || in_ready[end_]) begin
                in_valid[end_] <= at[end_] != first[end_ + 1] && plan[at[end_]][`FLIT_BITS +: 32] <= cycle;
                in_payload[end_] <= plan[at[end_]][`FLIT_BITS - 1 : 0];
                if (at[end_] != first[end_ + 1] && plan[at[end_]][`FLIT_BITS +: 32] <= cycle) at[end_] <= at[end_] + 1;
            end
        end
        if (cycle == first[`ENDS + 1]) begin
            $fclose(sink);
            $finish;
        end
    end
endmodule
