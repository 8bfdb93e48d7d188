"""The barrier: when everything is quiet, and the start of a tick everywhere at once."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec import words
from ..spec.config import FabricConfig
from .layout import struct

RADIX = 4
"""Branches of a tree's node: what one LUT4 combines."""


class BarrierControl(wiring.Signature):
    """The barrier, seen by who runs the ticks.

    Members
    -------
    release : Out(1)
        A tick starts; for one clock, and only while ``quiescent``.
    reset : Out(1)
        Everything returns to its initial state; likewise.
    timebase : Out
        Of the tick; stable from ``release`` until ``quiescent``.
    sending : Out(1)
        A packet is about to enter the fabric, or waits to.
    quiescent : In(1)
        Nothing moves, and nothing will before ``release``, ``reset`` or ``sending``.
    """

    def __init__(self, config: FabricConfig):
        super().__init__(
            {
                "release": Out(1),
                "reset": Out(1),
                "timebase": Out(struct(words.timebase(config))),
                "sending": Out(1),
                "quiescent": In(1),
            }
        )


class Barrier(wiring.Component):
    """Busy goes up an OR tree, release, reset and the timebase go down a tree, each with a register per level.

    All leaves have the same latency in both directions, so the root sees one clock edge of the whole fabric, and a
    packet that moves from one node to another cannot slip through. A leaf is a node, or anything else that shows
    ``busy`` from the clock after it sees ``release`` or ``reset`` or takes a packet, until it is done.

    ``quiescent`` is 0 for ``round_trip_cycles`` clocks after a release or reset, and until ``latency_cycles`` clocks
    after the last ``sending``: what the tree shows then is older than what was started. Thus a tick in which nodes are
    busy for B clocks is seen to be over ``round_trip_cycles + 1 + B`` clocks after its release.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`

    Attributes
    ----------
    latency_cycles : int
        Registers from the root to a leaf, and from a leaf to the root.
    round_trip_cycles : int
        Twice that.

    Members
    -------
    control : In(BarrierControl)
    busy : In(1) array
        One for each node.
    release, reset, timebase : Out array
        ``control``'s, ``latency_cycles`` clocks later.
    """

    def __init__(self, config: FabricConfig):
        self.config = config
        self.latency_cycles = 1
        while RADIX**self.latency_cycles < config.nodes:
            self.latency_cycles += 1
        self.round_trip_cycles = 2 * self.latency_cycles
        nodes = config.nodes
        super().__init__(
            {
                "control": In(BarrierControl(config)),
                "busy": In(1).array(nodes),
                "release": Out(1).array(nodes),
                "reset": Out(1).array(nodes),
                "timebase": Out(struct(words.timebase(config))).array(nodes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        control = self.control
        any_busy = self._gather(m)
        self._spread(m, "release", control.release, self.release)
        self._spread(m, "reset", control.reset, self.reset)
        self._spread(m, "timebase", control.timebase, self.timebase)

        window = Signal(range(self.round_trip_cycles + 1))
        sent = Signal(self.latency_cycles)
        m.d.sync += sent.eq(Cat(control.sending, sent))
        with m.If(control.release | control.reset):
            m.d.sync += window.eq(self.round_trip_cycles)
        with m.Elif(window != 0):
            m.d.sync += window.eq(window - 1)
        m.d.comb += control.quiescent.eq(~any_busy & ~control.sending & (sent == 0) & (window == 0))
        return m

    def _gather(self, m) -> Value:
        """The OR of ``busy``, ``latency_cycles`` clocks later."""
        level = list(self.busy)
        for depth in range(self.latency_cycles):
            parts = [Cat(level[i : i + RADIX]).any() for i in range(0, len(level), RADIX)]
            level = [Signal(name=f"busy_{depth}_{i}") for i in range(len(parts))]
            m.d.sync += [register.eq(part) for register, part in zip(level, parts, strict=True)]
        return level[0]

    def _spread(self, m, name: str, source, leaves) -> None:
        """Copies ``source`` to every leaf, ``latency_cycles`` clocks later."""
        level = [source]
        for depth in reversed(range(self.latency_cycles)):
            count = -(-len(leaves) // RADIX**depth)
            above = level
            level = [Signal.like(source, name=f"{name}_{depth}_{i}") for i in range(count)]
            m.d.sync += [register.eq(above[i // RADIX]) for i, register in enumerate(level)]
        m.d.comb += [leaf.eq(register) for leaf, register in zip(leaves, level, strict=True)]
