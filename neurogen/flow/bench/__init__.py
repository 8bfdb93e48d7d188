"""The performance table: a fixed list of configurations, measured on this machine, one record for each row.

What tools make comes from the cache where it was made before, so a run that was stopped goes on where it was. A row
that cannot be measured here says why.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ...spec.registry import pick
from .row import FIGURES, Bound, Measured, Progress, Row, Settings, Skipped


@cache
def rows() -> dict[str, Row]:
    """Every row by name, in the table's order."""
    from . import blocks, clocks, designs, speed

    return {row.name: row for module in (blocks, designs, clocks, speed) for row in module.ROWS}


def run(names: Sequence[str], settings: Settings, full: bool = False, progress: Progress = lambda _: None):
    """Measure the rows of these names, or all; those that take long only if named or ``full``. Yields their records.

    Raises InputError for an unknown name, ToolError if a tool fails.
    """
    chosen = [pick(rows(), name, "row") for name in names] or [row for row in rows().values() if full or not row.full]
    for row in chosen:
        try:
            yield record(row, row.measure(settings, progress), settings)
        except Skipped as reason:
            yield {"row": row.name, "title": row.title, "skipped": str(reason)}


def record(row: Row, found: Measured, settings: Settings) -> dict[str, Any]:
    """What was measured, as JSON."""
    ordered = {name: found.figures[name] for name in FIGURES if name in found.figures}
    return {
        "row": row.name,
        "title": row.title,
        **dataclasses.asdict(found),
        "figures": {name: round(float(value), 4) for name, value in ordered.items()},
        "seeds": {str(seed): round(mhz, 2) for seed, mhz in found.seeds.items()},
        "targets": {name: dataclasses.asdict(bound) for name, bound in row.targets.items()},
        "skipped": None,
    }


def table(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Records as the rows of a table of words."""
    lines = []
    for item in found:
        if item["skipped"]:
            lines.append({"what": item["title"], "measured": f"skipped: {item['skipped']}"})
            continue
        share = _share(item)
        lines.append(
            {
                "what": f"{item['title']}: {item['about']}",
                "measured": _figures(item),
                "of the memory's limit": f"{share:.0%} of {item['limit']:,.0f}" if share else "",
                "target": ", ".join(bound.text(FIGURES[name]) for name, bound in _bounds(item).items()),
                "not met": ", ".join(missed(item)),
                "MHz by seed": " / ".join(f"{mhz:.1f}" for mhz in item["seeds"].values()),
                "made by": ", ".join(item["tools"]),
            }
        )
    return lines


def text(found: dict[str, Any]) -> str:
    """One record on a few lines."""
    if found["skipped"]:
        return f"{found['title']}: skipped: {found['skipped']}"
    lines = [f"{found['title']}: {found['about']}", f"  {_figures(found)}"]
    if share := _share(found):
        lines.append(f"  {share:.0%} of the {found['limit']:,.0f} synapses a clock that its memory could deliver")
    if found["seeds"]:
        lines.append("  " + ", ".join(f"seed {seed}: {mhz:.1f} MHz" for seed, mhz in found["seeds"].items()))
    if path := found["critical"]:
        lines.append(
            f"  critical path, {path['logic_ns']:.1f} ns logic + {path['wire_ns']:.1f} ns wires, {path['cells']} cells:"
            f" {path['start']} -> {path['end']}"
        )
    return "\n".join([*lines, *(f"  not met: {miss}" for miss in missed(found))])


def _figures(found: dict[str, Any]) -> str:
    return ", ".join(FIGURES[name].text.format(value) for name, value in found["figures"].items())


def _share(found: Mapping[str, Any]) -> float | None:
    """What part of the synapses that its memory could deliver in a clock a record uses."""
    return found["limit"] and found["figures"]["operations"] / found["limit"]


def _bounds(found: Mapping[str, Any]) -> dict[str, Bound]:
    return {name: Bound(**bound) for name, bound in found["targets"].items()}


def missed(found: dict[str, Any]) -> list[str]:
    """The targets that a record does not meet, in words."""
    return [
        bound.text(FIGURES[name])
        for name, bound in _bounds(found).items()
        if name in found["figures"] and not bound.met(found["figures"][name])
    ]
