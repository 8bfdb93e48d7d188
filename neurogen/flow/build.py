"""A network to a build directory: Verilog, image, report, manifest. All of it or nothing."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ..formats import c_header
from ..spec import memory_map
from ..spec.errors import InputError
from ..spec.fields import bits_to_ints
from ..spec.image import Image
from . import cache as store
from . import report
from .emit import source_digest, versions
from .target import MANIFEST, SHIPPED_SAMPLES, Finish, Target, resolve

FORMAT = 1
SOURCES = ("spec", "host", "flow", "compiler", "../golden")


@dataclass(frozen=True)
class BuildResult:
    """``directory`` holds the build; ``summary`` is what its report says; ``manifest`` how it came about."""

    directory: Path
    summary: dict[str, Any]
    manifest: dict[str, Any]


def build(
    target: Target | Path | str | None,
    out: Path | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    finish: Finish | None = None,
) -> BuildResult:
    """Build ``target`` (see :func:`~neurogen.flow.target.resolve`) in ``out``, by default ``build/<name>``.

    ``finish`` adds a bitstream (see :mod:`~neurogen.flow.on_board`).

    An earlier build there is replaced when the new one is complete. Verilog and report come from the cache if they were
    made before.

    Raises InputError for what the user gave, and if ``out`` is something else than a build; ToolError if the back end
    fails.
    """
    target = resolve(target, options)
    if target.directory is not None:
        raise InputError(f"{target.directory} is a build directory; a network file is what can be built")
    out = Path(out) if out is not None else Path("build") / target.name
    if out.exists() and not (out / MANIFEST).exists():
        raise InputError(f"{out} exists and is no build directory; choose another with -o")
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        result = _fill(partial, target, seed, finish)
        _install(partial, out)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return BuildResult(out, *result)


def _install(partial: Path, out: Path) -> None:
    previous = out.with_name(f"{partial.name}.previous")
    if out.exists():
        out.rename(previous)
    partial.rename(out)
    shutil.rmtree(previous, ignore_errors=True)


def _fill(folder: Path, target: Target, seed: int, finish: Finish | None) -> tuple[dict[str, Any], dict[str, Any]]:
    emitted = target.emitted
    _write(folder / "rtl" / f"{emitted.top}.v", emitted.verilog)
    _write(folder / "rtl" / "ports.json", emitted.ports_json)
    _write(folder / "rtl" / f"{emitted.top}.h", c_header(target.config))
    (folder / "image").mkdir()
    target.image.save(folder / "image" / "image.npz")
    target.network.save(folder / "image" / "network.npz")
    for name, text in memory_files(target.image).items():
        _write(folder / "image" / name, text)
    found, manifest = _report(target), _manifest(target, seed)
    if finish:
        found.summary["bitstream"] = manifest["bitstream"] = finish(folder)
    found.write(folder / "report")
    _write(folder / MANIFEST, _json(manifest))
    return found.summary, manifest


def _report(target: Target) -> report.Report:
    """The report; measuring takes a while, so it is kept."""
    parts = [target.network.digest, target.image.digest, str(target.samples is not None), str(target.folded)]
    texts = [json.dumps([dict(target.equations), target.reasons, target.notes]), source_digest(SOURCES)]
    key = store.digest("report", *parts, *texts, *versions().values(), metadata.version("matplotlib"))

    def make(folder: Path) -> None:
        samples = None if target.samples is None else target.read(target.samples)
        report.make(target, samples).write(folder)

    return report.Report.read(store.entry("report", key, make))


def _manifest(target: Target, seed: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": target.name,
        "seed": seed,
        "versions": versions(),
        "config": target.config.model_dump(),
        "equations": dict(target.equations),
        "reasons": list(target.reasons),
        "notes": list(target.notes),
        "network": {"shipped": target.samples == SHIPPED_SAMPLES, "digest": target.network.digest},
        "image": {"folded": target.folded, "digest": target.image.digest},
        "verilog": {"top": target.emitted.top, "digest": target.emitted.digest},
    }


def memory_files(image: Image) -> dict[str, str]:
    """Every memory of every core for $readmemh: file name -> one row of hexadecimal digits on each line."""
    files = {}
    for index, core in enumerate(image.cores):
        y, x = divmod(index, image.config.width)
        for region, banks in core.region_bits(image.config).items():
            shape = memory_map.shapes(image.config)[region]
            digits = -(-shape.width // 4)
            for bank, bits in enumerate(banks):
                name = f"core_{x}_{y}.{region.name.lower()}" + (f".{bank}" if shape.banks > 1 else "")
                files[f"{name}.hex"] = "".join(f"{row:0{digits}x}\n" for row in bits_to_ints(bits))
    return files


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
