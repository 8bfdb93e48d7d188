"""Adding a thing touches one stem: a model that lacks one of its sides is named here."""

from pathlib import Path

import pytest

import golden
import neurogen
from neurogen import catalog
from neurogen.spec import neurons, registry, synapses
from neurogen.spec.config import CoreConfig
from neurogen.spec.errors import InputError

ROOT = Path(neurogen.__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "neurons"
HOUSES = {
    "specification": Path(neurogen.__file__).parent / "spec",
    "golden model": Path(golden.__file__).parent,
    "hardware": Path(neurogen.__file__).parent / "rtl",
}
SIDES = {side: house / "neurons" for side, house in HOUSES.items()}
STORES = {side: house / "synapses" for side, house in HOUSES.items()}


def stems() -> list[str]:
    return [module.__name__.rpartition(".")[2] for module in neurons.models().values()]


def missing_sides(stem: str) -> list[str]:
    files = {side: folder / f"{stem}.py" for side, folder in SIDES.items()}
    files["documentation"] = PAGES / f"{stem}.md"
    return [f"{side} of neuron model {stem!r}: {file} is missing" for side, file in files.items() if not file.exists()]


def test_the_three_first_models_are_found():
    assert {"if", "lif", "cuba_lif"} <= set(neurons.models())


@pytest.mark.parametrize("stem", stems())
def test_a_neuron_model_has_all_its_sides(stem):
    assert missing_sides(stem) == []


def test_a_missing_side_is_named():
    assert [line.split(":")[0] for line in missing_sides("nothing")] == [
        f"{side} of neuron model 'nothing'" for side in (*SIDES, "documentation")
    ]


def missing_store_sides(stem: str) -> list[str]:
    files = {side: folder / f"{stem}.py" for side, folder in STORES.items()}
    return [f"{side} of synapse store {stem!r}: {file} is missing" for side, file in files.items() if not file.exists()]


def test_the_three_first_stores_are_found():
    assert {"dense", "conv", "sparse"} <= set(synapses.stores())


@pytest.mark.parametrize("store", synapses.stores().values(), ids=lambda store: store.NAME)
def test_a_synapse_store_has_all_its_sides_and_is_described(store):
    assert missing_store_sides(store.__name__.rpartition(".")[2]) == []
    assert store.SUMMARY and store.WALK.strip()
    assert store.synapse(CoreConfig(store=store.NAME)).fields[0].name == "weight"


def test_a_missing_side_of_a_store_is_named():
    assert [line.split(":")[0] for line in missing_store_sides("nothing")] == [
        f"{side} of synapse store 'nothing'" for side in STORES
    ]


@pytest.mark.parametrize("model", neurons.models().values(), ids=lambda model: model.NAME)
def test_a_model_is_described_completely(model):
    assert model.SUMMARY and model.EQUATION and model.SOURCE
    widths = {state.name: state.bits for state in model.STATE}
    assert "v" in widths
    for parameter in model.PARAMETERS:
        assert parameter.doc
        assert parameter.parse(parameter.default, widths, model.NAME) == parameter.default


@pytest.mark.parametrize("record", catalog.neuron_models(), ids=lambda record: record["name"])
def test_the_documentation_shows_what_the_code_says(record):
    """`make docs` rewrites the generated part of a page."""
    stem = neurons.model(record["name"]).__name__.rpartition(".")[2]
    assert catalog.neuron_markdown(record) in (PAGES / f"{stem}.md").read_text()


def test_two_modules_of_one_name_are_refused(tmp_path, monkeypatch):
    package = tmp_path / "twins"
    package.mkdir()
    for stem in ("__init__", "one", "two"):
        (package / f"{stem}.py").write_text("" if stem == "__init__" else "NAME = 'same'\n")
    monkeypatch.syspath_prepend(tmp_path)
    import twins

    with pytest.raises(ValueError, match=r"twins\.two and twins\.one are both called 'same'"):
        registry.scan(twins)


def test_what_is_not_there_is_said_with_what_is():
    assert registry.pick({"a": 1, "b": 2}, "b", "letter") == 2
    with pytest.raises(InputError, match=r"^there is no letter 'c'; there are a, b$"):
        registry.pick({"a": 1, "b": 2}, "c", "letter")
