"""A predictor as a goal is scored by the end of its interval that the goal likes less, and says what it is worth."""

import logging

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.properties import compute
from chemvae.design import Goal, run_campaign
from chemvae.design.campaign.goal_matching import plan_goals
from chemvae.design.oracles import CombinedOracle, UncertainOracle, make_oracle
from chemvae.design.oracles.uncertain import credited
from chemvae.design.search_settings import SearchSettings
from chemvae.models.storage import find_run, load_model
from chemvae.qsar.model import HALF_WIDTH
from tests.design.toys import CELLS, ToyModel, chain

PROBE = ["CC(=O)Oc1ccccc1C(=O)O", "CCO", "Oc1ccccc1"]
CHAIN = chain(3, 2)


class Ruler(UncertainOracle):
    """Length of the text, give or take as much as there are oxygens."""

    names = ("length",)

    def estimate(self, smiles):
        return np.array([[float(len(s))] for s in smiles]), np.array([[float(s.count("O"))] for s in smiles])


@pytest.fixture(scope="module")
def drug():
    return load_model(find_run("drug"))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "table.csv"
    smiles = list(CELLS)[:60]
    pd.DataFrame({"smiles": smiles, "size": [compute("MW", one) for one in smiles]}).to_csv(path, index=False)
    return path


class TestScores:
    def test_what_is_to_be_large_gets_the_lower_end_and_what_is_to_be_small_the_upper_one(self):
        largest, smallest = (plan_goals(Ruler(), Goal("x", direction))[0] for direction in ("max", "min"))
        np.testing.assert_allclose(largest(["CO", "OO"]), [2 - HALF_WIDTH, 2 - 2 * HALF_WIDTH])
        np.testing.assert_allclose(smallest(["CO", "OO"]), [2 + HALF_WIDTH, 2 + 2 * HALF_WIDTH])

    def test_a_target_gets_the_end_that_is_farther_from_it(self):
        oracle, _ = plan_goals(Ruler(), Goal("length", target=3.0))
        np.testing.assert_allclose(oracle(["CO", "CCCO"]), [2 - HALF_WIDTH, 4 + HALF_WIDTH])

    def test_without_goals_everything_is_to_be_large(self):
        np.testing.assert_allclose(plan_goals(Ruler(), None)[0]("CO"), [2 - HALF_WIDTH])

    def test_a_number_of_deviations_that_was_asked_for_stays(self):
        for kappa, expected in ((0, 2.0), (-1, 3.0), (2, 0.0)):
            oracle = Ruler()
            oracle.kappa = kappa
            assert plan_goals(oracle, Goal("length"))[0]("CO") == [expected]

    def test_an_oracle_that_is_given_stays_as_it_is_and_shares_no_scores(self):
        mine = Ruler()
        before = mine("CO")
        wanted, _ = plan_goals(mine, Goal("length"))
        assert wanted is not mine and wanted("CO") < before == mine("CO")

    def test_among_several_oracles_only_predictions_change(self):
        oracle, goals = plan_goals(
            {"length": Ruler(), "carbons": lambda s: s.count("C")}, [Goal("carbons"), Goal("length", "min")]
        )
        assert isinstance(oracle, CombinedOracle) and [goal.name for goal in goals] == list(oracle.names)
        np.testing.assert_allclose(oracle(["CCO"]), [[3 + HALF_WIDTH, 2.0]])

    def test_a_desirability_takes_the_end_that_its_curve_likes_less(self):
        curves = make_oracle({"name": "desirability", "curves": {"predicted:carbons": "below(5, 2)"}, "model": ToyModel()})
        (part,) = curves.oracles
        predicted = ToyModel().predict([CHAIN])
        np.testing.assert_allclose(part([CHAIN]), predicted["carbons"] + HALF_WIDTH * predicted["carbons_std"])

    def test_a_goal_that_the_model_predicts_is_cautious_too(self):
        result = run_campaign(ToyModel(), None, goals=Goal("carbons"), budget=10, method="random", batch_size=5)
        best = result.molecules.iloc[0]
        assert best["score"] == pytest.approx(best["carbons_learned_low"]) and best["score"] < best["carbons_predicted"]

    def test_a_memory_holds_what_is_scored(self, tmp_path):
        asked = SearchSettings(maximize=["carbons"], oracle="predicted:carbons", oracle_memory=str(tmp_path / "m.parquet"))
        oracle = asked.equip(asked.oracle, ToyModel())
        (low,) = oracle(CHAIN)
        oracle.close()
        again = asked.equip(asked.oracle, ToyModel())
        assert again.recall(CHAIN).values == (low,) and plan_goals(again, asked.goals())[0] is again
        assert low < ToyModel().predict([CHAIN])["carbons"].iloc[0]


class LabelledRuler(Ruler):
    """The same, learned from texts of two to four letters."""

    def label_ranges(self):
        return [(2.0, 4.0)]


class TestCredit:
    """A trend that leads out of the labels earns nothing there: what is predicted beyond them counts as doubt."""

    def test_nothing_beyond_the_labels_scores_more_than_their_end(self):
        largest, smallest = (plan_goals(LabelledRuler(), Goal("x", direction))[0] for direction in ("max", "min"))
        for n in range(5, 60):
            assert largest(["C" * n])[0] < 4.0 == largest(["CCCC"])[0]
        assert smallest(["C"])[0] > 2.0 == smallest(["CC"])[0]

    def test_of_molecules_beyond_the_labels_the_surer_and_the_nearer_one_wins(self):
        oracle, _ = plan_goals(LabelledRuler(), Goal("length"))
        surer, doubted, farther = oracle(["CCCCCO", "CCCOOO", "CCCCCCCO"])
        assert surer > doubted and surer > farther

    def test_where_the_goal_likes_it_less_the_end_of_the_labels_helps_nobody(self):
        oracle, _ = plan_goals(LabelledRuler(), Goal("length"))
        np.testing.assert_allclose(oracle(["C", "O"]), [1.0, 1 - HALF_WIDTH])

    def test_a_target_beyond_the_labels_is_approached_to_their_end_alone(self):
        oracle, _ = plan_goals(LabelledRuler(), Goal("length", target=9.0))
        assert oracle(["C" * 4])[0] == 4.0 and all(oracle(["C" * n])[0] < 4.0 for n in (5, 9, 12))
        within, _ = plan_goals(LabelledRuler(), Goal("length", target=3.0))
        assert within(["C" * 9])[0] == 9.0  # no end of the labels stands in for what misses the target

    def test_the_spread_around_the_end_is_the_root_mean_square_distance_from_it(self):
        drawn = np.random.default_rng(0).normal(7.0, 2.0, 400_000)
        centre, spread = credited(np.array([7.0]), np.array([2.0]), lambda value: value, (0.0, 4.0))
        assert centre == [4.0] and spread[0] == pytest.approx(np.sqrt(np.mean((drawn - 4.0) ** 2)), rel=0.01)

    def test_the_credit_has_no_step_at_the_end_of_the_labels(self):
        centre, spread = credited(np.array([4.0 - 1e-9, 4.0 + 1e-9]), np.ones(2), lambda value: value, (0.0, 4.0))
        np.testing.assert_allclose(centre - HALF_WIDTH * spread, 4.0 - HALF_WIDTH, atol=1e-8)

    def test_a_number_of_deviations_that_was_asked_for_is_taken_as_it_is(self):
        oracle = LabelledRuler()
        oracle.kappa = 0.0
        assert plan_goals(oracle, Goal("length"))[0]("C" * 9) == [9.0]

    def test_what_is_scored_is_told_in_the_name_so_that_no_memory_of_before_is_taken_for_it(self):
        assert plan_goals(LabelledRuler(), Goal("length"))[0].describe().endswith("nothing credited beyond the labels")
        assert not plan_goals(Ruler(), Goal("length"))[0].describe().endswith("beyond the labels")


class TestLearnedFromATable:
    @pytest.fixture(scope="class")
    def result(self, drug, table):
        options = {"budget": 20, "method": "random", "batch_size": 10, "start": ["CCO", PROBE[0]]}
        return run_campaign(drug, f"fit:{table}#size", goals=Goal("size"), **options)

    def test_a_charge_that_no_label_has_changes_nothing(self, drug, table):
        oracle = make_oracle(f"fit:{table}#size", drug)
        pairs = [("CC(=O)[O-]", "CC(=O)O"), ("C[NH3+]", "CN"), ("CC(=O)[O-].[Na+]", "CC(=O)O"), ("[O-]CC[NH3+]", "OCCN")]
        for charged, neutral in pairs:
            np.testing.assert_array_equal(oracle([charged]), oracle([neutral]))

    def test_labels_of_salts_belong_to_the_molecule(self, drug, tmp_path):
        salts = [f"[Na+].{'C' * n}C(=O)[O-]" for n in range(1, 25)]
        pd.DataFrame({"smiles": salts, "y": range(24)}).to_csv(tmp_path / "salts.csv", index=False)
        assert make_oracle(f"fit:{tmp_path / 'salts.csv'}#y", drug).fitted.smiles[0] == "CC(=O)O"

    def test_the_score_is_the_lower_end_and_stands_beside_the_interval_and_the_nearest_label(self, result, table):
        best = result.molecules
        within = best["size_learned"] <= pd.read_csv(table)["size"].max()
        np.testing.assert_allclose(best["score"][within], best["size_learned_low"][within])
        assert within.any() and (best["score"][~within] < best["size_learned_low"][~within]).all()
        assert (best["size_learned_low"] < best["size_learned"]).all() and (
            best["size_learned"] < best["size_learned_high"]
        ).all()
        assert set(best["nearest_known"]) <= set(pd.read_csv(table)["smiles"])

    def test_no_score_lies_beyond_the_labels_and_the_report_says_so(self, result, table, tmp_path):
        largest = pd.read_csv(table)["size"].max()
        assert (result.molecules["size_learned"] > largest).any() and (result.molecules["score"] < largest).all()
        assert "Nothing was credited beyond the labels" in result.to_html(tmp_path / "page.html").read_text(encoding="utf-8")

    def test_the_lead_has_its_prediction_and_interval_too_and_the_page_says_what_a_score_is(self, result, tmp_path):
        assert (result.leads["size_learned_low"] < result.leads["size_learned"]).all() and len(result.leads) == 2
        page = result.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
        lead = page[page.index("The lead") : page.index("Best molecules</h2>")]
        assert lead.count(", predicted (") == 2 and "What counts in the score is the end of it that the goal likes less" in page

    def test_goals_that_are_predicted_are_told_as_predicted_and_compared_so(self, drug, table, tmp_path):
        goals = [Goal("size", target=20.0, low=0.0, high=40.0), Goal("qed")]
        options = {"budget": 20, "method": "random", "batch_size": 10, "start": [PROBE[0]]}
        found = run_campaign(drug, f"fit:{table}#size", goals=goals, **options)
        best, lead = found.molecules, found.leads.iloc[0]
        np.testing.assert_array_equal(best["size"], best["size_learned"])
        calls = found.history.set_index("smiles")
        np.testing.assert_array_equal(best["size_scored"], calls["size"][best["smiles"]])
        np.testing.assert_allclose(best["size"], calls["size_learned"][best["smiles"]])
        page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
        change = best["size_learned"][0] - lead["size_learned"]
        first = page[page.index("Best molecules</h2>") :]
        assert f"{abs(change):.3g}</span>, predicted (" in first[: first.index("similarity to")]
        assert "size scored" not in page.split("All as a table")[0]
        assert "a dotted line is a target" in page and "Goals that are predicted are shown as predicted" in page

    def test_a_goal_that_rdkit_computes_too_keeps_both_and_what_counted(self, drug, table, tmp_path):
        frame = pd.read_csv(table).rename(columns={"size": "logP"})
        frame.to_csv(tmp_path / "lab.csv", index=False)
        goals = [Goal("logP"), Goal("qed")]
        options = {"budget": 20, "method": "random", "batch_size": 10, "start": [PROBE[0]]}
        found = run_campaign(drug, f"fit:{tmp_path / 'lab.csv'}#logP", goals=goals, **options)
        best, calls = found.molecules, found.history.set_index("smiles")
        np.testing.assert_array_equal(best["logP_scored"], calls["logP"][best["smiles"]])
        np.testing.assert_allclose(best["logP"], [compute("logP", one) for one in best["smiles"]])
        lead = found.leads.iloc[0]
        assert lead["logP_scored"] == calls["logP"][lead["smiles"]] and lead["logP"] == pytest.approx(compute("logP", PROBE[0]))

    def test_its_error_stands_beside_the_gain_it_claims(self, result, table):
        (fact,) = result.learned
        labels, best = pd.read_csv(table)["size"], result.molecules.iloc[0]
        assert (fact["n_labels"], fact["label_high"]) == (60, labels.max())
        assert fact["gain"] == pytest.approx(best["size_learned"] - labels.max()) and fact["left_out_rmse"] > 0
        page = result.to_dict()["learned"]
        assert page == [fact]

    def test_what_lies_beyond_the_labels_is_said_on_the_page_and_in_the_log(self, result, drug, table, caplog, tmp_path):
        assert result.molecules["size_learned_warning"].str.contains("unlike every labelled molecule").any()
        page = result.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
        assert "molecules whose scaffold was left out are missed by" in page and "unlike every labelled molecule" in page
        with caplog.at_level(logging.WARNING):
            run_campaign(drug, f"fit:{table}#size", budget=5, method="random", batch_size=5)
        assert "best are predicted outside the labels' range or are unlike" in caplog.text

    def test_known_molecules_of_ones_own_stay_and_the_labelled_ones_stand_beside_them(self, drug, table):
        oracle = f"fit:{table}#size"
        best = run_campaign(drug, oracle, budget=5, method="random", batch_size=5, known=["c1ccccc1"]).molecules
        assert set(best["nearest_known"]) == {"c1ccccc1"} and best["nearest_labelled"].notna().all()
