"""Current-based leaky integrate-and-fire: the equation of ``neurogen.spec.neurons.cuba_lif``.

Steps of the pipeline, a register after each::

    multiply   the products of both decays
    round      the decays' rounded quotients
    current    u'
    sum        x, or reset_value while refractory
    fire       s; v' before its overflow
    clip       v'; refractory'
"""

from amaranth import *

from ...spec.fixed import DECAY_BITS, Overflow, Reset
from . import NeuronUnit
from .arithmetic import choose, decay_product, fires, next_refractory, overflow, quotient, shift_left

NAME = "cuba_lif"


class Neuron(NeuronUnit):
    __doc__ = NeuronUnit.__doc__

    latency_cycles = 6

    def elaborate(self, platform):
        m = Module()
        u_bits, v_bits = self.config.widths["u"], self.config.widths["v"]
        t = self.pipeline(m)
        t.let(
            u_product=decay_product(_current(t.u, t.u_overflow), t.decay_u),
            v_product=decay_product(t.v, t.decay_v),
        )
        t.step()
        t.let(
            u=quotient(t.u_product, DECAY_BITS, t.rounding),
            v=quotient(t.v_product, DECAY_BITS, t.rounding),
        )
        t.step()
        t.let(u=overflow(t.u_overflow, t.u + shift_left(t.current, t.exponent), u_bits), v=t.v + t.bias)
        t.step()
        t.let(x=overflow(t.v_overflow, t.v + _current(t.u, t.u_overflow), v_bits))
        t.let(x=Mux(t.refractory.any(), t.reset_value, t.x))
        t.step()
        t.let(spike=fires(t.x, t.threshold, t.compare) & ~t.refractory.any())
        zeroed, subtracted = Mux(t.spike, t.reset_value, t.x), Mux(t.spike, t.x - t.threshold, t.x)
        t.let(after=choose(t.reset, {Reset.NONE: t.x, Reset.SUBTRACT: subtracted, Reset.ZERO: zeroed}))
        t.step()
        t.let(v=overflow(t.v_overflow, t.after, v_bits))
        t.let(refractory=next_refractory(t.refractory, t.spike, t.refractory_ticks))
        t.step()
        m.d.comb += [
            self.next_state.u.eq(t.u),
            self.next_state.v.eq(t.v),
            self.next_state.refractory.eq(t.refractory),
            self.spike.eq(t.spike),
        ]
        return m


def _current(code: Value, mode) -> Value:
    """The synaptic current that ``code`` stands for: where it wraps, the lowest code is the highest current."""
    upwards = Cat(code, code[-1] & code[:-1].any()).as_signed()
    return choose(mode, {Overflow.SATURATE: code, Overflow.WRAP: upwards})
