"""Test benches around generated Verilog: a bench in Verilog, and the drivers and checkers that speak to it.

They ask only for two streams of words, so they run as well on a netlist, or on Verilog that was edited by hand.
"""

from pathlib import Path

from ..host.codec import TWO_WORDS
from ..spec.words import OPCODE_BITS, Register, Response

BENCH = Path(__file__).with_name("neurogen_bench.v")
TOP = BENCH.stem


def defines(top: str) -> dict[str, str]:
    """The bench's macros for a fabric whose module is ``top``."""
    return {
        "TOP": top,
        "OPCODE_BITS": str(OPCODE_BITS),
        "TWO_WORDS": f"{1 << OPCODE_BITS}'h{TWO_WORDS:x}",
        "LAST": f"32'd{int(Response.PEEKED) | int(Register.IDENTITY) << OPCODE_BITS}",
    }
