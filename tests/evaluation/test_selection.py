"""The choice of molecules: fixed by their hash, with their labels, whatever the order of the file."""

import hashlib

import numpy as np
import pandas as pd

from chemvae.evaluation.roundtrip import Canonical
from chemvae.evaluation.selection import select_molecules


def test_of_too_many_molecules_the_lowest_sha1_are_taken_with_their_labels():
    smiles = ["C" * n for n in range(1, 30)]
    table, n_failed = select_molecules(smiles, {"n": range(1, 30)}, 7, Canonical())
    expected = sorted(smiles, key=lambda s: hashlib.sha1(s.encode()).hexdigest())[:7]
    assert table["smiles"].tolist() == expected and n_failed == 0
    assert table["n"].tolist() == [len(s) for s in expected]


def test_the_choice_does_not_depend_on_the_order_or_the_writing():
    forward = ["C" * n + "O" for n in range(1, 30)]
    backward = ["O" + "C" * n for n in range(29, 0, -1)]
    chosen = [select_molecules(smiles, None, 5, Canonical())[0]["smiles"].tolist() for smiles in (forward, backward)]
    assert chosen[0] == chosen[1]


def test_a_small_file_keeps_its_order_and_unreadable_labels_are_missing():
    labels = pd.DataFrame({"logP": ["1.5", "n/a", None]})
    table, n_failed = select_molecules(["CCN", "C", "CO"], labels, 5, Canonical())
    assert table["smiles"].tolist() == ["CCN", "C", "CO"] and n_failed == 0
    np.testing.assert_array_equal(table["logP"], [1.5, np.nan, np.nan])


def test_strings_that_are_no_molecules_are_counted_and_take_their_labels_with_them():
    table, n_failed = select_molecules([None, "C1", "CO", float("nan"), ""], {"x": [1, 2, 3, 4, 5]}, 5, Canonical())
    assert table.to_dict("list") == {"smiles": ["CO"], "x": [3.0]} and n_failed == 4


def test_labels_given_in_python_are_read_as_those_of_files():
    labels = {"y": ["−1.5", True, "2024-01-01"]}
    table, _ = select_molecules(["CCO", "CCN", "CCC"], labels, 5, Canonical())
    assert table["y"].iloc[0] == -1.5 and table["y"].iloc[1:].isna().all()
