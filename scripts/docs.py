"""Rewrite the generated parts of the documentation; ``docs.py --check`` exits 1 if one is out of date.

A generated part stands between the lines ``<!-- generated -->`` and ``<!-- end -->``; a page may have several.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from neurogen import catalog, formats  # noqa: E402
from neurogen.spec import neurons  # noqa: E402
from neurogen.spec.config import CoreConfig, FabricConfig  # noqa: E402

TITLES = {"lut": "LUT", "ff": "FF", "ram": "RAM", "dsp": "DSP"}
NAMES = {"ecp5": "ECP5", "ice40": "iCE40"}
COSTS, BITSTREAMS = ROOT / "docs" / "costs.json", ROOT / "docs" / "bitstreams.json"
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
    found[ROOT / "docs" / "formats.md"] = [formats.markdown(EXAMPLE)]
    found[ROOT / "README.md"] = [
        costs(json.loads(COSTS.read_text())),
        bitstreams(json.loads(BITSTREAMS.read_text())),
    ]
    return found


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


def costs(record: dict) -> str:
    """What ``scripts/costs.py`` recorded, as a table."""
    return (
        catalog.markdown_table(
            [
                {
                    "core": row["core"],
                    "axons x neurons": f"{row['axons']} x {row['neurons']}",
                    "model": row["model"],
                    "weights": f"{row['weight_bits']} bits",
                    "banks x lanes": f"{row['banks']} x {row['lanes']}",
                    "operations": row["banks"] * row["lanes"],
                    **{f"{NAMES[family]}: LUT / FF / RAM / DSP": _resources(row[family]) for family in NAMES},
                }
                for row in record["cores"]
            ]
        )
        + f"\n\nyowasp-yosys {record['yosys']}; `make costs` measures this.\n"
    )


def _resources(found: dict[str, int]) -> str:
    return " / ".join(f"{found[kind]:,}" for kind in ("lut", "ff", "ram", "dsp"))


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
