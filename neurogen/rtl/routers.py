"""The mesh without its cores: what a network on chip is measured and tested by."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import packet
from ..spec.config import FabricConfig
from ..spec.topologies import mesh
from ..spec.topologies.mesh import Direction
from .router import Router


class Routers(wiring.Component):
    """All routers of a fabric, linked.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`

    Members
    -------
    inject : In(stream of flits) array
        From node i; the host is node ``config.nodes``.
    eject : Out(stream of flits) array
        To node i.
    busy : Out(1)
        A router holds a flit.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        flit = stream.Signature(packet.flit_bits(config))
        ends = config.nodes + 1
        super().__init__({"inject": In(flit).array(ends), "eject": Out(flit).array(ends), "busy": Out(1)})
        self.routers = {(x, y): Router(config, x, y) for x, y in mesh.nodes(config)}

    def elaborate(self, platform):
        m = Module()
        x, y, port = mesh.HOST
        ends = [(router, Direction.L) for router in self.routers.values()] + [(self.routers[x, y], port)]
        for (x, y), router in self.routers.items():
            m.submodules[f"router_{x}_{y}"] = router
            for direction, there in mesh.neighbours(self.config, x, y).items():
                connect(m, router.outputs[direction], self.routers[there].inputs[direction.opposite])
        for (router, port), inject, eject in zip(ends, self.inject, self.eject, strict=True):
            connect(m, flipped(inject), router.inputs[port])
            connect(m, router.outputs[port], flipped(eject))
        m.d.comb += self.busy.eq(Cat(router.busy for router in self.routers.values()).any())
        return m
