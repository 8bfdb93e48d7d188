"""Rewrite the generated parts of the documentation; ``docs.py --check`` exits 1 if one is out of date.

A generated part stands between the lines ``<!-- generated -->`` and ``<!-- end -->``; a page may have several.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from neurogen import catalog, formats  # noqa: E402
from neurogen.flow import bench, fit  # noqa: E402
from neurogen.flow.families import families  # noqa: E402
from neurogen.spec import neurons  # noqa: E402
from neurogen.spec.config import CoreConfig, FabricConfig  # noqa: E402

TITLES = {"lut": "LUT", "ff": "FF", "ram": "RAM", "dsp": "DSP"}
BENCH, BITSTREAMS = ROOT / "docs" / "bench.json", ROOT / "docs" / "bitstreams.json"
SCALING, ACTIVITY = ROOT / "docs" / "scaling.json", ROOT / "docs" / "activity.json"
EXAMPLE = FabricConfig(width=4, height=4, core=CoreConfig(values=True, graded=True))
BEGIN, END = "<!-- generated -->\n", "<!-- end -->\n"


def pages() -> dict[Path, list[str]]:
    """Every page with generated parts, and these in their order."""
    found = {
        ROOT / "docs" / "neurons" / f"{neurons.model(record['name']).__name__.rpartition('.')[2]}.md": [
            catalog.neuron_markdown(record)
        ]
        for record in catalog.neuron_models()
    }
    found[ROOT / "docs" / "encoders.md"] = ["\n".join(map(catalog.encoder_markdown, catalog.pixel_encoders()))]
    found[ROOT / "docs" / "link.md"] = [link(json.loads(fit.CALIBRATION.read_text()))]
    found[ROOT / "docs" / "formats.md"] = [formats.markdown(EXAMPLE)]
    found[ROOT / "README.md"] = [
        performance(json.loads(BENCH.read_text())),
        bitstreams(json.loads(BITSTREAMS.read_text())),
    ]
    found[ROOT / "docs" / "performance.md"] = [
        limits(json.loads(BENCH.read_text())),
        scaling(json.loads(SCALING.read_text())),
        activity(json.loads(ACTIVITY.read_text())),
    ]
    return found


def link(record: dict) -> str:
    """What ``scripts/calibrate.py`` recorded of UART and link by themselves."""
    costs = [
        f"{row['link']['lut']} LUTs and {row['link']['ram']} block RAMs on {families()[name].TITLE}"
        for name, row in record.items()
    ]
    yosys = ", ".join(sorted({row["yosys"] for row in record.values()}))
    return f"UART and link take {', '.join(costs)}\n(12 clocks in a bit; {yosys}; `make calibrate` measures this).\n"


def bitstreams(record: list[dict]) -> str:
    """What ``scripts/bitstreams.py`` recorded, as a table."""
    rows = [
        {
            "network": row["network"],
            "board": row["board"],
            "device": row["device"],
            "weights": f"{row['weight_bits']} bits",
            "banks x lanes": f"{row['banks']} x {row['lanes']}",
            **{title: _share(row, kind) for kind, title in TITLES.items()},
            "clock": f"{row['clock_mhz']:.1f} MHz",
            "reached, by seed": " / ".join(f"{seed['fmax_mhz']:.1f}" for seed in row["seeds"]),
        }
        for row in record
    ]
    tools = sorted({version for row in record for version in row["tools"].values()})
    return f"{catalog.markdown_table(rows)}\n\n{', '.join(tools)}; `make bitstreams` measures this.\n"


def _share(row: dict, kind: str) -> str:
    used, available = row["used"][kind], row["available"][kind]
    return f"{used:,} ({used / available:.0%})" if available else "-"


def performance(record: list[dict]) -> str:
    """What ``neurogen bench`` recorded, as a table."""
    return catalog.markdown_table(bench.table(record)) + "\n"


def limits(record: list[dict]) -> str:
    """The slowest path of every row that was routed, as a table."""
    rows = [
        {
            "what": row["title"],
            "reached": f"{row['figures']['fmax_mhz']:.1f} MHz",
            "logic": f"{row['critical']['logic_ns']:.1f} ns",
            "wires": f"{row['critical']['wire_ns']:.1f} ns",
            "cells": str(row["critical"]["cells"]),
            "from": f"`{row['critical']['start']}`",
            "to": f"`{row['critical']['end']}`",
        }
        for row in record
        if not row["skipped"] and row["critical"]
    ]
    return catalog.markdown_table(rows) + "\n"


def scaling(record: dict) -> str:
    """Saturation of the routers' mesh, as a table."""
    rows = [
        {
            "nodes": f"{curve['side']}x{curve['side']}",
            "traffic": curve["pattern"],
            "limit": f"{curve['limit']:.3f}",
            "saturation": f"{curve['saturation']:.3f}",
            "of the limit": f"{curve['saturation'] / curve['limit']:.0%}",
            "latency without load": f"{curve['points'][0]['latency']:.1f}",
        }
        for curve in record["curves"]
    ]
    return f"{catalog.markdown_table(rows)}\n\n{record['simulator']}, seed {record['seed']}; `make scaling`.\n"


def activity(record: dict) -> str:
    """Clocks and toggles of a tick by activity, as two tables."""
    clocks = _by_activity(record["clocks"], "in the Verilog", "simulated_clocks")
    toggles = _by_activity(record["toggles"], "toggles a tick", "toggles")
    how = f"{record['simulator']}, seed {record['seed']}; `make activity`."
    return f"{clocks}\n\n{toggles}\n\n{how}\n"


def _by_activity(points: list[dict], title: str, key: str) -> str:
    return catalog.markdown_table(
        [
            {
                "axons with an event": f"{point['activity']:.0%}",
                "events a tick": f"{point['events']:.0f}",
                "spikes a tick": f"{point['spikes']:.1f}",
                "clocks a tick": f"{point['clocks']:.1f}",
                title: "" if point[key] is None else f"{point[key]:,.1f}",
            }
            for point in points
        ]
    )


def renewed(text: str, parts: list[str]) -> str:
    """``text`` with its generated parts replaced."""
    done = ""
    for part in parts:
        before, _, rest = text.partition(BEGIN)
        _, _, text = rest.partition(END)
        done += before + BEGIN + part + END
    return done + text


def main(arguments: list[str]) -> int:
    stale = [path for path, part in pages().items() if renewed(path.read_text(), part) != path.read_text()]
    if arguments != ["--check"]:
        for path in stale:
            path.write_text(renewed(path.read_text(), pages()[path]))
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} is out of date; make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
