"""Reading and writing molecules: round trips, reasons, cleaning."""

import re

import numpy as np
import pytest
from rdkit import Chem, rdBase

from chemvae.chem.molecules import (
    LONGEST_SMILES,
    MOST_ATOMS,
    canonicalize,
    invalid_reason,
    parse,
    parse_known,
    parse_raw,
    quiet,
    randomize,
    standardize,
)
from chemvae.errors import InvalidMoleculeError, SettingsError

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)[O-]",
    "F/C=C\\Cl",
    "C[N+](C)(C)CC([O-])=O",
    "O=[N+]([O-])c1ccc2[nH]ccc2c1",
    "[13CH3][Si](C)(C)C#N",
    "C1CC2CCC1C2",
    "N[C@@H](Cc1c[nH]c2ccccc12)C(=O)N1CCC[C@H]1C(=O)O",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "CCOC" * 50,
]


@pytest.mark.parametrize("smiles", MOLECULES)
def test_random_writing_is_the_same_molecule(smiles):
    rng = np.random.default_rng(0)
    variants = {randomize(smiles, rng) for _ in range(4)}
    assert {canonicalize(variant) for variant in variants} == {canonicalize(smiles)}


def test_random_writing_varies_and_follows_its_seed():
    first = [randomize(MOLECULES[0], np.random.default_rng(1)) for _ in range(3)]
    rng = np.random.default_rng(1)
    assert len({randomize(MOLECULES[0], rng) for _ in range(20)}) > 5
    assert len(set(first)) == 1


def test_canonical_form_does_not_depend_on_the_order_of_writing():
    assert canonicalize("OC(=O)c1ccccc1OC(C)=O") == canonicalize(MOLECULES[0])
    assert canonicalize("C[C@H](N)O") != canonicalize("C[C@@H](N)O")


@pytest.mark.parametrize("junk", ["", "   ", "C1CC", "c1cccc1", "CC)", "[Na", "Q", "C(C)(C)(C)(C)C", "CC ethane", None, 3.0])
def test_what_is_not_a_molecule_is_none_with_a_reason(junk):
    assert parse(junk) is None
    assert canonicalize(junk) is None
    assert invalid_reason(junk)


@pytest.mark.parametrize(
    ("smiles", "words"),
    [
        ("CC1CC", "ring 1"),
        ("C%12CC", "ring 12"),
        ("C(C", "opened and never closed"),
        ("CC)", "closed and was never opened"),
        ("[NH4", "square bracket"),
        ("CXC", "'X' at position 1"),
        ("F(C)C", "atom 0 (F) has 2 bonds"),
        ("CN(C)(C)C", "atom 1 (N) has 4 bonds"),
        ("c1cccc1", "alternating"),
        ("Ccc", "aromatic atom outside a ring"),
        (float("nan"), "empty"),
        ("CCO ethanol", "blank"),
    ],
)
def test_reasons_name_the_slip(smiles, words):
    assert words in invalid_reason(smiles)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_molecules_have_no_reason(smiles):
    assert invalid_reason(smiles) is None


@pytest.fixture
def log():
    """RDKit's log as it comes: another test's library may have turned it off."""
    rdBase.EnableLog("rdApp.error")


@pytest.mark.usefixtures("log")
def test_reading_is_silent_and_leaves_the_log_as_it_was(capfd):
    parse("C1CC")
    invalid_reason("c1cccc1")
    assert capfd.readouterr().err == ""
    Chem.MolFromSmiles("C1CC")
    assert "C1CC" in capfd.readouterr().err


@pytest.mark.usefixtures("log")
def test_quiet_blocks_nest(capfd):
    with quiet():
        with quiet():
            pass
        Chem.MolFromSmiles("C1CC")
        assert capfd.readouterr().err == ""
    assert "rdApp.error:enabled" in rdBase.LogStatus()


def test_salts_keeps_the_largest_organic_fragment_with_charge_and_stereo():
    assert standardize("[Na+].C[C@H](N)C(=O)[O-]", "salts") == canonicalize("C[C@H](N)C(=O)[O-]")
    assert standardize("Cl.CCN.CCCC[NH3+]", "salts") == "CCCC[NH3+]"


def test_neutral_moves_protons_and_leaves_quaternary_nitrogen():
    assert standardize("C[NH3+].[Cl-]", "neutral") == "CN"
    assert standardize("C[N+](C)(C)C", "neutral") == "C[N+](C)(C)C"
    assert standardize("O=[N+]([O-])c1ccccc1", "neutral") == "O=[N+]([O-])c1ccccc1"


def test_none_changes_nothing_but_the_writing():
    assert standardize("[Na+].OC(=O)C", "none") == canonicalize("CC(=O)O.[Na+]")
    assert standardize("C1", "neutral") is None


def test_unknown_mode_is_a_settings_error():
    with pytest.raises(SettingsError, match="none, salts, neutral"):
        standardize("C", "all")


@pytest.mark.parametrize(
    "text", ["C" * 20_000, "C(" * 20_000, "C(" * 10_000 + "C" + ")" * 10_000, "c1ccccc1" * 5_000, "[" * 30_000]
)
def test_a_string_of_twenty_thousand_characters_is_a_reason_and_not_a_crash(text):
    assert parse(text) is None and canonicalize(text) is None and parse_raw(text) is None
    assert invalid_reason(text) == f"it has {len(text):,} characters; molecules of more than {LONGEST_SMILES:,} are not read"


def test_one_atom_more_than_most_is_too_many():
    assert canonicalize("C" * MOST_ATOMS) == "C" * MOST_ATOMS and invalid_reason("C" * MOST_ATOMS) is None
    assert parse("C" * (MOST_ATOMS + 1)) is None
    assert invalid_reason("C" * (MOST_ATOMS + 1)) == "it has 501 heavy atoms; molecules of more than 500 are not read"


def test_hydrogens_are_not_counted_as_atoms():
    assert parse("[H]" + "C([H])([H])" * 120 + "[H]").GetNumHeavyAtoms() == 120


def test_what_is_known_to_be_a_molecule_and_is_none_is_named_with_the_reason():
    with pytest.raises(InvalidMoleculeError, match="'C1CC' is not a valid molecule: ring 1 is opened and never closed"):
        parse_known("C1CC")


@pytest.mark.parametrize("text", ["CCCC\u041e", "\u0421CCO", "c1ccccc1\u041e", "CC\u00e9", "CCO\u2713", "C\u0421O", "\ud800"])
def test_letters_that_only_look_like_symbols_make_no_molecule(text):
    assert canonicalize(text) is None and parse_raw(text) is None
    assert re.fullmatch(r"'.+' at position \d+ is not a SMILES symbol", invalid_reason(text))


def test_marks_that_nobody_sees_are_left_out():
    assert canonicalize("\ufeffO\u00adCC\u202c") == "CCO" and invalid_reason("\ufeffOCC\u200b") is None
    assert invalid_reason("\u200b") == "the cell is empty"
