"""Added columns never take a name that is there, and never stand under the name of another quantity."""

import itertools

import pytest

from chemvae.naming import extra_stem, name_columns, property_stem

WORDS = ["X", "X_std", "distance", "similarity", "reason", "smiles", "row", "valid", "X_predicted"]


@pytest.mark.parametrize("properties", [list(pair) for pair in itertools.permutations(WORDS, 2)])
def test_names_are_distinct_and_a_property_has_its_own_or_none_of_another(properties):
    stems = [*map(property_stem, properties), extra_stem("distance", properties), extra_stem("reason", properties)]
    taken = ["smiles", "row"]
    for _ in range(3):
        names = name_columns(stems, taken)
        assert len(set(names)) == len(names) and not set(names) & set(taken)
        for i, name in enumerate(properties):
            others = set(properties) - {name}
            assert names[2 * i] not in others and names[2 * i + 1] not in others
            assert names[2 * i].startswith(name) and names[2 * i + 1].endswith("_std")
        taken = [*taken, *names]


def test_a_property_and_what_belongs_to_it_go_together():
    assert name_columns([property_stem("a")], ["a_std"]) == ["a_predicted", "a_predicted_std"]
