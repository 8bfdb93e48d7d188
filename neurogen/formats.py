"""Every bit format of a fabric, listed: for the documentation, for a C header, for tests."""

from .catalog import markdown_table
from .spec import boot, link, memory_map, packet, rows, words
from .spec.config import FabricConfig
from .spec.fields import Layout

CODES = (packet.Kind, words.Command, words.Response, words.Register, memory_map.Region, memory_map.Status)


def formats(config: FabricConfig) -> dict[str, list[Layout]]:
    """The field tables of ``config``, under the heading that they belong to."""
    neuron = config.core.neuron
    return {
        "Packets": [
            packet.header(config),
            packet.rectangle(config),
            *packet.to_core(config).values(),
            *packet.to_host(config).values(),
        ],
        "Rows of a core's memories": [
            rows.axon(config),
            rows.synapse(config),
            *([walk] if (walk := rows.walk(config)) else []),
            rows.group(config),
            neuron.parameter_layout,
            neuron.state_layout,
            rows.pointer(config),
            rows.route_to_core(config),
            rows.route_to_host(config),
            *([rows.entry(config)] if config.encoder else []),
        ],
        "Addresses": [memory_map.address(config)],
        "Host words": [
            words.event(config),
            *words.commands(config).values(),
            *words.responses(config).values(),
        ],
        "Ticks": [words.timebase(config)],
        "Link": [link.HEADER, link.IDENTITY],
        "Boot image": [boot.HEADER],
    }


def _range(layout: Layout, name: str) -> str:
    low, width = layout.offsets[name], layout[name].width
    return f"{low + width - 1}..{low}" if width > 1 else str(low)


def markdown(config: FabricConfig) -> str:
    """All formats as tables, after the codes that they use."""
    parts = ["## Codes\n"]
    for kind in CODES:
        codes = [{"code": member.value, "name": member.name} for member in kind]
        parts.append(f"### {kind.__name__}\n\n{markdown_table(codes)}\n")
    for heading, layouts in formats(config).items():
        parts.append(f"## {heading}\n")
        for layout in layouts:
            fields = [
                {"bits": _range(layout, field.name), "field": f"`{field.name}`", "meaning": _meaning(field)}
                for field in layout.fields
                if field.width
            ]
            parts.append(f"### {layout.name}\n\n{markdown_table(fields) if fields else 'No bits.'}\n")
    return "\n".join(parts)


def _meaning(field) -> str:
    return f"{field.doc}{' (signed)' if field.signed else ''}".replace("|", "\\|")


def c_header(config: FabricConfig) -> str:
    """All formats as C constants: ``NAME_FIELD_LSB`` and ``NAME_FIELD_BITS``, and the codes of packets and words."""
    guard = f"NEUROGEN_{config.name.upper()}_H"
    lines = [f"#ifndef {guard}", f"#define {guard}", ""]
    for kind in CODES:
        lines += [f"#define {kind.__name__.upper()}_{member.name} {member.value}" for member in kind] + [""]
    for layout in (layout for layouts in formats(config).values() for layout in layouts):
        prefix = layout.name.upper().replace(".", "_")
        for field in layout.fields:
            name = f"{prefix}_{field.name.upper()}"
            lines += [f"#define {name}_LSB {layout.offsets[field.name]}", f"#define {name}_BITS {field.width}"]
        lines.append("")
    return "\n".join([*lines, f"#endif /* {guard} */", ""])
