"""From a table to token data sets: nothing lost, nothing mixed up."""

import numpy as np
import pytest

from chemvae.data.prepare.tables import load_table
from chemvae.data.splits import hash_split
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.training.inputs import choose_split, choose_vocabulary, make_inputs


def table_of(smiles, labels=None):
    import pandas as pd

    labels = range(len(smiles)) if labels is None else labels
    return load_table(pd.DataFrame({"smiles": smiles, "y": labels}), properties=["y"])


def test_labels_stay_with_their_molecules_when_some_cannot_be_written():
    table = table_of(["CCO", "CN", "CCCO", "C", "CS", "OC"])
    split = np.array([0, 1, 2]), np.array([3, 4, 5])
    inputs = make_inputs(table, split, Vocabulary(["C", "O"]), random_smiles=0.0)
    assert list(inputs.train.smiles) == ["CCO", "CCCO"] and inputs.train.labels[:, 0].tolist() == [0, 2]
    assert list(inputs.valid.smiles) == ["C", "CO"] and inputs.valid.labels[:, 0].tolist() == [3, 5]
    assert inputs.unwritable == {"unknown symbol (train)": 1, "unknown symbol (valid)": 1}
    assert inputs.train.labels.dtype == np.float64


def test_without_a_molecule_to_train_on_there_is_a_sentence():
    table = table_of(["CN", "CS"])
    with pytest.raises(NothingUsableError, match="No molecule is left for training"):
        make_inputs(table, (np.array([0]), np.array([1])), Vocabulary(["C"]), random_smiles=0.0)


def test_the_hash_rule_splits_what_brings_no_split():
    smiles = ["C" * i + "O" for i in range(1, 400)]
    table = table_of(smiles)
    train, valid = choose_split(table, seed=0)
    assert [table.smiles[i] for i in train] == [one for one in table.smiles if hash_split(one) == "train"]
    assert [table.smiles[i] for i in valid] == [one for one in table.smiles if hash_split(one) == "valid"]


def test_the_vocabulary_holds_what_occurs_and_an_old_one_keeps_its_ids(molecules):
    assert choose_vocabulary(molecules) == Vocabulary.from_smiles(molecules)
    base = Vocabulary(["O", "C"])
    grown = choose_vocabulary(["CCN", "[Na+]"], base=base)
    assert grown.tokens[: len(base)] == base.tokens and set(grown.tokens[len(base) :]) == {"N", "[", "Na", "+", "]"}
    with pytest.raises(SettingsError, match="data or superset"):
        choose_vocabulary(molecules, kind="all")
