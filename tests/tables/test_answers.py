"""Rows in, rows out."""

import numpy as np
import pandas as pd
import pytest

from chemvae import tables
from chemvae.chem.properties import compute_table
from chemvae.errors import SettingsError

ROWS = pd.DataFrame({"who": ["a", "b", "c"], "smiles": ["OCC", "C1CC", "c1ccccc1"], "logP": [1.0, 2.0, 3.0]})


def test_rows_keep_their_order_and_columns(tiny_model):
    found = tables.encode_table(tiny_model, ROWS)
    assert found.columns.tolist() == ["who", "smiles", "logP", *tables.latent_names(6), "reason"]
    pd.testing.assert_frame_equal(found[ROWS.columns.tolist()], ROWS, check_dtype=False)
    np.testing.assert_array_equal(found.iloc[[0, 2], 3:9].to_numpy(np.float32), tiny_model.encode(["CCO", "c1ccccc1"]))
    assert found.iloc[1, 3:9].isna().all() and "ring 1" in found["reason"][1]


def test_a_property_and_its_deviation_get_the_suffix_together(tiny_model):
    found = tables.predict_table(tiny_model, ROWS)
    assert [c for c in found.columns if "logP" in c] == ["logP", "logP_predicted", "logP_predicted_std"]
    assert [c for c in found.columns if "qed" in c] == ["qed", "qed_std"]
    taken = tables.predict_table(tiny_model, ROWS.rename(columns={"logP": "qed_std"}))
    assert [c for c in taken.columns if "qed" in c] == ["qed_std", "qed_predicted", "qed_predicted_std"]


def test_decode_gives_back_the_rows_and_what_else_they_hold(tiny_model):
    points = tables.encode_table(tiny_model, ROWS)
    found = tables.decode_table(tiny_model, points.drop(columns=["smiles", "reason"]), n_samples=2)
    assert found["who"].tolist() == ["a", "a", "b", "b", "c", "c"]
    assert found["row"].tolist() == [0, 0, 1, 1, 2, 2]
    assert found["smiles"][2] == "" and not found["valid"][2]


def test_text_that_holds_numbers_becomes_numbers_for_a_map(tiny_model):
    frame = pd.DataFrame({"smiles": ["OCC", "CCN"], "MW": ["46.1", " "], "id": ["007", "008"], "note": ["1", "x"]})
    smiles, z, columns = tables.latent_table(tiny_model, frame)
    assert smiles == ["CCO", "CCN"] and z.shape == (2, 6)
    assert columns["MW"].tolist()[0] == 46.1 and np.isnan(columns["MW"][1])
    assert columns["id"].tolist() == ["007", "008"] and columns["note"].tolist() == ["1", "x"]
    assert {"logP", "qed", "distance"} <= set(columns.columns) and "smiles" not in columns


def test_a_map_may_take_some_at_random(tiny_model, molecules):
    first, again = (tables.latent_table(tiny_model, molecules, limit=5, seed=1) for _ in range(2))
    assert first[0] == again[0] and len(first[0]) == len(first[1]) == len(first[2]) == 5
    with pytest.raises(SettingsError):
        tables.latent_table(tiny_model, molecules, limit=0)


def test_what_rdkit_computes_stands_beside_what_is_predicted(tiny_model):
    found = tables.predict_table(tiny_model, ROWS, computed=True)
    assert found.columns.tolist()[3:] == [
        "logP_predicted", "logP_predicted_std", "qed", "qed_std", "logP_computed", "qed_computed", "distance", "reason",
    ]  # fmt: skip
    expected = compute_table(["CCO", "c1ccccc1"], ["logP", "qed"])
    np.testing.assert_allclose(found.loc[[0, 2], ["logP_computed", "qed_computed"]], expected, rtol=1e-6)
