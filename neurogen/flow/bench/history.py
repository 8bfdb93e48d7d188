"""Records of the table: the JSON of the latest rows, and a CSV with the figures of every commit that was measured.

Figures that are the same on every machine (``FIGURES``, ``fixed``) must not get worse from one line to the next by more
than ``MARGINS`` says; what a clock reaches depends on seeds and is only kept.
"""

import csv
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...host import data
from ...spec.errors import InputError
from .row import FIGURES

COLUMNS = ("commit", "row", *FIGURES, "tools")
MARGINS = {"lut": 0.02, "ff": 0.02, "ram": 0.0, "dsp": 0.0, "tick_cycles": 0.0, "cycles": 0.0, "leaking_cycles": 0.0,
           "overlapped_cycles": 0.0, "hop_cycles": 0.0}  # fmt: skip
"""By what part a figure may grow. Another version of the tools may change LUTs and flip-flops by more: record anew."""


def merge(path: Path, found: Iterable[Mapping[str, Any]], order: Iterable[str]) -> None:
    """Put records into the JSON file in the order of the rows' names; a skipped row does not replace a measured one."""
    kept = {record["row"]: record for record in _read(path)}
    for record in found:
        if not record["skipped"] or record["row"] not in kept or kept[record["row"]]["skipped"]:
            kept[record["row"]] = dict(record)
    rows = [kept[name] for name in order if name in kept]
    data.replace(path, (json.dumps(rows, indent=1) + "\n").encode())


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text()) if path.exists() else []
    except ValueError as error:
        raise InputError(f"{path}: not a record of the performance table: {error}") from None


def append(path: Path, found: Iterable[Mapping[str, Any]], commit: str) -> None:
    """Add a line for every row that was measured; one of this commit and row is replaced."""
    lines = [_line(record, commit) for record in found if not record["skipped"]]
    new = {(item["commit"], item["row"]) for item in lines}
    kept = [item for item in load(path) if (item["commit"], item["row"]) not in new]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *lines])


def load(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file, oldest first. Raises InputError if it is another kind of file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if not {"commit", "row"} <= set(reader.fieldnames or ()):
            raise InputError(f"{path}: not a history of the performance table: it has no columns commit and row")
        return list(reader)


def _line(record: Mapping[str, Any], commit: str) -> dict[str, str]:
    figures = {name: str(record["figures"].get(name, "")) for name in FIGURES}
    return {"commit": commit, "row": record["row"], **figures, "tools": "; ".join(record["tools"])}


def worse(lines: Iterable[Mapping[str, str]], record: Mapping[str, Any]) -> list[str]:
    """What of a record is worse than in the latest line of its row, in words."""
    earlier = [item for item in lines if item["row"] == record["row"]]
    if not earlier:
        return [f"{record['row']}: nothing is recorded; add it with: neurogen bench {record['row']} --history FILE"]
    found = []
    for name, margin in MARGINS.items():
        before, now = earlier[-1].get(name) or "", record["figures"].get(name)
        if before and now is not None and now > float(before) * (1 + margin):
            found.append(
                f"{record['row']}: {FIGURES[name].text.format(now)}, and {float(before):,g} in {earlier[-1]['commit']};"
                f" at most {margin:.0%} more is allowed"
            )
    return found


def commit(root: Path) -> str:
    """The commit that stands in ``root``, with a + if files differ from it; "-" where there is no git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--exclude", "*", "--dirty=+"], cwd=root, capture_output=True, text=True
        )
    except OSError:
        return "-"
    return done.stdout.strip() or "-"
