"""Neuron models in hardware: one module each, beside ``neurogen.spec.neurons`` and of the same stem.

A model offers ``NAME`` and a component ``Neuron``, derived from :class:`NeuronUnit`.
"""

import sys
from functools import cache
from types import ModuleType

from amaranth.hdl import Module, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...spec.config import NeuronConfig
from ...spec.registry import pick, scan
from ..layout import struct
from .pipeline import Pipeline


@cache
def models() -> dict[str, ModuleType]:
    """Every neuron model in hardware, by name."""
    return scan(sys.modules[__name__])


def model(name: str) -> ModuleType:
    """One neuron model in hardware. Raises InputError, naming the models that exist."""
    return pick(models(), name, "neuron model in hardware")


def parameter_shape(config: NeuronConfig) -> data.StructLayout:
    """The parameters that are not folded into logic: first those of the population, then those of the neuron."""
    tabled = config.tabled("per_population") + config.tabled("per_neuron")
    return struct(parameter.field(config.widths) for parameter in tabled)


class NeuronUnit(wiring.Component):
    """One update of one neuron, pipelined.

    Latency ``latency_cycles`` clocks in which ``enable`` is high, throughput one neuron per such clock. The arithmetic
    is exact: no intermediate result is narrower than its value needs, only what the equation rounds or clips is.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.NeuronConfig`
    accumulator_bits : int
        Width of ``current``.

    Members
    -------
    enable : In(1)
        The pipeline advances.
    state, parameters, current : In
        Stored state, the parameters that are no constants, summed synaptic input.
    next_state : Out
    spike : Out(1)
    """

    FIXED: dict[str, int] = {}  # noqa: RUF012  parameters that a derived model lacks
    latency_cycles: int

    def __init__(self, config: NeuronConfig, accumulator_bits: int):
        self.config = config
        self.accumulator_bits = accumulator_bits
        state = struct(config.state_layout)
        super().__init__(
            {
                "enable": In(1),
                "state": In(state),
                "parameters": In(parameter_shape(config)),
                "current": In(signed(accumulator_bits)),
                "next_state": Out(state),
                "spike": Out(1),
            }
        )

    def values(self) -> dict[str, Value | int]:
        """Every parameter by name: an ``int`` where it is folded into logic, else a Value."""
        tabled = {name: Value.cast(self.parameters[name]) for name, _ in self.parameters.shape()}
        return {**self.FIXED, **self.config.constants, **tabled}

    def pipeline(self, m: Module) -> Pipeline:
        """A pipeline that takes in the state's registers, every parameter and ``current``."""
        registers = {name: Value.cast(self.state[name]) for name in self.config.widths}
        return Pipeline(m, self.enable, current=self.current, **registers, **self.values())
