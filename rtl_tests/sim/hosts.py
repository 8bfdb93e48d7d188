"""What a host says and hears, as lists of words."""

from neurogen.spec import words
from neurogen.spec.config import FabricConfig
from neurogen.spec.words import EXTRA_WORDS, Command, Register, Response


def command(config: FabricConfig, code: Command, *following: int, **fields) -> list[int]:
    """One command and the words that follow it."""
    return [words.commands(config)[code].pack(opcode=code, **fields), *following]


def events(config: FabricConfig, tick: int, *items: dict) -> list[int]:
    """EVENTS for ``tick``; every item has the fields of ``words.event``, 0 if not given."""
    layout = words.event(config)
    empty = {field.name: 0 for field in layout.fields}
    packed = [layout.pack(**(empty | item)) for item in items]
    return command(config, Command.EVENTS, *packed, count=len(items), tick=tick % (1 << words.TICK_BITS))


def poke(config: FabricConfig, register: Register, value: int) -> list[int]:
    return command(config, Command.POKE, value, register=register)


def peek(config: FabricConfig, register: Register) -> list[int]:
    return command(config, Command.PEEK, register=register)


def write(config: FabricConfig, *data: int) -> list[int]:
    """WRITE of 16-bit words."""
    padded = [*data, 0]
    pairs = [padded[i] | padded[i + 1] << 16 for i in range(0, len(data), 2)]
    return command(config, Command.WRITE, *pairs, count=len(data))


def heard(config: FabricConfig, received: list[int]) -> list[tuple]:
    """Complete responses as (response, operands of the first word..., second word if there is one)."""
    messages, at = [], 0
    while at < len(received):
        response = Response(received[at] & 15)
        fields = words.responses(config)[response].unpack(received[at])
        end = at + 1 + EXTRA_WORDS.get(response, 0)
        if end > len(received):
            break
        operands = (value for name, value in fields.items() if name != "opcode")
        messages.append((response, *operands, *received[at + 1 : end]))
        at = end
    return messages
