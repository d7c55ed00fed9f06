"""Each cell is a canonical molecule, or has a reason and what exactly is wrong."""

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.data.prepare.cleaning import EMPTY, INVALID, UNKNOWN_SYMBOL, Clean, check_symbols, clean_cell, clean_smiles


@pytest.mark.parametrize("raw", ["OCC", "C(O)C", "[CH3][CH2][OH]", " CCO "])
def test_every_way_to_write_a_molecule_gives_one_text(raw):
    assert clean_smiles(raw) == Clean("CCO")


def test_stereo_charge_and_isotopes_are_kept():
    for smiles in ("C[C@H](N)C(=O)[O-]", "C/C=C/C", "[2H]C([2H])([2H])O"):
        assert clean_smiles(smiles).smiles == canonicalize(smiles)


@pytest.mark.parametrize("raw", ["", "   ", None, np.nan, pd.NA])
def test_an_empty_cell_is_called_so(raw):
    assert clean_smiles(raw) == Clean(None, EMPTY, "the cell is empty")


@pytest.mark.parametrize(
    ("raw", "words"), [("C1CC", "ring 1 is opened and never closed"), ("C(C)(C)(C)(C)C", "C"), ("Q", ""), (7, "")]
)
def test_what_is_no_molecule_says_why(raw, words):
    clean = clean_smiles(raw)
    assert clean.smiles is None and clean.reason == INVALID and words in clean.detail and clean.detail


def test_modes_do_what_they_say():
    salt = "[Na+].CC(=O)[O-]"
    found = {mode: clean_smiles(salt, mode).smiles for mode in ("none", "salts", "neutral")}
    assert found == {"none": canonicalize(salt), "salts": "CC(=O)[O-]", "neutral": "CC(=O)O"}


def test_cleaning_twice_is_cleaning_once():
    for mode in ("none", "salts", "neutral"):
        for raw in ("[Na+].CC(=O)[O-]", "c1cc([nH+]cc1)C", "OCC"):
            once = clean_smiles(raw, mode).smiles
            assert clean_smiles(once, mode).smiles == once


def test_symbols_are_checked_on_the_canonical_text_and_only_there():
    asked = []

    def complain(smiles):
        asked.append(smiles)
        return "holds 'O'" if "O" in smiles else None

    assert clean_smiles("OCC", symbol_check=complain) == Clean(None, UNKNOWN_SYMBOL, "holds 'O'")
    assert clean_smiles("CC", symbol_check=complain) == Clean("CC")
    assert clean_smiles("C1CC", symbol_check=complain).reason == INVALID
    assert asked == ["CCO", "CC"]
    assert check_symbols(Clean("CCO"), None) == Clean("CCO")


def test_a_cell_without_a_text_is_empty():
    assert clean_cell("whatever", None).reason == EMPTY
