"""Properties called as the columns that chemvae adds: every consumer of predictions takes the right quantity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.design.filters.chain import FilterChain
from chemvae.design.filters.property_bounds import Constraint
from chemvae.design.oracles.simple import PredictorOracle
from chemvae.design.results.describe import describe_molecules
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE
from chemvae.naming import EXTRAS, label_columns, name_columns, prediction_columns, prediction_stems

NAMES = ["distance", "reason", "novel", "X", "X_std", "valid"]
MEANS = {name: 10.0 * (i + 1) for i, name in enumerate(NAMES)}
SMILES = ["CCO", "CCN"]


class Told:
    """A model whose predictions are known: of property i the mean 10 (i + 1) and the deviation i + 1; distance 0.5."""

    property_names = NAMES

    def predict(self, smiles):
        values = [number for mean in MEANS.values() for number in (mean, mean / 10)]
        names = name_columns(prediction_stems(NAMES))
        return pd.DataFrame([[*values, 0.5]] * len(smiles), columns=names)

    def is_known(self, smiles):
        return np.zeros(len(smiles), dtype=bool)


@pytest.mark.parametrize("name", NAMES)
def test_the_predictor_oracle_scores_by_the_property_of_that_name(name):
    assert PredictorOracle(Told(), name).evaluate(SMILES).tolist() == [[MEANS[name]]] * 2
    assert PredictorOracle(Told(), name, kappa=2.0).evaluate(SMILES).tolist() == [[MEANS[name] * 0.8]] * 2


@pytest.mark.parametrize("name", NAMES)
def test_a_constraint_looks_at_the_property_of_that_name(name):
    for sign, allowed in (("<", False), (">", True)):
        reasons = FilterChain([Constraint(name, sign, MEANS[name] - 1)], Told()).reasons(SMILES)
        assert [not reason for reason in reasons] == [allowed] * 2


def test_molecules_are_described_by_each_property_and_our_distance_has_its_own_name():
    table = describe_molecules(Told(), SMILES, ["distance"])
    for name in NAMES:
        assert table[f"{name}_predicted"].tolist() == [MEANS[name]] * 2
        assert table[f"{name}_predicted_std"].tolist() == [MEANS[name] / 10] * 2
    assert table[EXTRAS["distance"]].tolist() == [0.5] * 2 and table[EXTRAS["novel"]].all()
    assert "distance" not in table and "novel" not in table


@pytest.mark.parametrize("names", [NAMES, ["X", "X_label"], ["a_label", "a", "a_std"], ["smiles"]])
def test_no_two_quantities_share_a_column(names):
    predicted, distance = prediction_columns(names)
    every = [column for pair in predicted.values() for column in pair] + [distance]
    labelled = ["smiles", *(column for three in label_columns(names).values() for column in three)]
    assert len(set(every)) == len(every) and len(set(labelled)) == len(labelled)


def test_a_property_called_reason_keeps_its_predictions_beside_rows_that_have_none():
    model = MolVAE(Vocabulary.from_smiles(["CCO"]), ModelSettings(8, 12, 16, 6, 8, precision="fp32"), ["reason"])
    alone, table = model.predict(["CCO"]), model.predict(["CCO", "C1"])
    assert table["reason"][0] == alone["reason"][0] and np.isnan(table["reason"][1])
    assert "ring 1" in table[EXTRAS["reason"]][1]
