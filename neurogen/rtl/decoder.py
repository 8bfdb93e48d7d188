"""The decoder of the host's words: commands become packets, orders and registers."""

from amaranth import *
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import packet, words
from ..spec.config import HOST_WORD_BITS, FabricConfig
from ..spec.fields import WORD_BITS
from ..spec.memory_map import address_bits
from ..spec.packet import Kind
from ..spec.words import OPCODE_BITS, Command, Register, Response
from .layout import pack, struct, view
from .pixel_port import Entries
from .ticks import MESSAGE, Orders, settings


class State(enum.Enum, shape=3):
    """What the next word is, or what has to happen before it is looked at."""

    COMMAND = 0
    EVENT = 1
    WRITE = 2
    READ = 3
    REPLY = 4  # the read packet is out, replies are missing
    POKE = 5
    PEEK = 6


class Decoder(wiring.Component):
    """Executes ``spec.words.Command`` in order, one word per clock where nothing waits, and one clock more for EVENTS.

    Every command but NOP and EVENTS waits until no tick runs or is ordered. An event for tick t is refused and counted
    if t is outside ``next .. next + D - 2``, with ``next`` the first tick that was not ordered yet; it waits while its
    slot is in use, that is while t is beyond the running tick + D - 1, and while a tick is about to start. So what is
    refused does not depend on timing, but in real time, where ``next`` follows the clock.

    ERRORS counts words with an unknown opcode, ADVANCE in real time, READ of anything but one existing core (it is not
    executed), and POKE of a register that does not exist or cannot be written. PEEK of a register that does not exist
    answers 0. Registers are as wide as what they control; higher bits are ignored. A small port answers for IDENTITY,
    REFUSED, ERRORS and LOADED alone.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    period_ticks, depth : int
        PERIOD_TICKS and DEPTH at power-up.

    Members
    -------
    words : In(stream of 32 bits)
    packets : Out(stream of flits)
        From registers; one clock after the word.
    orders : Out(Orders)
    answers : Out(stream of MESSAGE)
        PEEKED.
    replied : In(1)
        A reply to the last READ has arrived.
    pixels : Out(1)
        With an encoder: the words that follow are pixels.
    entries : Out(Entries)
        With an encoder.
    """

    def __init__(self, config: FabricConfig, *, period_ticks: int = 1, depth: int = 0):
        self.config = config
        self.period_ticks = period_ticks
        self.depth = depth
        super().__init__(
            {
                "words": In(stream.Signature(HOST_WORD_BITS)),
                "packets": Out(stream.Signature(packet.flit_bits(config))),
                "orders": Out(Orders(config)),
                "answers": Out(stream.Signature(MESSAGE)),
                "replied": In(1),
            }
            | ({"pixels": Out(1), "entries": Out(Entries())} if config.encoder else {})
        )

    def elaborate(self, platform):
        m = Module()
        config, packets = self.config, self.packets
        self.commands = words.commands(config)
        self.state, self.count, self.register = Signal(State), Signal(WORD_BITS), Signal(4)
        self.target = Signal(struct(packet.rectangle(config)))
        self.event_tick, self.checked, self.upper = Signal(words.TICK_BITS), Signal(), Signal()
        self.loaded = Signal(HOST_WORD_BITS, reset_less=True)
        self.refused, self.errors = Signal(config.host_count_bits), Signal(config.host_count_bits)
        self.settings = Signal(settings(config), init={"period_ticks": self.period_ticks, "depth": self.depth})
        self.can_send, self.is_last = Signal(), Signal()
        m.d.comb += [
            self.can_send.eq(~packets.valid | packets.ready),
            self.orders.sending.eq(packets.valid),
            self.orders.settings.eq(self.settings),
            self.orders.exclusive.eq((self.state != State.COMMAND) & (self.state != State.EVENT)),
        ]
        m.d.sync += self.checked.eq(self.state == State.EVENT)
        with m.If(packets.ready):
            m.d.sync += packets.valid.eq(0)
        with m.Switch(self.state):
            with m.Case(State.COMMAND):
                self._command(m)
            with m.Case(State.EVENT):
                self._event(m)
            with m.Case(State.WRITE):
                self._write(m)
            with m.Case(State.READ):
                with m.If(self.can_send):
                    self._send(m, Kind.READ, **self._target(), count=self.count)
                    m.d.sync += self.state.eq(State.REPLY)
            with m.Case(State.REPLY):
                with m.If(self.replied):
                    self._count_down(m)
            with m.Case(State.POKE):
                self._poke(m)
            with m.Case(State.PEEK):
                self._peek(m)
        return m

    def _command(self, m) -> None:
        """The first word of a command; it is taken when the command may be executed."""
        opcode = self.words.payload[:OPCODE_BITS]
        waits = (opcode >= Command.ADVANCE) & (opcode <= max(self.commands))
        is_ready = self.can_send & (~waits | self.orders.idle)
        m.d.comb += self.orders.exclusive.eq(self.words.valid & waits)
        m.d.comb += self.words.ready.eq(is_ready)
        with m.If(self.words.valid & is_ready):
            with m.Switch(opcode):
                for command in self.commands:
                    with m.Case(command):
                        getattr(self, f"_{command.name.lower()}_command")(m, self._first(command))
                with m.Default():
                    self._error(m)

    def _first(self, command: Command):
        return view(self.commands[command], self.words.payload)

    def _nop_command(self, m, first) -> None:
        pass

    def _events_command(self, m, first) -> None:
        m.d.sync += self.event_tick.eq(first.tick)
        self._repeat(m, State.EVENT, first.count)

    def _advance_command(self, m, first) -> None:
        with m.If(self.settings.real_time):
            self._error(m)
        with m.Else():
            m.d.comb += [self.orders.order.eq(1), self.orders.count.eq(first.count)]

    def _reset_command(self, m, first) -> None:
        m.d.comb += [self.orders.order.eq(1), self.orders.reset_after.eq(1)]

    def _end_sample_command(self, m, first) -> None:
        m.d.comb += self.orders.count.eq(self.settings.depth)
        self._reset_command(m, first)

    def _target_command(self, m, first) -> None:
        m.d.sync += [self.target[name].eq(first[name]) for name in self._target()]

    def _setaddr_command(self, m, first) -> None:
        self._send(m, Kind.SETADDR, **self._target(), address=first.address[: address_bits(self.config)])

    def _write_command(self, m, first) -> None:
        m.d.sync += self.upper.eq(0)
        self._repeat(m, State.WRITE, first.count)

    def _read_command(self, m, first) -> None:
        at, config = self.target, self.config
        with m.If((at.x0 == at.x1) & (at.y0 == at.y1) & (at.x0 < config.width) & (at.y0 < config.height)):
            self._repeat(m, State.READ, first.count)
        with m.Else():
            self._error(m)

    def _poke_command(self, m, first) -> None:
        m.d.sync += [self.state.eq(State.POKE), self.register.eq(first.register)]

    def _peek_command(self, m, first) -> None:
        m.d.sync += [self.state.eq(State.PEEK), self.register.eq(first.register)]

    def _pixels_command(self, m, first) -> None:
        m.d.comb += self.pixels.eq(1)

    def _event(self, m) -> None:
        """One event: sent, refused, or kept waiting for its slot."""
        config, slots = self.config, self.config.core.delay_slots
        event = view(words.event(config), self.words.payload)
        is_refused, has_slot, is_taken = Signal(), Signal(), Signal()
        m.d.sync += [  # one clock behind: ``checked`` and ``open`` wait for them
            is_refused.eq((self.event_tick - self.orders.next)[: words.TICK_BITS] > slots - 2),
            has_slot.eq((self.event_tick - self.orders.tick)[: words.TICK_BITS] < slots),
        ]
        m.d.comb += [
            self.words.ready.eq(self.checked & self.orders.open & (is_refused | (has_slot & self.can_send))),
            is_taken.eq(self.words.valid & self.words.ready),
        ]
        with m.If(is_taken):
            self._count_down(m)
        with m.If(is_taken & is_refused):
            m.d.sync += self.refused.eq(self.refused + 1)
        with m.Elif(is_taken):
            where = {field.name: event[field.name] for field in words.event(config).fields}
            self._send(m, Kind.SPIKE, **where, slot=self.event_tick[: config.core.slot_bits])

    def _write(self, m) -> None:
        """One data word, the lower half of the host's word first."""
        m.d.comb += self.words.ready.eq(self.can_send & (self.upper | self.is_last))
        with m.If(self.words.valid & self.can_send):
            lower, upper = self.words.payload[:WORD_BITS], self.words.payload[WORD_BITS:]
            self._send(m, Kind.WRITE, **self._target(), data=Mux(self.upper, upper, lower))
            self._count_down(m)
            m.d.sync += self.upper.eq(~self.upper)

    def _poke(self, m) -> None:
        value, settings = self.words.payload, self.settings
        m.d.comb += self.words.ready.eq(1)
        if self.config.encoder:
            m.d.comb += self.entries.data.eq(value)
        with m.If(self.words.valid):
            m.d.sync += self.state.eq(State.COMMAND)
            with m.Switch(self.register):
                for register in (Register.SAMPLE_TICKS, Register.PERIOD_TICKS, Register.DEPTH, Register.OVERLAPPED):
                    with m.Case(register):
                        m.d.sync += settings[register.name.lower()].eq(value)
                if self.config.host_port == "full":
                    with m.Case(Register.TICK_CYCLES):
                        m.d.sync += [settings.tick_cycles.eq(value), settings.real_time.eq(value != 0)]
                if self.config.core.starts_empty:
                    with m.Case(Register.LOADED):
                        m.d.sync += self.loaded.eq(value)
                if self.config.encoder:
                    with m.Case(Register.ENTRY_ROW):
                        m.d.comb += self.entries.set_row.eq(1)
                    with m.Case(Register.ENTRY):
                        m.d.comb += [self.entries.write.eq(1), self.entries.next.eq(1)]
                with m.Default():
                    self._error(m)

    def _peek(self, m) -> None:
        answer, layout = self.answers.p, words.responses(self.config)[Response.PEEKED]
        named = {
            Register.IDENTITY: C(int(self.config.digest, 16) & ((1 << HOST_WORD_BITS) - 1), HOST_WORD_BITS),
            Register.REFUSED: self.refused,
            Register.ERRORS: self.errors,
        }
        if self.config.host_port == "full":
            named |= {
                Register.TICK: self.orders.tick,
                Register.SAMPLE_TICKS: self.settings.sample_ticks,
                Register.PERIOD_TICKS: self.settings.period_ticks,
                Register.DEPTH: self.settings.depth,
                Register.OVERLAPPED: self.settings.overlapped,
                Register.TICK_CYCLES: self.settings.tick_cycles,
                Register.LATE: self.orders.late,
            }
        if self.config.core.starts_empty:
            named[Register.LOADED] = self.loaded
        is_valid, is_taken = C(1), self.answers.ready
        if self.config.encoder:
            is_entry = self.register == Register.ENTRY
            named[Register.ENTRY], is_valid = self.entries.row, ~is_entry | self.entries.ready
            is_taken = is_valid & self.answers.ready
            m.d.comb += self.entries.next.eq(is_entry & is_taken)
        m.d.comb += [
            self.answers.valid.eq(is_valid),
            answer.first.eq(pack(layout, opcode=Response.PEEKED, register=self.register)),
            answer.long.eq(1),
        ]
        with m.Switch(self.register):
            for register, value in named.items():
                with m.Case(register):
                    m.d.comb += answer.second.eq(value)
        with m.If(is_taken):
            m.d.sync += self.state.eq(State.COMMAND)

    def _target(self) -> dict[str, Value]:
        return {field.name: self.target[field.name] for field in packet.rectangle(self.config).fields}

    def _send(self, m, kind: Kind, **values) -> None:
        """Put a packet into the register that ``can_send`` says is free."""
        layout = packet.to_core(self.config)[kind]
        m.d.sync += [self.packets.valid.eq(1), self.packets.payload.eq(pack(layout, kind=kind, host=0, **values))]

    def _repeat(self, m, state: State, count) -> None:
        """Enter ``state`` for ``count`` items, if there are any."""
        with m.If(count != 0):
            m.d.sync += [self.state.eq(state), self.count.eq(count), self.is_last.eq(count == 1)]

    def _count_down(self, m) -> None:
        """One item less; after the last one the next command."""
        m.d.sync += [self.count.eq(self.count - 1), self.is_last.eq(self.count == 2)]
        with m.If(self.is_last):
            m.d.sync += self.state.eq(State.COMMAND)

    def _error(self, m) -> None:
        m.d.sync += self.errors.eq(self.errors + 1)
