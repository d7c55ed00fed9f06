"""Tokens: what joins, what does not, and that nothing is lost."""

import numpy as np
import pytest

from chemvae.data.tokens.vocabulary import EOS, PAD, SPECIAL, Vocabulary, split_smiles
from chemvae.errors import SettingsError, UnknownTokenError

TRICKY = [
    "C[C@@H](Cl)Br",
    "Sc1ccccc1",
    "Cn1cccc1",
    "[Sc+3].[Cl-]",
    "[nH]1cccc1",
    "[13CH4]",
    "[se]1cccc1",
    "C%12CCCCC%12",
    "[Na+].[O-]c1ccccc1",
    "F/C=C/F",
    "[C:12]",
    "[2H]C",
    "[Cu+2]",
    "N#[N+][O-]",
    "*C",
    "[SiH3]C",
]


@pytest.mark.parametrize("mode", ["character", "atom"])
@pytest.mark.parametrize("smiles", TRICKY)
def test_joining_the_tokens_gives_the_smiles_back(smiles, mode):
    assert "".join(split_smiles(smiles, mode)) == smiles


@pytest.mark.parametrize(
    ("smiles", "tokens"),
    [
        ("Sc1ccccc1", ["S", "c", "1", "c", "c", "c", "c", "c", "1"]),
        ("[Sc]", ["[", "Sc", "]"]),
        ("Cn1cccc1", ["C", "n", "1", "c", "c", "c", "c", "1"]),
        ("[Cl-]Cl", ["[", "Cl", "-", "]", "Cl"]),
        ("[C@H]", ["[", "C", "@", "H", "]"]),
        ("[nH]", ["[", "n", "H", "]"]),
        ("[13CH3]", ["[", "1", "3", "C", "H", "3", "]"]),
        ("C%10%11", ["C", "%10", "%11"]),
        ("[OH-]", ["[", "O", "H", "-", "]"]),
        ("[Os]", ["[", "Os", "]"]),
        ("CBr", ["C", "Br"]),
    ],
)
def test_known_splits(smiles, tokens):
    assert split_smiles(smiles) == tokens


def test_real_molecules_come_back(molecules, vocabulary):
    for smiles in molecules:
        ids = vocabulary.encode(smiles)
        assert vocabulary.decode(ids) == smiles
        assert ids.min() >= len(SPECIAL)


def test_rows_stop_at_the_end_token(vocabulary):
    ids = np.full((1, 9), PAD)
    ids[0, :3] = vocabulary.encode("CCO")
    ids[0, 3] = EOS
    ids[0, 4] = vocabulary.encode("N")[0]
    assert vocabulary.decode_rows(ids) == ["CCO"] == [vocabulary.decode(ids[0])]


def test_unknown_symbol_names_molecule_symbol_and_position(vocabulary):
    with pytest.raises(UnknownTokenError, match=r"'C\[Si\]\(C\)C' holds 'Si' at position 2"):
        vocabulary.encode("C[Si](C)C")
    assert "position 2" in vocabulary.complaint("C[Si](C)C") and vocabulary.complaint("CCO") is None


def test_superset_writes_everything():
    superset = Vocabulary.superset()
    for smiles in TRICKY:
        assert superset.decode(superset.encode(smiles)) == smiles
    assert len(superset) <= 256, "ids fit a byte"


def test_saved_and_loaded_alike(vocabulary):
    assert Vocabulary.from_dict(vocabulary.to_dict()) == vocabulary
    assert Vocabulary.from_smiles(["CCO"], "atom") != Vocabulary.from_smiles(["CCO"])


def test_wrong_modes_and_double_tokens_are_refused():
    with pytest.raises(SettingsError):
        Vocabulary(["C"], mode="word")
    with pytest.raises(SettingsError):
        Vocabulary(["C", "C"])
