"""The project file: every flag has a key, options agree with the packages they are for, mistakes name their line."""

import dataclasses
import json
from typing import get_args

import click
import pytest

from neurogen.cli import build_parser
from neurogen.compiler.conventions import CHOICES, PRESETS, Options
from neurogen.compiler.quantise import CLIPS, LEAKS, PARAMETERS, RANGES, Quantisation
from neurogen.project import ImportOptions, Project, QuantiseOptions, load
from neurogen.spec.config import Config
from neurogen.spec.errors import InputError

GENERAL = {"config", "set", "help", "network"}


def choices(section: type[Config], name: str) -> tuple[str, ...]:
    found = get_args(section.model_fields[name].annotation)
    return found if isinstance(found[0], str) else get_args(found[0])


def keys(section: type[Config], prefix: str = "") -> set[str]:
    found = set()
    for name, field in section.model_fields.items():
        key = prefix + (field.alias or name)
        found.add(key)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
            found |= keys(field.annotation, f"{key}.")
    return found


def test_every_flag_has_a_key():
    flags = {
        parameter.name.replace("__", ".")
        for verb in build_parser().commands.values()
        for parameter in verb.params
        if isinstance(parameter, click.Option)
    } - GENERAL
    assert {"json", "seed", "simulate.engine", "import.framework"} <= flags
    assert flags <= keys(Project)


@pytest.mark.parametrize(("section", "target"), [(ImportOptions, Options), (QuantiseOptions, Quantisation)])
def test_options_are_those_of_the_compiler(section, target):
    given = [field for field in dataclasses.fields(target) if field.default_factory is dataclasses.MISSING]
    made = [field for field in dataclasses.fields(target) if field not in given]
    fields = {field.name: field.default for field in given} | {field.name: field.default_factory() for field in made}
    assert {
        name: field.get_default(call_default_factory=True) for name, field in section.model_fields.items()
    } == fields
    target(**section().model_dump())


def test_choices_are_those_of_the_compiler():
    assert {name: choices(ImportOptions, name) for name in CHOICES} == CHOICES
    assert choices(ImportOptions, "framework") == tuple(PRESETS)
    assert choices(QuantiseOptions, "clip") == CLIPS
    assert choices(QuantiseOptions, "leak") == LEAKS
    assert choices(QuantiseOptions, "state_range") == RANGES
    assert choices(QuantiseOptions, "parameters") == PARAMETERS


def test_a_file_is_overridden_by_flags(tmp_path):
    (tmp_path / "p.toml").write_text(
        'network = "nets/a.nir"\nseed = 3\n[verify]\nsamples = 4\nsimulators = ["icarus"]\n'
    )
    project = load(tmp_path / "p.toml", {"seed": 5, "verify.allow_silent": True})
    assert project.network == str(tmp_path / "nets" / "a.nir")
    assert (project.seed, project.verify.samples, project.verify.simulators) == (5, 4, ("icarus",))
    assert project.verify.allow_silent and project.fabric is None


LANES = "unknown key 'fabric.core.lanse'; did you mean 'fabric.core.lanes'?"
DECIDE = "simulate.decide: input should be 'count', 'first', 'last' or 'max', not 'best'"
BITS = "quantise.weight_bits: input should be greater than or equal to 1, not 0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 1\nsede = 2\n", "{}:2: unknown key 'sede'; did you mean 'seed'?"),
        ("[fabric.core]\nlanes = 8\nbanks = 3\n", "{}:1: fabric.core: banks is a power of two, not 3"),
        ("[fabric]\nwidth = 2\ncore.lanse = 8\n", "{}:3: " + LANES),
        ("[fabric]\ncore = { lanse = 8 }\n", "{}:2: " + LANES),
        ("[simulate]\ndecide = 'best'\n", "{}:2: " + DECIDE),
        ("\n[quantise]\n\nweight_bits = 0\n", "{}:4: " + BITS),
        ("seed = \n", "{}: not TOML: Invalid value (at line 1, column 8)"),
    ],
)
def test_a_mistake_names_its_line(tmp_path, text, message):
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load(path, {})
    assert str(error.value) == message.format(path)


def test_the_schema_knows_every_key():
    schema = json.dumps(Project.model_json_schema(by_alias=True))
    for key in keys(Project):
        assert f'"{key.rpartition(".")[2]}"' in schema
