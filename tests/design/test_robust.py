"""What an oracle may do to a search, through the public door and with the default method."""

import math
import sys

import numpy as np
import pytest

import chemvae
from chemvae.chem.fingerprints import tanimoto
from chemvae.chem.molecules import parse
from chemvae.chem.properties import compute
from chemvae.design import Goal
from chemvae.errors import SettingsError
from tests.design.toys import Bowl, ToyModel, carbons, chain

SEARCH = {"budget": 14, "batch_size": 5}


def test_a_closure_that_hangs_is_ended_and_its_molecule_has_no_score():
    stuck = {"heavy": 13}

    def hangs(smiles):
        while carbons(smiles) > stuck["heavy"]:
            pass
        return carbons(smiles)

    result = chemvae.optimize(ToyModel(), hangs, timeout_s=0.4, seed=1, **SEARCH)
    hung = result.history["smiles"].map(carbons) > 13
    assert len(result.history) == 14 and hung.any() and not hung.all()
    assert (result.history["reason"][hung] == "timed out after 0.4 s").all()
    assert result.history["score"][hung].isna().all() and result.history["score"][~hung].notna().all()


@pytest.mark.parametrize(
    ("oracle", "reason"),
    [
        (lambda smiles: math.nan, "score is nan"),
        (lambda smiles: math.inf, "score is inf"),
        (lambda smiles: None, "TypeError: the function returned None, which is not a number"),
        (lambda smiles: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda smiles: sys.exit("docking failed"), "SystemExit: docking failed"),
    ],
)
def test_an_oracle_without_scores_runs_to_the_end(oracle, reason):
    result = chemvae.optimize(ToyModel(), oracle, **SEARCH)
    assert len(result.history) == 14 and result.history["smiles"].is_unique and result.stopped == "budget spent"
    assert result.history["score"].isna().all() and (result.history["reason"] == reason).all() and result.best is None


def test_a_constant_oracle_runs_to_the_end():
    result = chemvae.optimize(ToyModel(), lambda smiles: 7.0, budget=40, batch_size=5)
    assert len(result.history) == 40 and (result.history["score"] == 7.0).all() and result.history["smiles"].is_unique


def test_one_bad_score_is_not_another_molecule_s():
    def moody(smiles):
        return Bowl()(smiles) if carbons(smiles) % 2 else math.nan

    history = chemvae.optimize(ToyModel(), moody, **SEARCH).history
    odd = history["smiles"].map(carbons) % 2 == 1
    assert history["score"][odd].tolist() == [Bowl()(text) for text in history["smiles"][odd]] and odd.any()
    assert history["score"][~odd].isna().all()


def test_every_kind_of_constraint_holds_at_once_and_is_counted():
    start, search = chain(4, 2), {"budget": 14, "batch_size": 5, "start": chain(4, 2)}
    result = chemvae.optimize(
        ToyModel(), carbons, min_similarity=0.5, scaffold="CCO", forbid=["CCCCCCC"], alerts="PAINS",
        constraints=["100<MW<200", "logP<3", "TPSA<60", "rings==0"], **search,
    )  # fmt: skip
    smiles = result.history["smiles"].tolist()
    assert len(smiles) > 3 and (tanimoto(smiles, [start]) >= 0.5).all()
    for text in smiles:
        assert 100 < compute("MW", text) < 200 and compute("logP", text) < 3 and compute("TPSA", text) < 60
        assert parse(text).HasSubstructMatch(parse("CCO")) and not parse(text).HasSubstructMatch(parse("CCCCCCC"))
    bounds = ["100 < MW < 200", "logP < 3", "TPSA < 60", "rings == 0"]
    labels = [*bounds, "similarity to start >= 0.5", "keeps CCO", "without CCCCCCC", "no alerts (PAINS)"]
    assert list(result.rejections) == labels
    refused = result.proposals[result.proposals["outcome"] == "refused"]
    assert refused["smiles"].is_unique and set(refused["reason"]) <= set(labels) and set(refused["smiles"]).isdisjoint(smiles)
    for label in set(refused["reason"]):
        assert result.rejections[label] >= (refused["reason"] == label).sum() > 0


def test_a_search_ends_by_calls_or_by_time_whichever_is_first():
    assert chemvae.optimize(ToyModel(), carbons, time_limit_s=600.0, **SEARCH).stopped == "budget spent"
    result = chemvae.optimize(ToyModel(), carbons, budget=10_000, batch_size=5, method="random", time_limit_s=1e-9)
    assert result.stopped == "time limit of 1e-09 s reached" and len(result.history) == 0


def test_the_front_and_the_best_of_two_goals():
    goals = [Goal("carbons"), Goal("SAS", "min")]
    result = chemvae.optimize(ToyModel(), None, goals=goals, **SEARCH)
    front = result.pareto
    assert result.best["smiles"] in front["smiles"].tolist()
    assert np.all(np.diff(front.sort_values("carbons")["SAS"]) >= 0)


def test_a_function_called_score_is_one_goal_and_the_weighted_score_another_column(tmp_path):
    goals = [Goal("score", low=0.0, high=40.0), Goal("SAS", "min")]
    result = chemvae.optimize(ToyModel(), carbons, goals=goals, **SEARCH)
    history = result.history
    assert history["score_value"].tolist() == [carbons(text) for text in history["smiles"]]
    assert np.allclose(history["score"], history["utility"]) and history["score"].between(0.0, 1.0).all()
    assert result.molecules["score"].is_monotonic_decreasing and result.best["score"] == result.molecules["score"].max()
    assert "score_value" in result.molecules and "score_value" in result.to_html(tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"budget": 10.5}, "budget must be a whole number >= 1, got 10.5"),
        ({"budget": None}, "budget must be a whole number >= 1, got None"),
        ({"batch_size": "5"}, "batch_size must be a whole number >= 1, got '5'"),
        ({"seed": -1}, "seed must be a whole number from 0 to 4294967295, got -1"),
        ({"seed": 0.5}, "seed must be a whole number or None, got 0.5"),
        ({"timeout_s": "5"}, "timeout_s must be a number > 0, got '5'"),
        ({"constraints": 3}, "constraints are texts such as 'SAS<3'"),
        ({"constraints": ["SAS<3", None]}, "constraints are texts such as 'SAS<3'"),
        ({"goals": {"qed": 1}}, "goals are names or Goal"),
        ({"goals": ["qed", 2]}, "goals are names or Goal"),
        ({"oracle": {}}, "the mapping of oracles is empty"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_paid_for(asked, sentence):
    with pytest.raises(SettingsError, match=sentence):
        chemvae.optimize(ToyModel(), **{"oracle": carbons, **SEARCH, **asked})


def test_goals_and_constraints_may_come_from_a_generator():
    result = chemvae.optimize(
        ToyModel(), None, goals=(name for name in ("qed", "MW")), constraints=(text for text in ("MW<300",)), **SEARCH
    )
    assert result.utility.names == ["qed", "MW"] and (result.history["MW"] < 300).all()


@pytest.mark.parametrize("worst", [-sys.float_info.max, 1e308, -1e300])
def test_the_lowest_number_there_is_is_a_failure_with_its_reason_and_not_a_score(worst):
    def fails_like_that(smiles):
        return Bowl()(smiles) if carbons(smiles) % 2 else worst

    history = chemvae.optimize(ToyModel(), fails_like_that, **SEARCH).history
    odd = history["smiles"].map(carbons) % 2 == 1
    assert history["score"][odd].notna().all() and history["score"][~odd].isna().all()
    assert (history["reason"][~odd] == f"score is {worst}").all()


@pytest.mark.parametrize(
    ("method", "power"), [("auto", -43), ("auto", 43), ("bayesian", -43), ("bayesian", 43), ("gradient", 43)]
)
def test_a_search_is_the_same_in_any_unit(method, power):
    """Scores times a power of two are rounded alike, so where nothing but the unit differs, so does nothing else."""
    unit = 2.0**power
    plain = chemvae.optimize(ToyModel(), Bowl(), budget=40, seed=3, method=method, batch_size=5).history
    scaled = chemvae.optimize(ToyModel(), lambda s: unit * Bowl()(s), budget=40, seed=3, method=method, batch_size=5).history
    assert scaled["smiles"].tolist() == plain["smiles"].tolist()
    np.testing.assert_array_equal(scaled["score"] / unit, plain["score"])
