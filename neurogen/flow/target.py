"""What a verb works on: a network file, compiled on the spot, or a build directory."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from golden.encoders import Coder

from .. import compiler
from ..host import data
from ..spec.config import FabricConfig
from ..spec.errors import InputError
from ..spec.image import Image
from ..spec.network import Network
from . import emit, measure
from .emit import Emitted

DATA = Path(__file__).resolve().parents[1] / "data"
SHIPPED, SHIPPED_SAMPLES = DATA / "digits.nir", DATA / "digits_test.npz"
MANIFEST = "manifest.json"

Finish = Callable[[Path], dict[str, Any]]
"""Adds a bitstream to a build that is otherwise complete; returns what summary and manifest say of it."""


@dataclass(frozen=True)
class Target:
    """A network, the image of it and the fabric's Verilog.

    ``folded``: the image is in the Verilog's memories; else it has to be loaded. ``origin`` is what the user named.
    ``samples`` are those shipped with the network. ``reasons`` and ``notes`` are sentences for the user.
    """

    name: str
    origin: str
    network: Network
    image: Image
    folded: bool = True
    samples: Path | None = None
    equations: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    directory: Path | None = None
    board_digest: str | None = None
    board_baud: int | None = None

    @property
    def config(self) -> FabricConfig:
        return self.image.config

    @property
    def coder(self) -> Coder | None:
        """The model of the fabric's encoder, if there is one: what reads samples of pixels."""
        return Coder(self.config.encoder) if self.config.encoder else None

    def read(self, path: Path | str, binning: data.Binning | None = None) -> data.Samples:
        """The samples X for this network on this fabric. Raises InputError as :func:`~neurogen.host.data.read` does."""
        return data.read(Path(path), self.network.inputs, binning, self.coder)

    @cached_property
    def emitted(self) -> Emitted:
        """The Verilog: a build directory's own, as it stands there, else made."""
        if self.directory is None:
            return emit.fabric(self.config, self.image if self.folded else None)
        ports = json.loads((self.directory / "rtl" / "ports.json").read_text())
        verilog = (self.directory / "rtl" / f"{ports['top']}.v").read_text()
        return Emitted(ports["top"], verilog, tuple(ports["ports"]))

    @cached_property
    def build_digest(self) -> int:
        """64 bits by which the host knows a board that holds this build: its bitstream's, else of the Verilog."""
        return int(self.board_digest or self.emitted.digest[:16], 16)


def resolve(target: "Target | Path | str | None", options: Mapping[str, Any] | None = None) -> Target:
    """The target that the user named; None is the shipped network.

    ``options`` has what a project file says: ``import``, ``quantise`` and ``size`` (mappings of the fields of
    ``compiler.Options``, ``Quantisation`` and ``Wishes``), ``fabric`` (a FabricConfig or None), ``fit`` (what chooses
    a fabric where none is given; default ``compiler.size``), ``mapping`` (``data``: samples whose activity placement
    should suit; default: those shipped), ``binning`` (how these are read). They do not apply to a build directory.

    Raises InputError for what cannot be read or mapped.
    """
    if isinstance(target, Target):
        return target
    path = SHIPPED if target is None else Path(target)
    if path.is_dir():
        return _open(path)
    return _compile(path, options or {})


def _compile(path: Path, options: Mapping[str, Any]) -> Target:
    source = compiler.read(path, compiler.Options(**options.get("import", {})))
    network = source.network or compiler.quantise(source, compiler.Quantisation(**options.get("quantise", {})))
    wishes = compiler.Wishes(**options.get("size", {}))
    config, reasons = options.get("fabric"), []
    if config is None:
        chosen = options["fit"](network, wishes) if options.get("fit") else compiler.size(network, wishes)
        config, reasons = chosen.config, chosen.reasons
    samples = SHIPPED_SAMPLES if path.resolve() == SHIPPED else None
    shown = options.get("mapping", {}).get("data") or samples
    activity = None
    if shown and config.nodes > 1:
        coder = Coder(config.encoder) if config.encoder else None
        activity = measure.activity(network, data.read(shown, network.inputs, options.get("binning"), coder).inputs)
        reasons = [*reasons, f"cores stand where the activity measured on {Path(shown).name} takes few hops"]
    return Target(
        name=network.name,
        origin="" if samples else str(path),
        network=network,
        image=compiler.compile(network, config, activity=activity),
        folded=not wishes.programmable and not config.core.starts_empty,
        samples=samples,
        equations=source.equations,
        reasons=tuple(reasons),
        notes=tuple(source.notes if source.network else network.metadata["notes"]),
    )


def _open(directory: Path) -> Target:
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        network = Network.load(directory / "image" / "network.npz")
        image = Image.load(directory / "image" / "image.npz")
        return Target(
            name=manifest["name"],
            origin=str(directory),
            network=network,
            image=image,
            folded=manifest["image"]["folded"],
            samples=SHIPPED_SAMPLES if manifest["network"]["shipped"] else None,
            equations=manifest["equations"],
            reasons=tuple(manifest["reasons"]),
            notes=tuple(manifest["notes"]),
            directory=directory,
            board_digest=manifest.get("bitstream", {}).get("build_digest"),
            board_baud=manifest.get("bitstream", {}).get("baud"),
        )
    except FileNotFoundError as error:
        raise InputError(f"{directory}: not a build directory: there is no {Path(error.filename).name}") from None
    except (ValueError, KeyError) as error:
        raise InputError(f"{directory}: not a build directory that this version can read ({error})") from None
