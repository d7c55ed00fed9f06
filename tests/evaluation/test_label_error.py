"""A tuned predictor stands beside the one that is simply fitted to its table."""

import numpy as np
import pytest

from chemvae import api
from chemvae.data.catalog.locate import load_dataset
from chemvae.evaluation.label_error import LabelError, measure_label_errors
from chemvae.runs import RunFolder
from tests.evaluation.test_head_start import SMALL


def test_both_are_measured_on_the_same_held_out_molecules(tmp_path):
    library = load_dataset("virtual-drugs", limit=60)["smiles"].tolist()
    parts = ["train"] * 40 + ["valid"] * 20
    rows = [f"{one},{len(one)},{part}\n" for one, part in zip(library, parts, strict=True)]
    (tmp_path / "table.csv").write_text("smiles,size,split\n" + "".join(rows))
    api.train(tmp_path / "table.csv", (), "tiny", tmp_path / "base", **SMALL)
    tuned = api.train(tmp_path / "table.csv", ["size"], "tiny", tmp_path / "tuned", init=tmp_path / "base", **SMALL)
    (found,) = measure_label_errors(RunFolder(tmp_path / "tuned"))
    truth = np.array([len(one) for one in library[40:]])
    off = np.sqrt(np.mean((tuned.predict(library[40:])["size"] - truth) ** 2))
    assert found.n_molecules == 20 and found.tuned == pytest.approx(off, rel=1e-3)
    assert found.fitted < found.spread and found.use_fitted and "Use predict --fit" in found.sentence()
    assert measure_label_errors(RunFolder(tmp_path / "base")) == []


def test_it_says_which_to_use():
    assert "Use this model." in LabelError("y", 9, 0.5, 0.6, 1.0).sentence()
    assert "fit:TABLE#y" in LabelError("y", 9, 0.6, 0.5, 1.0).sentence()
    assert "Neither" in LabelError("y", 9, 1.2, 1.1, 1.0).sentence()
