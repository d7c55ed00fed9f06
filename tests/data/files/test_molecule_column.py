"""Which column holds the molecules."""

import pandas as pd
import pytest

from chemvae.data.files.molecule_column import find_smiles_column

DRUGS = ["CC(=O)Nc1ccc(O)cc1", "c1ccccc1O", "CCOC(=O)c1ccccc1", "CCN"]


@pytest.mark.parametrize(
    ("name", "cells"),
    [("hit", list("NNYN")), ("element", list("CNOS")), ("chain", list("ABCB")), ("country", ["NO", "CN", "CO", "IN"])]
    + [("smiles", list("YNYN")), ("SMILES", ["ethanol", "phenol", "", "x"])],
)
def test_words_that_are_also_molecules_do_not_win(name, cells):
    assert find_smiles_column(pd.DataFrame({name: cells, "structure": DRUGS})) == "structure"


def test_a_column_called_smiles_wins_over_larger_molecules_beside_it():
    assert find_smiles_column(pd.DataFrame({"product": DRUGS, "smiles": ["CO", "CN", "C1CC", ""]})) == "smiles"


def test_molecules_below_many_empty_cells_are_found():
    frame = pd.DataFrame({"id": range(300), "drug": [""] * 290 + DRUGS * 2 + ["CO", "C"]})
    assert find_smiles_column(frame) == "drug"
