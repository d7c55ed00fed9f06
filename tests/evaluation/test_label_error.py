"""A tuned predictor stands beside the one that is simply fitted to its table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chemvae import api
from chemvae.data.catalog.locate import load_dataset
from chemvae.data.prepare.tables import load_table
from chemvae.evaluation.label_error import LabelError, _test_rows, measure_label_errors
from chemvae.runs import RunFolder
from chemvae.training.inputs import choose_split
from tests.evaluation.test_head_start import SMALL


def test_both_are_measured_on_molecules_by_which_nothing_was_chosen(tmp_path):
    library = load_dataset("virtual-drugs", limit=60)["smiles"].tolist()
    parts = ["train"] * 40 + ["valid"] * 12 + ["test"] * 8
    rows = [f"{one},{len(one)},{part}\n" for one, part in zip(library, parts, strict=True)]
    (tmp_path / "table.csv").write_text("smiles,size,split\n" + "".join(rows))
    api.train(tmp_path / "table.csv", (), "tiny", tmp_path / "base", **SMALL)
    tuned = api.train(tmp_path / "table.csv", ["size"], "tiny", tmp_path / "tuned", init=tmp_path / "base", **SMALL)
    (found,) = measure_label_errors(RunFolder(tmp_path / "tuned"))
    truth = np.array([len(one) for one in library[52:]])
    off = np.sqrt(np.mean((tuned.predict(library[52:])["size"] - truth) ** 2))
    assert found.n_molecules == 8 and not found.is_flattered and found.tuned == pytest.approx(off, rel=1e-3)
    assert found.fitted < found.spread and found.use_fitted and "Use predict --fit" in found.sentence()
    assert measure_label_errors(RunFolder(tmp_path / "base")) == []


def test_a_small_table_without_parts_has_no_test_molecules_left():
    library = load_dataset("virtual-drugs", limit=60)
    table = load_table(pd.DataFrame({"smiles": library["smiles"], "y": range(60)}), properties=["y"])
    train, valid = choose_split(table, 0)
    assert len(train) == len(valid) == 60 and not len(_test_rows(table, 0))
    named = replace(table, split=np.array(["train"] * 45 + ["valid"] * 10 + ["test"] * 5))
    assert _test_rows(named, 0).tolist() == [55, 56, 57, 58, 59]
    again = replace(named, smiles=[*table.smiles[:59], table.smiles[0]])
    assert _test_rows(again, 0).tolist() == [55, 56, 57, 58], "what was trained on is no test, also where it stands twice"


def test_where_the_epoch_was_chosen_by_the_same_molecules_it_is_said():
    said = LabelError("y", 9, 0.5, 0.6, 1.0, is_flattered=True).sentence()
    assert "9 validation molecules, by which the best epoch was chosen too" in said and "flattered" in said


def test_it_says_which_to_use():
    assert "Use this model." in LabelError("y", 9, 0.5, 0.6, 1.0).sentence()
    said = LabelError("S1 (eV)", 9, 0.6, 0.5, 1.0).sentence("data/my oleds")
    assert "--oracle 'fit:data/my oleds#S1 (eV)'." in said, "a shell is to read it as one word"
    assert "--oracle fit:data/mine#y." in LabelError("y", 9, 0.6, 0.5, 1.0).sentence("data/mine")
    assert "fit:TABLE#y" in LabelError("y", 9, 0.6, 0.5, 1.0).sentence()
    assert "Neither" in LabelError("y", 9, 1.2, 1.1, 1.0).sentence()
