"""Contents of block RAMs: found in a routed design by their random bits, exchanged there, refused if missing."""

import dataclasses
import json

import numpy as np
import pytest

from neurogen import compiler
from neurogen.flow import patch
from neurogen.flow.families import families
from neurogen.flow.target import resolve
from neurogen.spec.config import FabricConfig
from neurogen.spec.errors import InputError, ToolError
from neurogen.spec.image import Image
from neurogen.spec.network import Network

SEED = 7


@pytest.fixture(scope="module")
def image() -> Image:
    """The shipped network's image in block RAM."""
    target = resolve(None, {"size": {"lanes": 4, "banks": 2, "update_lanes": 1}})
    core = target.config.core.model_dump() | {"image_memories": "block"}
    config = FabricConfig.parse(target.config.model_dump() | {"core": core})
    return compiler.compile(target.network, config)


def reversed_weights(network: Network) -> Network:
    """The same network with its weights in another order."""
    projections = [dataclasses.replace(p, weights=p.weights[::-1].copy()) for p in network.projections]
    return dataclasses.replace(network, projections=tuple(projections))


def place(family, image: Image, layout_number: int, drop: bool = False) -> str:
    """A routed design that holds ``image``: slices of its memories' columns in block RAMs, in a random order."""
    generator, layout = np.random.default_rng(SEED), family.LAYOUTS[layout_number]
    rows, width = layout.shape
    slices = []
    for memory in patch.memories(image):
        for first in range(0, len(memory), rows):
            part = memory[first : first + rows]
            slices += list(np.pad(part, ((0, rows - len(part)), (0, 0))).T)
    slices = [slices[i] for i in generator.permutation(len(slices))][drop:]
    size = 4096 if family.NAME == "ice40" else 18432
    blocks = []
    for first in range(0, len(slices), width):
        bits = np.zeros(size, dtype=np.uint8)
        for column, content in enumerate(slices[first : first + width]):
            bits[layout[:, column]] = content
        blocks.append(bits)
    blocks.append(np.zeros(size, dtype=np.uint8))  # a memory that is not of the image
    return render(family, blocks)


def render(family, blocks: list[np.ndarray]) -> str:
    """The text of a routed design with these block RAMs, among other things."""
    if family.NAME == "ice40":
        empty = [f".ram_data {i} 1\n" + "0" * 64 + "\n" for i in range(len(blocks))]
        empty = [text.replace("0" * 64 + "\n", ("0" * 64 + "\n") * 16) for text in empty]
        keys = [f"{i} 1" for i in range(len(blocks))]
    elif family.NAME == "gowin":
        keys = [f"ram {i}" for i in range(len(blocks))]
        cell = {"attributes": {"BSRAM_SUBTYPE": "X9"}, "parameters": {}}
        cells = {key: cell | {"parameters": {}} for key in keys} | {"lut": {"attributes": {}}}
        contents = dict(zip(keys, blocks, strict=True))
        return family.with_memories(json.dumps({"modules": {"top": {"cells": cells}}}), contents)
    else:
        empty = [f".bram_init {i + 3}\n" + (" ".join(["000"] * 8) + "\n") * 256 for i in range(len(blocks))]
        keys = [str(i + 3) for i in range(len(blocks))]
    text = ".comment before\n\n" + "\n".join(empty) + "\n.sym 1 after\n"
    return family.with_memories(text, dict(zip(keys, blocks, strict=True)))


@pytest.mark.parametrize(
    ("name", "layout"),
    [(name, number) for name, family in families().items() for number in range(len(family.LAYOUTS))],
)
def test_contents_are_found_and_exchanged(name, layout, image):
    family = families()[name]
    routed = place(family, patch.drawn(image, SEED), layout)
    places = patch.locate(family, routed, patch.drawn(image, SEED))
    assert patch.patched(family, routed, places, image) == place(family, image, layout)
    assert patch.contents(image).any()


def test_drawn_contents_depend_on_the_seed_and_not_on_the_image(image):
    other = compiler.compile(reversed_weights(resolve(None).network), image.config)
    assert not np.array_equal(patch.contents(image), patch.contents(other))
    first, second = patch.drawn(image, 1), patch.drawn(other, 1)
    assert first.digest == second.digest != patch.drawn(image, 2).digest
    assert np.array_equal(patch.contents(first), patch.contents(second))
    assert not np.array_equal(patch.contents(first), patch.contents(patch.drawn(image, 2)))
    assert 0.45 < patch.contents(first).mean() < 0.55


def test_contents_that_are_nowhere_are_refused(image):
    family = families()["ice40"]
    routed = place(family, patch.drawn(image, SEED), 0, drop=True)
    with pytest.raises(ToolError, match=r"^(64|96|128|256) of \d+ bits of the image are in no block RAM"):
        patch.locate(family, routed, patch.drawn(image, SEED))


def test_places_survive_a_file(tmp_path, image):
    family, drawn = families()["ice40"], patch.drawn(image, SEED)
    routed = place(family, drawn, 0)
    places = patch.locate(family, routed, drawn)
    places.save(tmp_path / "places.npz")
    assert patch.patched(family, routed, patch.Places.load(tmp_path / "places.npz"), image) == place(family, image, 0)
    with pytest.raises(
        InputError, match=r"none\.npz: not there; only a bitstream with its image inside can be updated$"
    ):
        patch.Places.load(tmp_path / "none.npz")


def test_image_of_another_size_is_refused(image):
    family, drawn = families()["ice40"], patch.drawn(image, SEED)
    routed = place(family, drawn, 0)
    smaller = resolve(None, {"size": {"lanes": 4, "banks": 1, "update_lanes": 1}, "quantise": {"weight_bits": 4}}).image
    with pytest.raises(InputError, match=r"^the image has \d+ bits and the bitstream has room for \d+$"):
        patch.patched(family, routed, patch.locate(family, routed, drawn), smaller)


def test_what_differs_besides_integers_is_named(image):
    changed = dict(vars(image))
    assert patch.difference(image, image) is None
    assert patch.difference(image, Image(**changed | {"step_ticks": 2})) == "the ticks per step (1, now 2)"
    assert patch.difference(image, Image(**changed | {"depth": 9})) == f"the depth in ticks ({image.depth}, now 9)"
    config = FabricConfig.parse(image.config.model_dump() | {"queue_depth": 4})
    assert patch.difference(image, Image(**changed | {"config": config})) == "the fabric"
