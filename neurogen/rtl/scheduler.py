"""The slot scheduler: axon events wait in their tick's slot and leave it in ascending order.

Three levels say what is pending: one flip-flop per slot (does its summary row count?), a summary row per slot (one bit
per bitmap word), the bitmap words of every bank (one bit per axon). What the level above calls empty reads as 0, so
emptying a slot, or all of them, takes one clock.

No memory is read and written at one address in the same clock: what was just written is forwarded. Block RAMs differ in
what they would return, and synthesis would add logic to make them agree.
"""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..spec.config import CoreConfig, FabricConfig
from ..spec.fixed import index_bits
from .bits import encode, lowest, select
from .streams import Stalls

WORDS_AHEAD = 4
"""Words under way in a reader at most: enough for one event per clock from words with one event each."""

STORING_CYCLES = 2
"""Clocks after the one in which an event is taken, before its slot may be handed out or emptied."""


class Scheduler(wiring.Component):
    """K banks of D slots; a slot holds at most one event per axon.

    ``events`` takes one event per clock, whatever ``heads`` does, except at ``start`` and while words are fetched: at
    most ``1 + banks * bank_words`` clocks per tick. An event for an occupied (slot, axon) is dropped and pulses
    ``collision``; the payload that came first stays.

    ``start`` hands out a slot: every bank offers its first event ``latency_cycles`` later, and from then on one per
    clock, whatever the word boundaries. What the slot holds has been read by then, so ``slot`` stands there, and no
    event was taken, at least ``STORING_CYCLES`` clocks before.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    stalls : :class:`~neurogen.rtl.streams.Stalls`, optional
        Gates on the internal streams.

    Members
    -------
    events : In(stream of axon, slot, payload)
        Arriving events; never for the slot that is being handed out.
    start : In(1)
        Hand out the events of ``slot`` and empty it. Only while ``exhausted``, and not right after ``clear``.
    slot : In(slot_bits)
        Stands from the clock before ``start``.
    clear : In(1)
        Empty every slot. Not while handing out.
    heads : Out(stream of axon, payload), K
        Local axon indices, ascending in each bank.
    exhausted : Out(1)
        All events of the started slot had been taken from ``heads`` a clock ago. Counts from the clock after ``start``.
    collision : Out(1)
        Three clocks after the event was taken.
    """

    def __init__(self, config: FabricConfig, stalls: Stalls | None = None):
        self.config = config
        self.stalls = stalls or Stalls()
        core = config.core
        event = data.StructLayout({"axon": core.axon_bits, "slot": core.slot_bits, "payload": core.payload_bits})
        head = data.StructLayout({"axon": index_bits(core.bank_axons), "payload": core.payload_bits})
        super().__init__(
            {
                "events": In(stream.Signature(event)),
                "start": In(1),
                "slot": In(core.slot_bits),
                "clear": In(1),
                "heads": Out(stream.Signature(head)).array(core.banks),
                "exhausted": Out(1, init=1),
                "collision": Out(1),
            }
        )

    @property
    def latency_cycles(self) -> int:
        """Clocks from ``start`` to the first heads."""
        return 6 if self.config.core.payload_bits else 5

    def elaborate(self, platform):
        m = Module()
        core = self.config.core
        m.submodules.slots = slots = Slots(core)
        m.d.comb += [
            slots.take.eq(self.start),
            slots.slot.eq(self.slot),
            slots.clear.eq(self.clear),
            self.collision.eq(slots.stored.valid & slots.collided),
        ]
        self._accept(m, slots)
        slot = Signal(core.slot_bits)
        with m.If(self.start):
            m.d.sync += slot.eq(self.slot)

        fetching, waiting = [], []
        for bank, fetch in enumerate(slots.fetch):
            m.submodules[f"reader_{bank}"] = reader = WordReader(core)
            m.d.comb += [
                reader.load.eq(self.start),
                reader.words.eq(slots.row[bank]),
                reader.data.eq(slots.words[bank]),
                fetch.valid.eq(reader.fetch),
                fetch.slot.eq(slot),
                fetch.word.eq(reader.word),
            ]
            fetching.append(reader.fetch)
            waiting += [reader.busy, self._deliver(m, bank, reader, slot, slots)]
        m.d.comb += self.events.ready.eq(~(self.start | Cat(fetching).any()))
        m.d.sync += self.exhausted.eq(~Cat(self.start, *waiting).any())
        return m

    def _accept(self, m, slots: "Slots"):
        event, arrival = self.events.p, slots.arrival
        bank_bits, bit_bits = len(arrival.bank), len(arrival.bit)
        m.d.comb += [
            arrival.valid.eq(self.events.valid & self.events.ready),
            arrival.bank.eq(event.axon[:bank_bits]),
            arrival.bit.eq(event.axon[bank_bits : bank_bits + bit_bits]),
            arrival.word.eq(event.axon[bank_bits + bit_bits :]),
            arrival.slot.eq(event.slot),
            arrival.payload.eq(event.payload),
        ]

    def _deliver(self, m, bank: int, reader: "WordReader", slot, slots: "Slots"):
        """Connect the bank's events to its head, past the payload memory if there is one; whether one waits there."""
        core, head = self.config.core, self.heads[bank]
        found = self.stalls.gate(m, f"found_{bank}", reader.found)
        if not core.payload_bits:
            m.d.comb += [head.p.axon.eq(found.payload), head.valid.eq(found.valid), found.ready.eq(head.ready)]
            return C(0)
        m.submodules[f"payloads_{bank}"] = memory = Memory(
            shape=core.payload_bits, depth=core.delay_slots * core.bank_axons, init=[]
        )
        read, write, stored = memory.read_port(), memory.write_port(), slots.stored
        m.d.comb += [
            found.ready.eq(~head.valid | head.ready),
            read.addr.eq(Cat(slot, found.payload)),
            read.en.eq(found.ready & found.valid & ~(write.en & (write.addr == read.addr))),
            head.p.payload.eq(read.data),
            write.addr.eq(Cat(stored.slot, stored.bit, stored.word)),
            write.data.eq(stored.payload),
            write.en.eq(stored.valid & ~slots.collided & (stored.bank == bank)),
        ]
        with m.If(found.ready):
            m.d.sync += [head.p.axon.eq(found.payload), head.valid.eq(found.valid)]
        return head.valid


def _word_bits(core: CoreConfig) -> int:
    return min(core.slot_word_bits, core.bank_axons)


def _arrival(core: CoreConfig) -> data.StructLayout:
    """An event, its axon split into bank, bitmap word and bit."""
    return data.StructLayout(
        {
            "valid": 1,
            "bank": index_bits(core.banks),
            "slot": core.slot_bits,
            "bit": index_bits(_word_bits(core)),
            "word": index_bits(core.bank_words),
            "payload": core.payload_bits,
        }
    )


class Slots(wiring.Component):
    """The memories behind the slots: events go in one per clock; rows and words come out.

    An arrival reads its slot's summary row and its word in the first clock, marks the row in the second, the word in
    the third, and is ``stored`` in the fourth.

    Members
    -------
    arrival : In
        Event to store; not together with ``take`` or a fetch.
    slot : In(slot_bits)
        Its summary is read in every clock in which nothing arrives.
    row : Out(bank_words), K
        The summary, a clock later.
    take : In(1)
        Empty the slot.
    clear : In(1)
        Empty all slots.
    fetch : In(valid, slot, word), K
        Read a bitmap word.
    words : Out(word_bits), K
        The word, in the clock after ``fetch``.
    stored : Out
        The event that is now in its slot, or was not stored because of
    collided : Out(1)
        its axon's bit being set already.
    """

    def __init__(self, core: CoreConfig):
        self.core = core
        fetch = data.StructLayout({"valid": 1, "slot": core.slot_bits, "word": index_bits(core.bank_words)})
        super().__init__(
            {
                "arrival": In(_arrival(core)),
                "slot": In(core.slot_bits),
                "row": Out(data.ArrayLayout(core.bank_words, core.banks)),
                "take": In(1),
                "clear": In(1),
                "fetch": In(fetch).array(core.banks),
                "words": Out(_word_bits(core)).array(core.banks),
                "stored": Out(_arrival(core)),
                "collided": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        reading, marking = self.arrival, Signal(_arrival(self.core))  # clocks 1 and 2
        writing = Signal(_arrival(self.core))  # clock 3
        m.d.sync += [marking.eq(reading), writing.eq(marking), self.stored.eq(writing)]
        is_pending = self._summary(m, reading, marking)
        self._bitmaps(m, reading, marking, writing, is_pending)
        return m

    def _summary(self, m, reading, marking):
        """Whether the word of the event in ``marking`` holds events, from a read-modify-write of its slot's row."""
        core = self.core
        m.submodules.summary = memory = Memory(shape=core.banks * core.bank_words, depth=core.delay_slots, init=[])
        read, write = memory.read_port(), memory.write_port()
        counts = Signal(core.delay_slots)  # slots whose row is not to be read as 0
        is_counted, is_marked_again, marked = Signal(), Signal(), Signal.like(read.data)

        def chosen(of):  # decided for both slots, and chosen then: arrivals come late
            return Mux(reading.valid, of(reading.slot), of(self.slot))

        again = chosen(lambda slot: marking.valid & (marking.slot == slot))
        m.d.comb += [read.addr.eq(chosen(lambda slot: slot)), read.en.eq(~again)]
        m.d.sync += [
            is_counted.eq(chosen(lambda slot: counts.bit_select(slot, 1))),
            is_marked_again.eq(again),
            marked.eq(write.data),
        ]
        with m.If(self.clear):
            m.d.sync += counts.eq(0)
        with m.Elif(self.take):
            m.d.sync += counts.bit_select(self.slot, 1).eq(0)
        with m.Elif(reading.valid):
            m.d.sync += counts.bit_select(reading.slot, 1).eq(1)

        own = Cat((marking.bank == k) & (marking.word == w) for k in range(core.banks) for w in range(core.bank_words))
        m.d.comb += [
            self.row.as_value().eq(Mux(is_marked_again, marked, Mux(is_counted, read.data, 0))),
            write.addr.eq(marking.slot),
            write.data.eq(self.row.as_value() | own),
            write.en.eq(marking.valid),
        ]
        return (self.row.as_value() & own).any()

    def _bitmaps(self, m, reading, marking, writing, is_pending):
        """Read-modify-write of the word of every event; the words of the two events before it are forwarded."""
        core = self.core
        before, bit, updated = (Signal(_word_bits(core)) for _ in range(3))
        was_pending = Signal()
        before_at = Cat(marking.bank == k for k in range(core.banks))
        for k, (fetch, word) in enumerate(zip(self.fetch, self.words, strict=True)):
            m.submodules[f"bitmap_{k}"] = memory = Memory(
                shape=_word_bits(core), depth=core.delay_slots * core.bank_words, init=[]
            )
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(Mux(fetch.valid, Cat(fetch.slot, fetch.word), Cat(reading.slot, reading.word))),
                read.en.eq(fetch.valid | (reading.valid & (reading.bank == k))),
                word.eq(read.data),
                write.addr.eq(Cat(writing.slot, writing.word)),
                write.data.eq(updated),
                write.en.eq(writing.valid & (writing.bank == k)),
            ]
            with m.If(write.en & (write.addr == read.addr)):
                m.d.comb += read.en.eq(0)

        last, second_last = Signal.like(updated), Signal.like(updated)
        is_last, is_second_last = Signal(), Signal()  # whose word is the event's own
        m.d.sync += [
            before.eq(select(before_at, self.words)),
            was_pending.eq(is_pending),
            bit.eq(1 << marking.bit),
            is_last.eq(_same_word(marking, writing)),
            is_second_last.eq(_same_word(marking, self.stored)),
            last.eq(updated),
            second_last.eq(last),
        ]
        word = Mux(is_last, last, Mux(is_second_last, second_last, Mux(was_pending, before, 0)))
        m.d.comb += updated.eq(word | bit)
        m.d.sync += self.collided.eq((word & bit).any())


def _same_word(arrival, other):
    return other.valid & (Cat(other.bank, other.slot, other.word) == Cat(arrival.bank, arrival.slot, arrival.word))


class WordReader(wiring.Component):
    """Hands out the events of one bank and slot: fetches its words, lowest first, and takes them apart bit by bit.

    The first event is found five clocks after ``load``, then one per clock. A word is fetched only if the queue has
    a place for it.

    Members
    -------
    load : In(1)
        Begin with ``words``.
    words : In(bank_words)
        Which words hold events.
    fetch, word : Out
        Read ``word``; its ``data`` is there in the next clock.
    data : In(word_bits)
    found : Out(stream of local axons)
    busy : Out(1)
        Events are still to be found or taken.
    """

    def __init__(self, core: CoreConfig):
        self.words_ahead = min(core.bank_words, WORDS_AHEAD)
        self.word_layout = data.StructLayout({"bits": _word_bits(core), "word": index_bits(core.bank_words)})
        super().__init__(
            {
                "load": In(1),
                "words": In(core.bank_words),
                "fetch": Out(1),
                "word": Out(index_bits(core.bank_words)),
                "data": In(_word_bits(core)),
                "found": Out(stream.Signature(index_bits(core.bank_axons))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # A memory of one row would not be a memory to yosys, which warns of it.
        m.submodules.ahead = ahead = SyncFIFO(width=self.word_layout.size, depth=max(self.words_ahead, 2))
        is_fetching = self._fetch(m, ahead)
        current, is_held = Signal(self.word_layout), Signal()
        event = lowest(current.bits)
        others, moves, ends = current.bits & ~event, Signal(), Signal()
        m.d.comb += [
            moves.eq(~self.found.valid | self.found.ready),
            ends.eq(~is_held | (moves & ~others.any())),
            ahead.r_en.eq(ends),
            self.busy.eq(is_fetching | ahead.r_rdy | is_held | self.found.valid),
        ]
        with m.If(moves):
            m.d.sync += [
                self.found.valid.eq(is_held),
                self.found.payload.eq(Cat(encode(event), current.word)),
                current.bits.eq(others),
            ]
        with m.If(ends):
            m.d.sync += [current.eq(ahead.r_data), is_held.eq(ahead.r_rdy)]
        return m

    def _fetch(self, m, ahead) -> Value:
        """Fetch words into the queue; whether some are still to come."""
        left, source, chosen = Signal.like(self.words), Signal.like(self.words), Signal.like(self.words)
        landing, landing_word, has_place = Signal(), Signal.like(self.word), Signal(init=1)
        m.d.comb += [
            source.eq(Mux(self.load, self.words, left)),
            chosen.eq(lowest(source) & has_place.replicate(len(source))),
            ahead.w_data.eq(Cat(self.data, landing_word)),
            ahead.w_en.eq(landing),
        ]
        m.d.sync += [
            self.fetch.eq(chosen.any()),
            self.word.eq(encode(chosen)),
            left.eq(source & ~chosen),
            landing.eq(self.fetch),
            landing_word.eq(self.word),
        ]
        if self.words_ahead < len(source):  # places: those that no word under way will take
            places = Signal(range(self.words_ahead + 1), init=self.words_ahead)
            m.d.sync += places.eq(places - chosen.any() + (ahead.r_en & ahead.r_rdy))
            m.d.comb += has_place.eq(places != 0)
        return left.any() | self.fetch | landing
