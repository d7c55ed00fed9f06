"""Properties learned from one table and predicted for another."""

import logging

import numpy as np
import pandas as pd
import pytest

from chemvae import tables
from chemvae.chem.properties import compute_table
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import NothingUsableError, SettingsError
from tests.conftest import make_model


def test_new_properties_are_learned_from_one_table_and_predicted_for_another(tiny_model, molecules):
    known = pd.DataFrame({"structure": [*molecules, *(f"CCC{'C' * n}O" for n in range(12))]})
    known["heat"] = compute_table(known["structure"].tolist(), ["MW"])["MW"] / 10
    known["Gap"] = np.where(np.arange(len(known)) % 3 == 0, np.nan, np.arange(len(known)))
    models = tables.fit_properties(tiny_model, known, ["HEAT", "gap"])
    assert list(models) == ["heat", "Gap"] and [len(one.smiles) for one in models.values()] == [32, 21]
    rows = pd.DataFrame({"smiles": ["OCCCCC", "C1CC", "[Ru]"], "heat": [8.8, 1.0, 2.0]})
    found = tables.predict_new_table(models, rows)
    assert found.columns.tolist() == [
        "smiles", "heat", "heat_predicted", "heat_predicted_std", "heat_predicted_low", "heat_predicted_high",
        "Gap", "Gap_std", "Gap_low", "Gap_high", "similarity", "reason",
    ]  # fmt: skip
    assert found["heat"].tolist() == [8.8, 1.0, 2.0] and found["similarity"][0] == 1.0 and found["similarity"][2] < 0.2
    assert found.iloc[1, 2:11].isna().all() and found["reason"].map(bool).tolist() == [False, True, False]
    assert found.loc[0, "heat_predicted_low"] < 8.815 < found.loc[0, "heat_predicted_high"]
    assert len(tables.predict_new_table(models, rows, on_invalid="skip")) == 2


def test_a_column_without_labels_is_named(tiny_model, molecules):
    table = pd.DataFrame({"smiles": molecules, "heat": [1.0, 2.0] + [None] * 18})
    with pytest.raises(NothingUsableError, match="column heat: Only 2"):
        tables.fit_properties(tiny_model, table, ["heat"])


@pytest.fixture(scope="module")
def learned():
    """A model of molecular weight, from alcohols and amines of 3 to 16 carbons."""
    known = pd.DataFrame({"smiles": [f"{'C' * n}{end}" for n in range(3, 17) for end in "ON"]})
    known["heat"] = compute_table(known["smiles"].tolist(), ["MW"])["MW"] / 10
    return known, tables.fit_properties(make_model(Vocabulary.from_smiles(known["smiles"])).eval(), known, ["heat"])


def test_the_same_seed_learns_the_same(learned):
    known, models = learned
    again = tables.fit_properties(models["heat"].model, known, ["heat"])
    rows = ["CCCCCCCO", "CCCCN"]
    pd.testing.assert_frame_equal(tables.predict_new_table(models, rows), tables.predict_new_table(again, rows))


def test_intervals_lie_around_their_means_and_answers_do_not_depend_on_company(learned):
    _, models = learned
    rows = ["CCCCCCCO", "C1CC", "CCCCN", "c1ccccc1"]
    found = tables.predict_new_table(models, rows)
    fine = found.iloc[[0, 2, 3]]
    assert (fine["heat_low"] < fine["heat"]).all() and (fine["heat"] < fine["heat_high"]).all()
    alone = pd.concat([tables.predict_new_table(models, [smiles]) for smiles in ("CCCCCCCO", "CCCCN", "c1ccccc1")])
    np.testing.assert_allclose(fine["heat"], alone["heat"], rtol=1e-6)


def test_rows_that_were_learned_from_are_said_aloud(learned, caplog):
    _, models = learned
    with caplog.at_level(logging.INFO, "chemvae.tables"):
        found = tables.predict_new_table(models, ["OCCCCCC", "C1CCCC1O"])  # the first is in the table, written otherwise
    assert "1 row holds a molecule that was learned from" in caplog.text
    assert found["similarity"].tolist()[0] == 1.0


def test_nothing_to_learn_is_named(tiny_model, molecules):
    with pytest.raises(SettingsError, match="-p COLUMN"):
        tables.fit_properties(tiny_model, molecules, [])


def test_fit_without_a_column_names_those_that_could_be_learned():
    table = pd.DataFrame({"smiles": ["CCO", "CCN"], "logD 7.4": [1.0, ">2"], "name": ["a", "b"]})
    with pytest.raises(SettingsError, match=r"--fit needs the columns to learn: -p 'logD 7.4'"):
        tables.check_prediction(table, None, computed=False)
    with pytest.raises(SettingsError, match=r"columns of numbers: logD 7.4, pKi"):
        tables.check_prediction(table.assign(pKi=1.0), None, computed=False)
