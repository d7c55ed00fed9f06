"""Figures that searches are compared by, by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.fingerprints import tanimoto
from chemvae.design import Goal, compare, run_campaign, summary
from chemvae.design.results.summary import running_top
from tests.design.toys import Bowl, ToyModel, carbons


def test_running_top_by_hand():
    values = [2.0, np.nan, 1.0, 5.0]
    np.testing.assert_array_equal(running_top(values, 1), [2, 2, 2, 5])
    np.testing.assert_array_equal(running_top(values, 10), [2, 2, 1.5, 8 / 3])
    assert np.isnan(running_top([np.nan], 1)).all()


def test_summary_by_hand():
    result = run_campaign(ToyModel(), Bowl(), budget=20, method="random", batch_size=5)
    facts, scores = summary(result), result.history["score"].to_numpy()
    assert facts["best"] == scores.max() and facts["n_calls"] == 20 and facts["n_failed"] == 0
    assert facts["mean_top10"] == pytest.approx(np.sort(scores)[-10:].mean())
    assert facts["auc_top10"] == pytest.approx(np.mean([np.sort(scores[: i + 1])[-10:].mean() for i in range(20)]))
    assert 0 <= facts["valid"] <= 1 and facts["stopped"] == "budget spent"


def test_a_minimum_is_summed_up_in_its_own_sign():
    result = run_campaign(ToyModel(), None, goals=Goal("carbons", "min"), budget=20, method="random", batch_size=5)
    facts, scores = summary(result), np.sort(result.history["score"])
    assert facts["best"] == scores[0] and facts["mean_top10"] == pytest.approx(scores[:10].mean()) and facts["auc_top10"] > 0


def test_diversity_and_scaffolds_by_hand(result):
    facts, smiles = summary(result), result.molecules["smiles"].tolist()
    assert facts["diversity"] == pytest.approx(1.0 - tanimoto(smiles, smiles).mean(), abs=1e-6)
    assert facts["n_scaffolds"] == 1  # chains have none but the empty one


def test_comparing_keeps_a_row_per_search(result):
    table = compare({"a": result, "b": result})
    assert isinstance(table, pd.DataFrame) and table["search"].tolist() == ["a", "b"]
    assert table["best"].nunique() == 1


def test_running_top_is_the_mean_of_the_best_of_every_beginning():
    values = np.random.default_rng(0).normal(size=40)
    values[::7] = np.nan
    for k in (1, 3, 100):
        known = [np.sort(values[: i + 1][np.isfinite(values[: i + 1])])[::-1][:k] for i in range(40)]
        expected = [best.mean() if len(best) else np.nan for best in known]
        np.testing.assert_allclose(running_top(values, k), expected)
    assert len(running_top([], 3)) == 0


def test_a_target_is_summed_up_by_minus_the_distance_to_it():
    mean, goal = "predicted:carbons,kappa=0", Goal("carbons", target=7)
    result = run_campaign(ToyModel(), mean, goals=goal, budget=15, method="random", batch_size=5)
    facts, off = summary(result), -np.abs(np.array([carbons(text) for text in result.history["smiles"]]) - 7)
    expected = np.mean([np.sort(off[: i + 1])[-10:].mean() for i in range(15)])
    spread = result.utility.goals[0]
    assert facts["best"] == result.history["score"][np.argmax(off)]
    assert spread.target == 7 and facts["auc_top10"] == pytest.approx(expected)


def test_a_summary_is_json_whatever_the_search_found(result):
    empty = run_campaign(ToyModel(), lambda smiles: float("nan"), budget=5, method="random", batch_size=5)
    for one in (result, empty):
        text = json.dumps(summary(one), allow_nan=False)
        assert json.loads(text) == summary(one)
    assert summary(empty)["auc_top10"] is None and summary(empty)["mean_top10"] is None


def test_the_share_with_known_ring_systems_is_of_the_best_molecules(result):
    from dataclasses import replace

    strange = result.molecules.assign(smiles=["C1=CC2=CC1=CC2", *result.molecules["smiles"][1:]])
    assert summary(result)["known_rings"] == 1.0
    assert summary(replace(result, molecules=strange))["known_rings"] == pytest.approx(1.0 - 1.0 / len(strange))
