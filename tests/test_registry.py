"""Tables of named things, and specs whose fields can be given by name."""

from dataclasses import dataclass

import pytest

from chemvae.errors import SettingsError, UnknownNameError
from chemvae.registry import build, find, make_spec

TABLE = {"logP": 1, "qed": 2}


@dataclass(frozen=True)
class Look:
    width: int = 8
    title: str = ""

    def __post_init__(self):
        if self.width < 1:
            raise SettingsError(f"width must be >= 1, got {self.width}")


def test_a_name_is_found_in_any_case_and_comes_back_as_the_table_spells_it():
    assert find(TABLE, "LOGP", "property") == ("logP", 1)
    assert find({"a": 1, "A": 2}, "A", "letter") == ("A", 2)  # an exact match comes first


def test_an_unknown_name_brings_the_nearest_and_all_choices():
    with pytest.raises(UnknownNameError, match="no property called 'logS'. Did you mean 'logP'\\? Choose one of: logP, qed"):
        find(TABLE, "logS", "property")
    with pytest.raises(UnknownNameError) as caught:
        find(TABLE, "zzzzz", "property")
    assert caught.value.nearest is None and caught.value.choices == ["logP", "qed"]


def test_built_by_name_by_dict_and_passed_through():
    table = {"look": Look}
    assert build(table, "LOOK", "look") == Look()
    assert build(table, {"name": "look", "width": 3}, "look", title="t") == Look(3, "t")
    mine = object()
    assert build(table, mine, "look") is mine


def test_a_spec_and_its_fields_by_name_mean_the_same():
    assert make_spec(Look, None, {}) == Look()
    assert make_spec(Look, None, {"width": 3}) == make_spec(Look, Look(3), {}) == Look(3)
    assert make_spec(Look, Look(3, "old"), {"title": "new"}) == Look(3, "new")


def test_a_spec_is_not_changed_by_what_is_made_of_it():
    given = Look(3)
    make_spec(Look, given, {"width": 9})
    assert given == Look(3)


def test_what_is_no_field_no_spec_or_no_value_is_refused():
    with pytest.raises(UnknownNameError, match="no field of Look called 'widht'. Did you mean 'width'"):
        make_spec(Look, None, {"widht": 1})
    with pytest.raises(SettingsError, match="'smiles' is no Look"):
        make_spec(Look, "smiles", {})
    with pytest.raises(SettingsError, match="width must be >= 1, got 0"):
        make_spec(Look, None, {"width": 0})
