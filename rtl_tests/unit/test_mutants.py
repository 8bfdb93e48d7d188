"""The mutants' tables fit the sources that they damage."""

import tomllib

import pytest

from rtl_tests.mutants.__main__ import EXPLANATIONS
from rtl_tests.mutants.chance import Mutation as RandomMutation
from rtl_tests.mutants.hand import MUTATIONS, PACKAGE


def test_the_table_is_long_enough_and_names_are_unique():
    assert len({item.name for item in MUTATIONS}) == len(MUTATIONS) >= 12
    assert len({item.file for item in MUTATIONS}) >= 12


@pytest.mark.parametrize("item", MUTATIONS, ids=lambda item: item.name)
def test_what_is_damaged_stands_once_in_its_file(item):
    assert (PACKAGE / "rtl" / item.file).read_text().count(item.old) == 1
    assert item.new != item.old


def test_every_survivor_has_a_reason():
    assert all(len(reason) > 20 for reason in tomllib.loads(EXPLANATIONS.read_text()).values())


def test_a_random_mutation_is_named_without_its_number():
    command = r"mutate -mode cnot1 -module netlist -cell $flatten\core_0_1.\a.$5 -port Q -portbit 4 -ctrlbit 3"
    assert str(RandomMutation(7, command)) == "cnot1 by 3 core_0_1.a.$5.Q[4]"
    assert str(RandomMutation(8, command + " -wire core_0_1.a.x -wirebit 1")).endswith(".Q[4] core_0_1.a.x[1]")
