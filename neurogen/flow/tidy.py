"""Small changes to the text that yosys writes, so that every tool reads it without a warning.

* A register's power-up value moves from its declaration to an ``initial`` of its own.
* Bits that nothing reads are gathered in a wire ``unused_bits`` of their module, which says that this is known.

The text is regular (one declaration or statement on a line, one port connection on a line), so lines are all that has
to be told apart.
"""

import re
from collections.abc import Iterator

NAME = r"(?:\\\S+ |[A-Za-z_][A-Za-z0-9_$]*)"
MODULE = re.compile(rf"^module ({NAME})\s*\(")
DECLARATION = re.compile(
    rf"^  (input|output|inout|wire|reg)( signed)?( \[(\d+):(\d+)\])? ({NAME})( \[[^\]]*\])?( = .*)?;$"
)
INSTANCE = re.compile(rf"^  ({NAME})\s*(?:#\(.*\) )?({NAME})\s*\($")
CONNECTION = re.compile(rf"^    \.({NAME})\((.*)\),?$")
ASSIGNMENT = re.compile(r"^\s*(?:assign |if \((.*?)\) )?(.*?) (?:<=|=) (.*);$")
INDEXED = re.compile(rf"^{NAME}\[(.*)\]$")
READ = re.compile(rf"({NAME})\s*(?:\[(\d+)(?::(\d+))?\])?")
LITERAL = re.compile(r"\d+'s?[bhd][0-9a-fA-FxzXZ?_]+")


def tidy(verilog: str) -> str:
    """The same modules, in the same order."""
    head, *modules = re.split(r"^(?=module )", verilog, flags=re.MULTILINE)
    outputs = {_module_name(text): _outputs(text) for text in modules}
    return head + "".join(_tidy_module(text, outputs) for text in modules)


def _module_name(text: str) -> str:
    return MODULE.match(text)[1].strip()


def _outputs(text: str) -> set[str]:
    found = (DECLARATION.match(line) for line in text.splitlines())
    return {match[6].strip() for match in found if match and match[1] == "output"}


def _tidy_module(text: str, outputs: dict[str, set[str]]) -> str:
    lines = text.splitlines()
    body = [part for line in lines for part in _declared_apart(line)]
    end = max(index for index, line in enumerate(body) if line.startswith("endmodule"))
    unused = list(_unused(body[:end], outputs))
    if unused:
        body[end:end] = [f"  wire unused_bits = &{{ 1'h0, {', '.join(unused)} }};"]
    return "\n".join(body) + "\n"


def _declared_apart(line: str) -> Iterator[str]:
    """A declaration with a value becomes two lines."""
    match = DECLARATION.match(line)
    if match is None or match[1] != "reg" or match[8] is None:
        yield line
        return
    yield line[: match.start(8)].rstrip() + (" ;" if match[6].startswith("\\") else ";")
    yield f"  initial {match[6].strip()} {match[8].strip()};"


def _unused(lines: list[str], outputs: dict[str, set[str]]) -> Iterator[str]:
    """Slices of the module's vectors that no statement reads, as Verilog."""
    declared = _declarations(lines)
    read: dict[str, set[int]] = {name: set() for name in declared}
    for expression in _expressions(lines, outputs):
        for name, high, low in READ.findall(LITERAL.sub("", expression)):
            if name.strip() in read:
                width = declared[name.strip()]
                last = int(low or high) if high else 0
                read[name.strip()].update(range(last, int(high) + 1) if high else range(width))
    for name, width in declared.items():
        for high, low in _runs(sorted(set(range(width)) - read[name])):
            text = f"{name} " if name.startswith("\\") else name
            yield text if (high, low) == (width - 1, 0) else f"{text}[{high}:{low}]" if high > low else f"{text}[{low}]"


def _declarations(lines: list[str]) -> dict[str, int]:
    """Width of every vector that is no output of the module and no memory."""
    widths: dict[str, int] = {}
    ports = set()
    for line in lines:
        match = DECLARATION.match(line)
        if match is None or match[7]:
            continue
        name = match[6].strip()
        if match[1] == "output":
            ports.add(name)
        widths[name] = int(match[4]) - int(match[5]) + 1 if match[3] else 1
    return {name: width for name, width in widths.items() if name not in ports}


def _expressions(lines: list[str], outputs: dict[str, set[str]]) -> Iterator[str]:
    """What is read: right-hand sides and indices of left-hand sides, conditions, and inputs of instances."""
    instance = None
    body = next(index for index, line in enumerate(lines) if line.endswith(");")) + 1  # long lists of ports are broken
    for line in lines[body:]:
        if match := INSTANCE.match(line):
            instance = match[1].strip()
        elif match := CONNECTION.match(line):
            if match[1].strip() not in outputs.get(instance, set()):
                yield match[2]
        elif DECLARATION.match(line):
            continue
        elif match := ASSIGNMENT.match(line):
            yield from (part for part in (match[1], match[3]) if part)
            yield from (index[1] for index in (INDEXED.match(match[2]),) if index)
        else:
            yield line


def _runs(bits: list[int]) -> Iterator[tuple[int, int]]:
    """Maximal runs of consecutive numbers, (last, first) each."""
    start = None
    for index, bit in enumerate(bits):
        start = bit if start is None else start
        if index + 1 == len(bits) or bits[index + 1] != bit + 1:
            yield bit, start
            start = None
