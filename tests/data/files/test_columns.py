"""Finding columns and reading cells."""

import logging

import numpy as np
import pandas as pd
import pytest

from chemvae.data.files.columns import (
    find_column,
    find_split_column,
    parse_numbers,
    parse_split,
)
from chemvae.data.files.header import looks_headerless
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.errors import NothingUsableError
from chemvae.tables import write_table


@pytest.mark.parametrize("name", ["smiles", "SMILES", "Canonical_SMILES", "canonical smiles", " Smiles "])
def test_usual_names_are_found_before_any_content(name):
    frame = pd.DataFrame({"reagent": ["CC", "CCC"], name: ["x", "y"]})
    assert find_smiles_column(frame) == name


def test_a_name_with_smiles_in_it_is_taken_if_it_is_the_only_one():
    assert find_smiles_column(pd.DataFrame({"a": ["1"], "SMILES (stereo)": ["C"]})) == "SMILES (stereo)"


def test_exact_smiles_goes_before_solvent_smiles():
    frame = pd.DataFrame({"solvent_smiles": ["O"], "smiles": ["CC"]})
    assert find_smiles_column(frame) == "smiles"


def test_otherwise_the_first_column_that_parses(caplog):
    frame = pd.DataFrame({"id": ["1", "2"], "name": ["aspirin", "x"], "structure": ["CCO", "c1ccccc1"], "other": ["C", "C"]})
    with caplog.at_level(logging.INFO, "chemvae.data.files.molecule_column"):
        assert find_smiles_column(frame, source="a.csv") == "structure"
    assert "a.csv: the SMILES are taken from column 'structure'" in caplog.text


@pytest.mark.parametrize("name", ["smiles", "SMILES", "canonical_smiles"])
def test_nothing_is_said_of_a_column_that_has_the_usual_name(caplog, name):
    with caplog.at_level(logging.INFO, "chemvae.data.files.molecule_column"):
        assert find_smiles_column(pd.DataFrame({name: ["CCO", "CCN"], "y": ["1", "2"]})) == name
    assert not caplog.text


def test_what_is_said_of_a_table_is_said_by_its_reader_and_not_again_where_it_is_written(caplog, tmp_path):
    with caplog.at_level(logging.INFO, "chemvae.data.files.molecule_column"):
        write_table(pd.DataFrame({"structure": ["CCO", "CCN"], "y": [1, 2]}), tmp_path / "out.sdf")
    assert (tmp_path / "out.sdf").read_text().count("$$$$") == 2 and not caplog.text


def test_no_molecules_anywhere_is_said_with_the_columns():
    with pytest.raises(NothingUsableError, match="no valid SMILES.*columns: id, name"):
        find_smiles_column(pd.DataFrame({"id": ["1"], "name": ["aspirin"]}))


def test_a_missing_column_brings_the_nearest_and_all():
    with pytest.raises(NothingUsableError, match="no column 'logp_'. Did you mean 'logP'.*smiles, logP, qed"):
        find_column(["smiles", "logP", "qed"], "logp_", "zinc.csv")


def test_equal_names_but_for_case_are_told_apart():
    assert find_column(["QED", "qed"], "qed") == "qed" and find_column(["QED", "qed"], "QED") == "QED"
    assert find_split_column(["a", "Split"], None) == "Split" and find_split_column(["a"], None) is None


def test_numbers_missing_and_not_numbers():
    values, bad = parse_numbers(["1", " -2.5e-1 ", "", "nan", "N/A", None, float("nan"), "inf", "high", ">10", "1,5"])
    np.testing.assert_array_equal(values[:2], [1, -0.25])
    assert np.isnan(values[2:]).all()
    assert bad.tolist() == [False] * 7 + [True] * 4


@pytest.mark.parametrize("series", [pd.Series([1, 2]), pd.Series([1.0, None]), pd.Series([1, None], dtype="Int64")])
def test_typed_columns_need_no_parsing(series):
    values, bad = parse_numbers(series)
    assert values.dtype == np.float64 and not bad.any()
    assert values[0] == 1


def test_split_words():
    words = ["train", "TRAINING", "val", "dev", " valid ", "Test", "", "holdout", 3]
    assert [parse_split(word) for word in words] == ["train", "train", "valid", "valid", "valid", "test", None, None, None]


def test_a_first_line_of_molecules_is_a_row():
    assert looks_headerless(["C", "methane"], [["CC", "ethane"], ["CCC", "propane"]])
    assert not looks_headerless(["smiles", "C"], [["CC", "CC"]])
    assert not looks_headerless(["CN", "name"], [["4", "x"]])
