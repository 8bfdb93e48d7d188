"""The neuron core: everything between the packets that arrive and those that leave."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..spec import packet, words
from ..spec.config import FabricConfig
from ..spec.fields import bits_to_ints
from ..spec.image import CoreImage
from ..spec.memory_map import Region
from ..spec.packet import Kind
from .accumulators import Accumulators
from .configuration import Configuration, memories, port_name
from .counters import Counters
from .encoder import Encoder
from .layout import struct
from .memory_port import owner_port
from .routes import Routes
from .scheduler import Scheduler
from .streams import Queue, Stalls
from .synapses import stores
from .update import UpdateUnit


class Phase(enum.Enum, shape=3):
    """What a core does in a tick. LEARN is where a learning rule will work."""

    IDLE = 0
    INTEGRATE = 1
    UPDATE = 2
    EMIT = 3
    LEARN = 4


class Core(wiring.Component):
    """A axons x N neurons, time-multiplexed over P lanes, with synapses in K banks.

    A tick takes ``integrate_cycles + update_cycles`` clocks, plus the pipelines' latency and what emission takes beyond
    the update; ``golden.cycles`` has the exact figure.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    image : :class:`~neurogen.spec.image.CoreImage`, optional
        What the memories hold at power-up; zeros if not given.
    stalls : :class:`Stalls`
        Gates on the internal streams.

    Members
    -------
    packets_in : In(stream of flits)
        Taken within a bounded time, whatever ``packets_out`` does.
    packets_out : Out(stream of flits)
    release : In(1)
        The tick described by ``timebase`` starts. Only while idle.
    reset : In(1)
        Initial state, empty slots. Only between ticks.
    timebase : In
        Stable from ``release`` until the core is idle.
    busy : Out(1)
        A tick or a configuration packet is being worked on, or a packet waits to leave. Events need no clock of it:
        they are in their slots when the next ``release`` or ``reset`` can come, whatever the mesh.
    hops : In(3)
        Flits that the node's router sent out in this clock, for the counter.
    """

    def __init__(self, config: FabricConfig, image: CoreImage | None = None, stalls: Stalls | None = None):
        self.config = config
        self.image = image
        self.stalls = stalls or Stalls()
        flit = stream.Signature(packet.flit_bits(config))
        super().__init__(
            {
                "packets_in": In(flit),
                "packets_out": Out(flit),
                "release": In(1),
                "reset": In(1),
                "timebase": In(struct(words.timebase(config))),
                "busy": Out(1),
                "hops": In(3),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config, stalls, init = self.config, self.stalls, self._initial_rows()
        m.submodules.scheduler = self.scheduler = Scheduler(config, stalls=stalls.at("scheduler"))
        m.submodules.store = self.store = stores()[config.core.store].Store(
            config,
            axons_init=init.get(Region.AXONS),
            walks_init=init.get(Region.WALKS),
            synapses_init=init.get(Region.SYNAPSES),
            stalls=stalls.at("store"),
        )
        copies = self.store.copies
        m.submodules.accumulators = self.accumulators = Accumulators(
            config, copies=copies, columns=len(self.store.addends) // copies, repeats=self.store.repeats
        )
        m.submodules.update = self.update = UpdateUnit(
            config,
            groups_init=init.get(Region.GROUPS),
            neurons_init=init.get(Region.NEURONS),
            stalls=stalls.at("update"),
            read_cycles=self.accumulators.read_cycles,
        )
        m.submodules.encoder = self.encoder = Encoder(config)
        m.submodules.routes = self.routes = Routes(
            config,
            pointers_init=init.get(Region.POINTERS),
            routes_init=init.get(Region.ROUTES),
            stalls=stalls.at("routes"),
        )
        m.submodules.configuration = self.configuration = Configuration(config)
        m.submodules.counters = self.counters = Counters(config)
        m.submodules.outbox = self.outbox = Queue(shape=packet.flit_bits(config))

        self._connect_data_path(m)
        self._connect_inbox(m)
        self._connect_outbox(m)
        self._connect_memory_ports(m)
        self._connect_counters(m)
        self._run_ticks(m)
        return m

    def _initial_rows(self) -> dict[Region, list]:
        """Contents of every memory as integers: a list per bank where the region is banked, else one list."""
        if self.image is None:
            return {}
        found = {}
        for region, bits in self.image.region_bits(self.config).items():
            banks = [bits_to_ints(bank) for bank in bits]
            found[region] = banks if region in (Region.AXONS, Region.SYNAPSES) else banks[0]
        return found

    def _connect_data_path(self, m):
        scheduler, store, stalls = self.scheduler, self.store, self.stalls
        for bank in range(self.config.core.banks):
            head = stalls.gate(m, f"heads_{bank}", scheduler.heads[bank])
            connect(m, head, store.heads[bank])
        connect(m, self.update.vectors, self.encoder.vectors)
        connect(m, stalls.gate(m, "spikes", self.encoder.spikes), self.routes.spikes)
        update, accumulators = self.update, self.accumulators
        m.d.comb += [
            *(into.eq(addend) for into, addend in zip(accumulators.addends, store.addends, strict=True)),
            update.touched.eq(self._touched(m)),
            accumulators.read.eq(update.read),
            accumulators.read_group.eq(update.read_group),
            accumulators.read_subgroup.eq(update.read_subgroup),
            update.read_data.eq(accumulators.read_data),
            accumulators.release.eq(update.release),
            accumulators.advance.eq(update.advance),
            update.timebase.eq(self.timebase),
            update.reset.eq(self.reset),
            scheduler.slot.eq(self.timebase.slot),
            scheduler.clear.eq(self.reset),
            self.routes.tick_slot.eq(self.timebase.slot),
        ]

    def _touched(self, m) -> Value:
        """The groups with a sum in this tick, complete as the update starts."""
        if not self.store.knows_groups:
            return self.accumulators.touched
        reached = Signal(self.config.core.groups)
        m.d.sync += reached.eq(Mux(self.update.start, 0, reached | self.store.reaches))
        return reached

    @property
    def _addend_cycles(self) -> int:
        """Clocks after the last walk in which the update may not start yet.

        It reads its first sums 2 clocks after it starts. Where the groups are known, that is the clock in which the
        last sum enters its row, or, from block RAM, the clock after; else it starts as the last group is known.
        """
        if not self.store.knows_groups:
            return self.store.latency_cycles + 1
        return self.store.latency_cycles - 1 - (self.config.core.accumulators == "distributed")

    def _connect_inbox(self, m):
        """Axon events to the scheduler, all else to the configuration unit."""
        layout = packet.to_core(self.config)[Kind.SPIKE]
        flit = data.View(struct(layout), self.packets_in.payload[: layout.width])
        events, configuration = self.scheduler.events, self.configuration.packets
        is_event = flit.kind == Kind.SPIKE
        m.d.comb += [
            events.p.axon.eq(flit.axon),
            events.p.slot.eq(flit.slot),
            events.p.payload.eq(flit.payload),
            configuration.payload.eq(self.packets_in.payload),
            events.valid.eq(self.packets_in.valid & is_event),
            configuration.valid.eq(self.packets_in.valid & ~is_event),
            self.packets_in.ready.eq(Mux(is_event, events.ready, configuration.ready)),
        ]

    def _connect_outbox(self, m):
        """Spikes and replies; they never meet, for configuration happens between ticks."""
        spikes, replies = self.routes.packets, self.configuration.replies
        m.d.comb += [
            self.outbox.i.payload.eq(Mux(spikes.valid, spikes.payload, replies.payload)),
            self.outbox.i.valid.eq(spikes.valid | replies.valid),
            spikes.ready.eq(self.outbox.i.ready),
            replies.ready.eq(self.outbox.i.ready & ~spikes.valid),
        ]
        connect(m, self.outbox.o, flipped(self.packets_out))

    def _connect_memory_ports(self, m):
        owners = dict.fromkeys((Region.GROUPS, Region.NEURONS, Region.STATE), self.update)
        owners |= dict.fromkeys((Region.POINTERS, Region.ROUTES), self.routes)
        for region in memories(self.config):
            owner = owners.get(region, self.store)
            connect(m, getattr(self.configuration, port_name(region)), getattr(owner, owner_port(region)))

    def _connect_counters(self, m):
        counters = self.counters
        m.d.comb += [
            counters.events.eq(self.store.event_count),
            counters.rows.eq(self.store.row_count),
            counters.integrate_cycles.eq(self.store.walking),
            counters.updates.eq(self.update.update_count),
            counters.update_cycles.eq(self.update.cycle_count),
            counters.spikes.eq(self.encoder.spike_count),
            counters.packets.eq(self.routes.packet_count),
            counters.collisions.eq(self.scheduler.collision),
            counters.hops.eq(self.hops),
            counters.fresh.eq(self.update.fresh),
            self.configuration.status.eq(counters.status),
        ]

    def _run_ticks(self, m):
        phase, in_flight = Signal(Phase), Signal(self._addend_cycles)
        m.d.sync += in_flight.eq(Cat(self.store.walking, in_flight))
        heads_waiting = Cat(head.valid for head in self.scheduler.heads).any()
        integrated = self.scheduler.exhausted & ~(heads_waiting | self.store.busy | in_flight.any())
        emitted = ~(self.encoder.busy | self.routes.busy | self.encoder.vectors.valid)
        m.d.comb += self.scheduler.start.eq(self.release)
        with m.Switch(phase):
            with m.Case(Phase.IDLE):
                with m.If(self.release):
                    m.d.sync += phase.eq(Phase.INTEGRATE)
            with m.Case(Phase.INTEGRATE):
                m.d.comb += self.update.start.eq(integrated)
                with m.If(integrated):
                    m.d.sync += phase.eq(Phase.UPDATE)
            with m.Case(Phase.UPDATE):
                with m.If(~self.update.busy):
                    m.d.sync += phase.eq(Mux(emitted, Phase.LEARN, Phase.EMIT))
            with m.Case(Phase.EMIT):
                with m.If(emitted):
                    m.d.sync += phase.eq(Phase.LEARN)
            with m.Case(Phase.LEARN):
                m.d.sync += phase.eq(Phase.IDLE)
        # Nobody waits for LEARN while it is empty, nor for events that have entered the scheduler.
        works = (phase != Phase.IDLE) & (phase != Phase.LEARN)
        m.d.comb += self.busy.eq(works | self.configuration.busy | self.outbox.o.valid)
