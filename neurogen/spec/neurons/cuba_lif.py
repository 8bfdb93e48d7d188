"""Current-based leaky integrate-and-fire with 12-bit decays: Loihi's neuron."""

from ..fixed import DECAY_BITS, Compare, Overflow, Reset, Rounding
from . import EXPONENT_BITS, REFRACTORY_BITS, Parameter, State, enumerated, of_state, unsigned

NAME = "cuba_lif"
SUMMARY = "current-based leaky integrate-and-fire (Loihi)"

EQUATION = """\
dec(x, d) = round(x * (4096 - d) / 4096)
u'      = u_overflow(dec(u, decay_u) + (I << exponent))
x       = v_overflow(dec(v, decay_v) + u' + bias)
if refractory > 0: x = reset_value
s       = [x cmp threshold] and refractory = 0
v'      = v_overflow(reset_value if zero and s; x - threshold*s if subtract; x if none)
refractory' = max(refractory_ticks - 1, 0) if s else max(refractory - 1, 0)

u_overflow = wrap is Loihi's: the n-bit code -2^(n-1) stands for +2^(n-1), so u lies in -(2^(n-1) - 1) .. 2^(n-1).
"""
SOURCE = "Davies et al. 2018 (Loihi); nengo-loihi and Lava emulators"

STATE = (
    State("u", 24, "synaptic current"),
    State("v", 24, "membrane potential"),
    State("refractory", REFRACTORY_BITS, "ticks left in which the neuron is held at reset_value", signed=False),
)

PARAMETERS: tuple[Parameter, ...] = (
    unsigned("decay_u", DECAY_BITS + 1, 1 << DECAY_BITS, "decay of u, in 1/4096", maximum=1 << DECAY_BITS),
    unsigned("decay_v", DECAY_BITS + 1, 0, "decay of v, in 1/4096", maximum=1 << DECAY_BITS),
    enumerated("rounding", Rounding.TOWARD_ZERO, "how both decays are rounded"),
    unsigned("exponent", EXPONENT_BITS, 0, "left shift of the synaptic input"),
    of_state("bias", "v", 0, "added to v in every step"),
    of_state("threshold", "v", 1, "firing threshold"),
    enumerated("reset", Reset.ZERO, "what a spike does to v"),
    of_state("reset_value", "v", 0, "where reset = zero and the refractory period put v"),
    enumerated("compare", Compare.GT, "x > threshold or x >= threshold"),
    enumerated("u_overflow", Overflow.WRAP, "what u does at the ends of its range"),
    enumerated("v_overflow", Overflow.SATURATE, "what x and v' do at the ends of v's range"),
    unsigned("refractory_ticks", REFRACTORY_BITS, 0, "updates from a spike to the next possible one"),
    of_state("u_init", "u", 0, "u at the start of a sample"),
    of_state("v_init", "v", 0, "v at the start of a sample"),
)
