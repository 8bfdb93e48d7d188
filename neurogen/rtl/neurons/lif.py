"""Leaky integrate-and-fire: the equation of ``neurogen.spec.neurons.lif``.

Steps of the pipeline, a register after each; those in brackets are built only where the parameters need them::

    [pending]  pending = [v cmp threshold]; v_kept
    [decay]    the quotient of a shift leak, the product of a multiplicative one
    leak       d; drive = (I << exponent) + bias - threshold if pending
    sum        x = overflow(d + drive), or reset_value while refractory
    fire       s; v' before its overflow
    clip       v'; refractory'
"""

from amaranth import *

from ...spec.fixed import DECAY_BITS, Leak, Reset, ResetTiming
from . import NeuronUnit
from .arithmetic import (
    choose,
    decay_product,
    fires,
    lessened,
    may_be,
    next_refractory,
    overflow,
    quotient,
    rounded,
    shift_left,
)

NAME = "lif"


class Neuron(NeuronUnit):
    __doc__ = NeuronUnit.__doc__

    @property
    def latency_cycles(self) -> int:
        """4 clocks, one more if the reset may be delayed, one more if there may be a leak."""
        return 4 + self._may_be_delayed + self._may_leak

    @property
    def _may_be_delayed(self) -> bool:
        return may_be(self.values()["reset_timing"], ResetTiming.DELAYED, ResetTiming.SNNTORCH_IMMEDIATE)

    @property
    def _may_leak(self) -> bool:
        return may_be(self.values()["leak"], Leak.SHIFT, Leak.MULTIPLY)

    def elaborate(self, platform):
        m = Module()
        bits = self.config.widths["v"]
        t = self.pipeline(m)
        self._pend(t)
        self._leak(t)
        t.let(x=overflow(t.overflow, t.d + t.drive, bits))
        t.let(x=Mux(t.refractory.any(), t.reset_value, t.x))
        t.step()
        t.let(spike=fires(t.x, t.threshold, t.compare) & ~t.refractory.any())
        t.let(after=_reset(t))
        t.step()
        t.let(v=overflow(t.overflow, t.after, bits))
        t.let(refractory=next_refractory(t.refractory, t.spike, t.refractory_ticks))
        t.step()
        m.d.comb += [
            self.next_state.v.eq(t.v),
            self.next_state.refractory.eq(t.refractory),
            self.spike.eq(t.spike),
        ]
        return m

    def _pend(self, t):
        """A delayed reset: ``pending``, and ``v`` becomes ``v_kept``."""
        if not self._may_be_delayed:
            t.let(pending=0)
            return
        t.let(pending=(t.reset_timing != ResetTiming.SAME_STEP) & fires(t.v, t.threshold, t.compare))
        kept = Mux(t.pending, t.reset_value, t.v)
        t.let(v=choose(t.reset, {Reset.NONE: t.v, Reset.SUBTRACT: t.v, Reset.ZERO: kept}))
        t.step()

    def _leak(self, t):
        """``d``, and everything that is added to it as ``drive``."""
        pending_reset = choose(t.reset, {Reset.NONE: 0, Reset.SUBTRACT: Mux(t.pending, t.threshold, 0), Reset.ZERO: 0})
        t.let(drive=shift_left(t.current, t.exponent) + t.bias - pending_reset)
        if self._may_leak:
            floor, carry = rounded(t.v, t.leak_shift, t.rounding)
            t.let(floor=floor, carry=carry, product=decay_product(t.v, t.decay))
            t.step()
            shifted, decayed = lessened(t.v, t.floor, t.carry), quotient(t.product, DECAY_BITS, t.rounding)
            t.let(d=choose(t.leak, {Leak.NONE: t.v, Leak.SHIFT: shifted, Leak.MULTIPLY: decayed}))
        else:
            t.let(d=t.v)
        t.step()


def _reset(t):
    """``v'`` before its overflow."""

    def changed_by(amount):  # x - (s - r) * amount
        return Mux(t.spike == t.pending, t.x, Mux(t.spike, t.x - amount, t.x + amount))

    subtracted = changed_by(t.threshold)
    zeroed = Mux(t.spike, t.reset_value, t.x)
    same_step = choose(t.reset, {Reset.NONE: t.x, Reset.SUBTRACT: subtracted, Reset.ZERO: zeroed})
    immediate = choose(t.reset, {Reset.NONE: t.x, Reset.SUBTRACT: subtracted, Reset.ZERO: changed_by(t.x)})
    return choose(
        t.reset_timing,
        {
            ResetTiming.SAME_STEP: same_step,
            ResetTiming.DELAYED: t.x,
            ResetTiming.SNNTORCH_IMMEDIATE: immediate,
        },
    )
