"""From a network to Verilog, to simulations of it, and to everything that a build directory holds."""
