"""The fabric: a mesh of cores and routers, its barrier and its host port."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import packet
from ..spec.config import HOST_WORD_BITS, FabricConfig
from ..spec.fields import bits_to_ints
from ..spec.image import Image
from ..spec.topologies import mesh
from ..spec.topologies.mesh import Direction
from .barrier import Barrier
from .core import Core
from .host_port import HostPort
from .router import Router
from .streams import Skid, Stalls

WORDS = stream.Signature(HOST_WORD_BITS)
SIGNATURE = wiring.Signature({"words_in": In(WORDS), "words_out": Out(WORDS)})
"""A fabric's ports."""


class Fabric(wiring.Component):
    """A ``width`` x ``height`` mesh; the words of ``spec.words`` are all that goes in and comes out.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    image : :class:`~neurogen.spec.image.Image`, optional
        What the memories and the host port's registers hold at power-up.
    stalls : :class:`Stalls`, optional
        Gates on every stream.
    core : callable
        Makes a node's core from (config, its part of the image, stalls): :class:`~neurogen.rtl.core.Core`, or another
        component with the same ports.

    Members
    -------
    words_in : In(stream of 32 bits)
    words_out : Out(stream of 32 bits)
    """

    def __init__(self, config: FabricConfig, image: Image | None = None, stalls: Stalls | None = None, *, core=Core):
        self.config = config
        self.image = image
        self.stalls = stalls or Stalls()
        nodes = mesh.nodes(config)
        images = image.cores if image else [None] * len(nodes)
        self.routers = {node: Router(config, *node) for node in nodes}
        self.cores = {
            (x, y): core(config, part, self.stalls.at(f"core_{x}_{y}"))
            for (x, y), part in zip(nodes, images, strict=True)
        }
        super().__init__(SIGNATURE)

    def elaborate(self, platform):
        m = Module()
        registers = {"period_ticks": self.image.step_ticks, "depth": self.image.depth} if self.image else {}
        if self.image and self.config.encoder:
            registers["entries_init"] = bits_to_ints(self.image.entry_bits())
        m.submodules.host_port = host = HostPort(self.config, **registers, stalls=self.stalls.at("host_port"))
        m.submodules.barrier = barrier = Barrier(self.config)
        connect(m, self.stalls.gate(m, "words_in", flipped(self.words_in)), host.words_in)
        connect(m, self.stalls.gate(m, "words_out", host.words_out), flipped(self.words_out))
        connect(m, host.barrier, barrier.control)

        x, y, port = mesh.HOST
        self._link(m, "from_host", host.packets_out, self.routers[x, y].inputs[port])
        self._link(m, "to_host", self.routers[x, y].outputs[port], host.packets_in)
        for index, ((x, y), router) in enumerate(self.routers.items()):
            m.submodules[f"router_{x}_{y}"] = router
            for direction, there in mesh.neighbours(self.config, x, y).items():
                arrival = self.routers[there].inputs[direction.opposite]
                self._link(m, f"link_{x}_{y}_{direction.name.lower()}", router.outputs[direction], arrival)
            self._node(m, index, x, y)
        return m

    def _node(self, m, index: int, x: int, y: int) -> None:
        """The core at (x, y), between its router and the barrier."""
        core, router, barrier = self.cores[x, y], self.routers[x, y], m.submodules.barrier
        m.submodules[f"core_{x}_{y}"] = core
        self._link(m, f"inject_{x}_{y}", core.packets_out, router.inputs[Direction.L])
        # Whether the core takes a packet is decided late, and the routers are far: nothing of theirs may wait for it.
        m.submodules[f"eject_{x}_{y}"] = eject = Skid(shape=packet.flit_bits(self.config))
        connect(m, router.outputs[Direction.L], eject.i)
        self._link(m, f"eject_{x}_{y}", eject.o, core.packets_in)
        m.d.comb += [
            core.release.eq(barrier.release[index]),
            core.reset.eq(barrier.reset[index]),
            core.timebase.eq(barrier.timebase[index]),
            core.hops.eq(router.hops),
            barrier.busy[index].eq(core.busy | router.busy | eject.o.valid),
        ]

    def _link(self, m, name: str, source, sink) -> None:
        """A stream between two blocks, through a gate if there are any."""
        connect(m, self.stalls.gate(m, name, source), sink)
