"""The input sum, one register: the equation of ``neurogen.spec.neurons.sum``."""

from amaranth import *

from . import NeuronUnit

NAME = "sum"


class Neuron(NeuronUnit):
    __doc__ = NeuronUnit.__doc__

    latency_cycles = 1

    def elaborate(self, platform):
        m = Module()
        t = self.pipeline(m)
        t.step()
        m.d.comb += [self.next_state.v.eq(t.current), self.spike.eq(self.next_state.v.any())]
        return m
