"""Each kind of mistake is named for what it is."""

import pytest

from chemvae.evaluation.mistakes import MISTAKES, classify, failures

from .fakes import MemoryModel

PAIRS = [
    ("C[C@H](N)O", "C[C@@H](N)O", "stereo"),
    ("F/C=C/F", "FC=CF", "stereo"),
    ("Cc1ccccc1O", "Cc1cccc(O)c1", "placement"),
    ("CCCO", "CC(C)O", "placement"),
    ("C1CCCCC1", "CC1CCCC1", "isomer"),
    ("Oc1ccccc1", "Nc1ccccc1", "substituents"),
    ("c1ccccc1", "C1CCCCC1", "other"),
    ("c1ccccc1", "C1CC", "syntax"),
    ("c1ccccc1", "c1cccc1", "aromaticity"),
    ("c1ccccc1", "C(C)(C)(C)(C)C", "valence"),
    ("c1ccccc1", "", "syntax"),
    ("c1ccccc1", "C(", "syntax"),
    ("OCC", "CCO", "none"),
]


@pytest.mark.parametrize(("source", "decoded", "kind"), PAIRS)
def test_classify(source, decoded, kind):
    assert classify(source, decoded) == kind
    assert kind == "none" or kind in MISTAKES


def test_a_readable_string_without_end_is_unfinished_and_an_unreadable_one_is_named_by_its_fault():
    assert classify("CCCC", "CC", valid=False) == "unfinished"
    assert classify("CCCC", "C1CC", valid=False) == "syntax"


def test_the_table_lists_exactly_the_molecules_that_do_not_come_back():
    model = MemoryModel(["CCO", "C[C@H](N)O", "CCCC", "CCN"], {"C[C@H](N)O": "CC(N)O", "CCCC": "C1CC"}, unfinished=["CCN"])
    table = failures(model, ["CCO", "C[C@H](N)O", "CCCC", "CCN", "[Xe]"])
    assert table["row"].tolist() == [1, 2, 3, 4]
    assert table["kind"].tolist() == ["stereo", "syntax", "unfinished", "unencodable"]
    assert table["decoded"].tolist() == ["CC(N)O", "C1CC", "CCN", ""]
    assert table["similarity"].tolist()[0] == 1.0 and table["similarity"].isna().tolist() == [False, True, False, True]
    assert "never closed" in table["reason"][1] and "unknown symbol" in table["reason"][3]


def test_a_perfect_model_has_an_empty_table_with_its_columns():
    table = failures(MemoryModel(["CCO"]), ["CCO"])
    assert table.empty and "kind" in table.columns
