"""Neighbours in a table are those that a search through all pairs finds, and what a notebook shows are drawings."""

import numpy as np
import pandas as pd
import pytest

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.errors import NothingUsableError, SettingsError

TABLE = ["CCO", "CCN", "c1ccccc1", "not a molecule", "OCCC", "Cc1ccccc1", "CC(=O)O"]


def test_they_are_the_most_similar_of_all(tmp_path):
    path = tmp_path / "table.csv"
    pd.DataFrame({"smiles": TABLE}).to_csv(path, index=False)
    for among in (TABLE, path, pd.DataFrame({"smiles": TABLE})):
        found = chemvae.neighbors(["Oc1ccccc1", "CCCO"], among, n=3)
        for query, part in found.groupby("query", sort=False):
            every = tanimoto(morgan([query]), morgan([text for text in TABLE if text != "not a molecule"]))[0]
            np.testing.assert_allclose(part["similarity"], np.sort(every)[::-1][:3])
            assert part["rank"].tolist() == [1, 2, 3]


def test_rows_are_those_of_the_list_that_was_given_and_smiles_canonical():
    found = chemvae.neighbors("CCCO", TABLE, n=1).iloc[0]
    assert (found["smiles"], found["row"], found["similarity"]) == ("CCCO", 4, 1.0)


def test_in_latent_space_a_molecule_is_nearest_to_itself(tiny_model):
    found = chemvae.neighbors(["CCO"], ["CCN", "OCC", "CCC"], n=3, model=tiny_model, space="latent")
    assert found["smiles"][0] == "CCO" and found["distance"][0] == pytest.approx(0.0, abs=1e-6)
    assert found["distance"].is_monotonic_increasing


def test_what_makes_no_sense_is_refused():
    for wrong in ({"n": 0}, {"space": "hyper"}):
        with pytest.raises(SettingsError):
            chemvae.neighbors("CCO", TABLE, **wrong)
    with pytest.raises(NothingUsableError):
        chemvae.neighbors("CCO", ["nothing", ""])
    assert not len(chemvae.neighbors("C1CC", TABLE))


def test_molecules_are_drawn_with_their_columns():
    table = pd.DataFrame(
        {"smiles": ["CCO", "C1CC", "CCN"], "logP": [0.1, np.nan, 0.3], "z_0": [1.0, 2.0, 3.0]}, index=[5, 6, 7]
    )
    shown = chemvae.show(table, n=2)
    page = shown._repr_html_()
    assert page.count("<figure>") == 2 and page.count("<svg") == 1 and "never closed" in page
    assert "logP 0.1" in page and "z_0" not in page and "and 1 more" in page and "CCO" in repr(shown)
    with pytest.raises(SettingsError, match="no column qed"):
        chemvae.show(table, "qed")


def test_names_are_escaped():
    assert "<b>x" not in chemvae.show(pd.DataFrame({"smiles": ["CCO"], "<b>x": [1.0]}))._repr_html_()
