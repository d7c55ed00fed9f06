"""Rows of one molecule that do not agree are told of, by the names of the compounds."""

import logging

import pandas as pd

from chemvae.data.prepare.checking import check, number_columns
from chemvae.data.prepare.preparation import prepare

ROWS = pd.DataFrame(
    {
        "Compound ID": ["A-1", "A-2", "A-3", "A-4", "A-5"],
        "smiles": ["CCO", "OCC", "CCN.Cl", "NCC", "CCC"],
        "pIC50": ["5", "7.5", "4", ">6", "3"],
    }
)


def test_two_measurements_far_apart_are_told_with_the_names_of_the_compounds(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="chemvae"):
        prepare(ROWS, tmp_path / "out")
    assert "values of 'pIC50' for one molecule differ by up to 2.5 (A-1 and A-2)" in caplog.text


def test_a_number_against_a_bound_of_the_same_molecule_is_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="chemvae"):
        prepare(ROWS, tmp_path / "out")
    assert "a number and a bound of 'pIC50' contradict each other (A-3 and A-4)" in caplog.text


def test_rows_that_agree_are_passed_over_in_silence(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="chemvae"):
        prepare(ROWS.assign(pIC50=["5", "5", "4", ">3", "3"]), tmp_path / "out")
    assert "differ" not in caplog.text and "contradict" not in caplog.text


def test_merged_rows_say_which_compounds_they_were(tmp_path):
    prepare(ROWS, tmp_path / "out")
    merged = pd.read_csv(tmp_path / "out" / "merged.csv").set_index("smiles")["ids"]
    assert merged.to_dict() == {"CCO": "A-1; A-2", "CCN": "A-3; A-4"}


def test_stripped_salts_are_counted(tmp_path):
    assert prepare(ROWS, tmp_path / "out").n_stripped == 1
    assert prepare(ROWS, tmp_path / "whole", standardize="none").n_stripped == 0


def test_an_empty_cell_of_a_workbook_is_empty_and_no_word_none(tmp_path):
    table = pd.DataFrame({"smiles": ["CCO", None], "y": [1.0, 2.0]})
    prepare(table, tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "dropped.csv", keep_default_na=False)["smiles"].tolist() == [""]
    assert [offence.smiles for offence in check(table).offences] == [""]


def test_the_columns_that_can_be_labels_are_found_without_names_and_numbers_of_compounds():
    assert number_columns(ROWS.assign(**{"Compound ID": [1, 2, 3, 4, 5], "split": "train"})) == ["pIC50"]
