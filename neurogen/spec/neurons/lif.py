"""Leaky integrate-and-fire, with every reset convention that trained networks come with."""

from ..fixed import DECAY_BITS, Compare, Leak, Overflow, Reset, ResetTiming, Rounding
from . import EXPONENT_BITS, REFRACTORY_BITS, SHIFT_BITS, Parameter, State, enumerated, of_state, unsigned

NAME = "lif"
SUMMARY = "leaky integrate-and-fire"

EQUATION = """\
pending = [v cmp threshold]                      (only with a delayed timing; v is the stored membrane, r below)
r       = 0 if same_step else pending
v_kept  = reset_value if r and reset = zero else v
d       = v_kept                                            leak = none
          v_kept - round(v_kept / 2^leak_shift)             leak = shift
          round(v_kept * (4096 - decay) / 4096)             leak = multiply
x       = d + (I << exponent) + bias - (threshold if r and reset = subtract else 0)
x       = overflow(x)
if refractory > 0: x = reset_value
s       = [x cmp threshold] and refractory = 0
same_step:           zero: v' = reset_value if s else x       subtract: v' = x - threshold*s       none: v' = x
delayed:             v' = x
snntorch_immediate:  zero: v' = x - (s - r)*x                 subtract: v' = x - (s - r)*threshold none: v' = x
v'      = overflow(v')
refractory' = max(refractory_ticks - 1, 0) if s else max(refractory - 1, 0)
"""
SOURCE = "snnTorch 1.0 Leaky (Eshraghian et al. 2023) for the delayed timings; Gerstner & Kistler 2002 for the rest"

STATE = (
    State("v", 16, "membrane potential"),
    State("refractory", REFRACTORY_BITS, "ticks left in which the neuron is held at reset_value", signed=False),
)

MEMBRANE = (
    unsigned("exponent", EXPONENT_BITS, 0, "left shift of the synaptic input"),
    of_state("bias", "v", 0, "added in every step"),
    of_state("threshold", "v", 1, "firing threshold"),
    enumerated("reset", Reset.SUBTRACT, "what a spike does to v"),
    of_state("reset_value", "v", 0, "where reset = zero and the refractory period put v"),
    enumerated("reset_timing", ResetTiming.SAME_STEP, "when the reset is applied"),
    enumerated("compare", Compare.GE, "x > threshold or x >= threshold"),
    enumerated("overflow", Overflow.SATURATE, "what x and v' do at the ends of v's range"),
    unsigned("refractory_ticks", REFRACTORY_BITS, 0, "updates from a spike to the next possible one"),
    of_state("v_init", "v", 0, "v at the start of a sample"),
)
LEAK = (
    enumerated("leak", Leak.SHIFT, "kind of decay"),
    unsigned("leak_shift", SHIFT_BITS, 4, "k of the shift leak"),
    unsigned("decay", DECAY_BITS + 1, 0, "d of the multiplicative leak, in 1/4096", maximum=1 << DECAY_BITS),
    enumerated("rounding", Rounding.TOWARD_ZERO, "how the leak's quotient is rounded"),
)
PARAMETERS: tuple[Parameter, ...] = LEAK + MEMBRANE
