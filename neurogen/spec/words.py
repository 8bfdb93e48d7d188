"""The host port's two streams of 32-bit words. UART frames, AXI-Stream and Wishbone all carry these.

Every message starts with a word whose lowest four bits are its opcode; its length follows from that word.
"""

from enum import IntEnum
from functools import cache

from .config import HOST_WORD_BITS, EncoderConfig, FabricConfig
from .encoders import PIXEL_BITS
from .fields import WORD_BITS, Field, Layout
from .packet import rectangle

OPCODE_BITS = 4
TICK_BITS = 16
"""Ticks travel modulo 2**16."""
WORD_PIXELS = HOST_WORD_BITS // PIXEL_BITS


class Command(IntEnum):
    """Words to the fabric."""

    NOP = 0
    EVENTS = 1  # + count EVENT words: axon events for one tick; need not wait for ticks that run
    ADVANCE = 2  # run `count` ticks, one after the other
    RESET = 3  # when quiescent: initial state, empty slots, tick 0 is next
    END_SAMPLE = 4  # run the fabric's `depth` register's worth of ticks, then RESET
    TARGET = 5  # the rectangle of cores that SETADDR, WRITE and READ go to
    SETADDR = 6
    WRITE = 7  # + ceil(count / 2) words of two 16-bit data words each, the first in the low half
    READ = 8  # `count` reads, answered by REPLY words; an error, and ignored, if the target is not one core
    POKE = 9  # + 1 word: the new value of a register
    PEEK = 10  # answered by PEEKED; 0 if there is no such register
    PIXELS = 11  # + ceil(lines / 4) words of four pixels each, line 0 lowest in the first; only with an encoder


class Response(IntEnum):
    """Words from the fabric."""

    NOP = 0
    SPIKE = 1
    VALUE = 2  # + 1 word: the value, sign extended
    REPLY = 3
    TICK_DONE = 4  # + 1 word: clocks from the release at the barrier's root to the first that sees quiescence
    PEEKED = 5  # + 1 word: the register's value
    RESET_DONE = 6


class Register(IntEnum):
    """The host port's own registers, 32 bits each."""

    IDENTITY = 0  # read only: low 32 bits of the configuration's digest
    TICK = 1  # read only: the next tick, counted from the last RESET (also across overlapped samples)
    SAMPLE_TICKS = 2  # length of a sample in ticks (T * M); 0: endless
    PERIOD_TICKS = 3  # M, ticks per step
    DEPTH = 4  # largest depth of a population, in ticks: what END_SAMPLE drains
    OVERLAPPED = 5  # 1: the next sample follows at once; populations restart at their own step 0
    TICK_CYCLES = 6  # 0: run on ADVANCE; else real time, a tick every so many clocks
    REFUSED = 7  # read only: events whose tick was outside [next, next + D - 2], next being the first not yet ordered
    LATE = 8  # read only: ends of a period in real time at which the tick before was not done
    ERRORS = 9  # read only: words that were no command, and commands that could not be executed
    ENTRY_ROW = 10  # with an encoder, write only: the row of its table that ENTRY means
    ENTRY = 11  # with an encoder: that row; ENTRY_ROW goes on to the next one
    LOADED = 12  # with synapses in SPRAM: what the last load wrote, 0 after power-up; no reset changes it


_OPCODE = Field("opcode", OPCODE_BITS, "what the message is")


def _word(name: str, *fields: Field) -> Layout:
    return Layout(name, (_OPCODE, *fields))


@cache
def event(config: FabricConfig) -> Layout:
    """One axon event of an EVENTS message."""
    core = config.core
    return Layout(
        "event",
        (
            *rectangle(config).fields,
            Field("axon", core.axon_bits, "axon at every core of the rectangle"),
            Field("payload", core.payload_bits, "graded payload", core.payload_signed),
        ),
    )


@cache
def commands(config: FabricConfig) -> dict[Command, Layout]:
    """First word of every command that the fabric knows."""
    count = Field("count", 12, "how many follow, 0..4095")
    register = Field("register", 4, "which register")
    layouts = {
        Command.NOP: (),
        Command.EVENTS: (count, Field("tick", TICK_BITS, "tick, counted from the last RESET")),
        Command.ADVANCE: (Field("count", TICK_BITS, "ticks to run"),),
        Command.RESET: (),
        Command.END_SAMPLE: (),
        Command.TARGET: rectangle(config).fields,
        Command.SETADDR: (Field("address", HOST_WORD_BITS - OPCODE_BITS, "address in every core of the target"),),
        Command.WRITE: (Field("count", WORD_BITS, "16-bit words to write"),),
        Command.READ: (Field("count", WORD_BITS, "16-bit words to read"),),
        Command.POKE: (register,),
        Command.PEEK: (register,),
        **({Command.PIXELS: ()} if config.encoder else {}),
    }
    return {command: _word(f"command.{command.name}", *fields) for command, fields in layouts.items()}


def pixel_words(encoder: EncoderConfig) -> int:
    """Words that follow PIXELS."""
    return -(-encoder.lines // WORD_PIXELS)


@cache
def responses(config: FabricConfig) -> dict[Response, Layout]:
    """First word of every response."""
    layouts = {
        Response.NOP: (),
        Response.SPIKE: (Field("line", config.line_bits, "output line that fired"),),
        Response.VALUE: (Field("line", config.line_bits, "output line"),),
        Response.REPLY: (Field("data", WORD_BITS, "word that was read"),),
        Response.TICK_DONE: (Field("tick", TICK_BITS, "tick that is complete"),),
        Response.PEEKED: (Field("register", 4, "which register"),),
        Response.RESET_DONE: (),
    }
    return {response: _word(f"response.{response.name}", *fields) for response, fields in layouts.items()}


EXTRA_WORDS = {Response.VALUE: 1, Response.TICK_DONE: 1, Response.PEEKED: 1}
"""Words that follow a response's first word."""


@cache
def timebase(config: FabricConfig) -> Layout:
    """What the barrier tells every core about the tick that starts (see DESIGN, Depth, Loops and Samples).

    With p the tick's position in its sample, L the sample's length and X the largest depth value:
    a group whose depth equals ``opening`` starts in this tick, provided ``restart`` or its state is still initial;
    a group whose depth is at most ``closing`` is past its sample if ``ended``.
    """
    bits = config.depth_bits
    return Layout(
        "timebase",
        (
            Field("slot", config.core.slot_bits, "tick mod D"),
            Field("phase", config.phase_bits, "tick mod M"),
            Field("opening", bits, "min(p, X)"),
            Field("closing", bits, "min(p - L, X), valid if ended"),
            Field("ended", 1, "drained mode, L > 0 and p >= L"),
            Field("restart", 1, "overlapped mode and p <= DEPTH: every group is visited"),
        ),
    )
