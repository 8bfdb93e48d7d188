"""One component, written once as a module of its own and used many times: the equal cores of an overlay."""

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class Shared(wiring.Component):
    """Stands where ``component`` would stand, as an instance of the module ``name``.

    Whoever converts the design has to convert ``component`` too, under this name.
    """

    def __init__(self, component: wiring.Component, name: str):
        self.component = component
        self.name = name
        super().__init__(component.signature)

    def elaborate(self, platform):
        ports = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for path, member, value in self.signature.flatten(self):
            direction = "i" if member.flow is In else "o"
            ports[f"{direction}_{'__'.join(map(str, path))}"] = Value.cast(value)
        return Instance(self.name, **ports)
