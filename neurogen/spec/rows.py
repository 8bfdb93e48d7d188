"""Rows of a core's memories, one field table each."""

from functools import cache

from . import synapses
from .config import FabricConfig
from .fields import Field, Layout
from .fixed import index_bits
from .packet import rectangle


@cache
def axon(config: FabricConfig) -> Layout:
    """One axon: what the synapse store needs to find its synapses."""
    return synapses.store(config.core.store).axon(config.core)


@cache
def walk(config: FabricConfig) -> Layout | None:
    """One row of the table that axon rows name, if the synapse store has one."""
    return synapses.store(config.core.store).walk(config.core)


@cache
def synapse(config: FabricConfig) -> Layout:
    """One lane of a synapse row; a row is ``lanes`` of them, lane 0 first."""
    return synapses.store(config.core.store).synapse(config.core)


@cache
def group(config: FabricConfig) -> Layout:
    """One group: when it works, what it delivers, and the per-population parameters."""
    neuron = config.core.neuron
    return Layout(
        "group",
        (
            Field("size", config.core.lanes.bit_length(), "neurons, from lane 0 on; 0: no population lives here"),
            Field("depth", config.depth_bits, "tick of the sample in which the population starts"),
            Field("phase", config.phase_bits, "value of tick mod M at which it works"),
            Field("value", int(config.core.values), "1: delivers v in every step instead of spikes"),
            Field("graded", int(config.core.graded), "1: sends v (if value) or the input sum, unless 0, as payload"),
            *(parameter.field(neuron.widths) for parameter in neuron.tabled("per_population")),
        ),
    )


@cache
def pointer(config: FabricConfig) -> Layout:
    """One neuron's slice of the route table."""
    core = config.core
    return Layout(
        "pointer",
        (
            Field("first", index_bits(core.routes), "first route entry"),
            Field("count", core.routes.bit_length(), "number of route entries"),
        ),
    )


@cache
def route_to_core(config: FabricConfig) -> Layout:
    """A route entry with host = 0."""
    return _to_cores(config, "route", Field("host", 1, "0: to cores"), "axonal delay in ticks, 1..D-1")


@cache
def route_to_host(config: FabricConfig) -> Layout:
    """A route entry with host = 1."""
    return Layout("route.host", (Field("host", 1, "1: to the host"), Field("line", config.line_bits, "output line")))


@cache
def route_bits(config: FabricConfig) -> int:
    return max(route_to_core(config).width, route_to_host(config).width)


@cache
def entry(config: FabricConfig) -> Layout:
    """One entry of the encoder's table. Entry w of line i stands in row ``w * lines + i``."""
    return _to_cores(config, "entry", Field("used", 1, "0: goes nowhere"), "ticks from the step's first one, 0..D-2")


def _to_cores(config: FabricConfig, name: str, flag: Field, delay: str) -> Layout:
    """A row that says where an event goes, and when; ``delay`` explains that."""
    axon = Field("axon", config.core.axon_bits, "axon at every core of the rectangle")
    return Layout(name, (flag, *rectangle(config).fields, axon, Field("delay", config.core.slot_bits, delay)))
