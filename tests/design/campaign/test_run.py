"""The campaign: budget, constraints, starts, resuming, and a world left as it was."""

import json
import random
import time

import numpy as np
import pytest
import torch

from chemvae.chem.fingerprints import tanimoto
from chemvae.chem.properties import compute
from chemvae.design import Constraint, Goal, Oracle, RandomSearch, run_campaign
from chemvae.errors import InvalidMoleculeError, SettingsError, UnknownNameError
from chemvae.qsar.model import HALF_WIDTH
from tests.design.toys import CELLS, Bowl, ToyModel, carbons, chain

FAST = {"method": "random", "batch_size": 6}


def test_history_has_one_row_per_distinct_molecule_with_its_own_score_and_point():
    model, bowl = ToyModel(), Bowl()
    result = run_campaign(model, bowl, budget=40, **FAST)
    history = result.history
    assert list(history.columns) == ["call", "smiles", "score", "reason", "seconds", "z", "utility", "stream", "parent"]
    assert history["call"].tolist() == list(range(1, 41)) and history["smiles"].is_unique
    assert history["smiles"].tolist() == bowl.asked
    assert history["score"].tolist() == [Bowl()(smiles) for smiles in history["smiles"]]
    decoded = model.decode(np.stack(history["z"]))["smiles"]
    assert (decoded == history["smiles"]).mean() > 0.6  # the rest came from a second, sampled decode of its point


def test_minimising_finds_the_minimum_and_reports_it_in_its_own_sign():
    result = run_campaign(ToyModel(), lambda smiles: -Bowl()(smiles), goals=Goal("distance", "min"), budget=60, batch_size=6)
    assert result.best["score"] == result.history["score"].min() >= 0
    assert result.best["utility"] == -result.best["score"]


def test_a_target_is_approached():
    result = run_campaign(ToyModel(), carbons, goals=Goal("carbons", target=9.0), budget=15, batch_size=5)
    assert result.best["score"] == 9.0


def test_several_goals_are_weighed_and_the_front_is_undominated():
    goals = [Goal("carbons"), Goal("qed", weight=2.0)]
    result = run_campaign(ToyModel(), None, goals=goals, budget=30, **FAST)
    table = result.history
    counted = np.array([carbons(smiles) for smiles in table["smiles"]])
    np.testing.assert_allclose(table["carbons"], counted - HALF_WIDTH * 0.1, rtol=1e-6)  # the cautious end of what is predicted
    front = result.pareto
    for _, row in table.iterrows():
        dominates = (row["carbons"] >= front["carbons"]) & (row["qed"] >= front["qed"])
        strictly = (row["carbons"] > front["carbons"]) | (row["qed"] > front["qed"])
        assert not (dominates & strictly).any()
    assert result.best["smiles"] in front["smiles"].tolist() and table["utility"].between(0, 1).all()


def test_constraints_hold_for_everything_scored_and_rejections_are_counted():
    result = run_campaign(ToyModel(), Bowl(), budget=25, constraints=["MW<230", Constraint("logP", ">", 0.5)], **FAST)
    for smiles in result.history["smiles"]:
        assert compute("MW", smiles) < 230 and compute("logP", smiles) > 0.5
    refused = result.proposals[result.proposals["outcome"] == "refused"]["smiles"]
    assert result.rejections["MW < 230"] >= sum(compute("MW", smiles) >= 230 for smiles in refused) > 0
    assert set(refused).isdisjoint(result.history["smiles"])


def test_similarity_to_the_start_holds():
    start = chain(6, 6)
    result = run_campaign(ToyModel(), carbons, budget=20, start=start, min_similarity=0.9, batch_size=5)
    assert result.history["smiles"][0] == start
    assert (tanimoto(result.history["smiles"].tolist(), [start]) >= 0.9).all() and len(result.history) > 3
    assert result.molecules["similarity_to_start"].min() >= 0.9


def test_failures_are_told_as_missing_and_points_keep_their_own_molecule():
    told = []

    class Spy(RandomSearch):
        def tell(self, z, y, smiles=None):
            told.extend(zip(z, y.tolist(), smiles, strict=True))
            super().tell(z, y, smiles)

    model = ToyModel()
    run_campaign(model, lambda s: float("nan") if carbons(s) > 14 else carbons(s), budget=60, method=Spy, batch_size=6)
    assert len(told) >= 60
    for z, y, smiles in told:
        if smiles == "":
            assert np.isnan(y) and not model.decode(z[None])["valid"][0]
        elif carbons(smiles) > 14:
            assert np.isnan(y)
        else:
            assert y == carbons(smiles)
        if smiles and model.decode(z[None])["valid"][0]:
            near = np.abs(np.subtract(CELLS[smiles], model.cell(z[None])[0].numpy())).max()
            assert near <= 0.5 or near < 4.0  # greedy, or a sampled neighbour of this very point


class TestStart:
    def test_it_is_scored_first_and_counts(self):
        starts = ["NCOC", chain(2, 2), "C(OC)N"]
        result = run_campaign(ToyModel(), Bowl(), budget=10, start=starts, **FAST)
        assert result.history["smiles"][:2].tolist() == [chain(0, 0), chain(2, 2)] and len(result.history) == 10
        np.testing.assert_array_equal(result.history["z"][0], ToyModel().encode([chain(0, 0)])[0])

    def test_a_start_outside_the_constraints_is_scored_once_and_does_not_count_but_is_still_a_start(self):
        result = run_campaign(ToyModel(), Bowl(), budget=10, start=[chain(6, 6)], constraints=["heavy_atoms<16"], **FAST)
        assert result.history["smiles"].tolist().index(chain(6, 6)) == 0 and len(result.history) == 10
        assert np.isnan(result.history["utility"][0]) and result.best["smiles"] != chain(6, 6)
        assert result.proposals["smiles"][0] == chain(6, 6) and result.proposals["reason"][0] == "heavy_atoms < 16"

    def test_a_long_list_does_not_eat_the_budget(self):
        result = run_campaign(ToyModel(), Bowl(), budget=100, start=list(CELLS), **FAST)
        assert result.settings["n_start"] == 20

    def test_what_the_model_cannot_write_is_scored_without_a_point(self):
        result = run_campaign(ToyModel(), lambda s: 1.0, budget=5, start=["c1ccccc1"], **FAST)
        assert np.isnan(result.history["z"][0]).all() and len(result.history) == 5

    def test_nothing_similar_to_what_the_model_cannot_write(self):
        with pytest.raises(SettingsError, match="cannot be encoded"):
            run_campaign(ToyModel(), Bowl(), budget=5, start="c1ccccc1", min_similarity=0.4, **FAST)

    def test_no_molecule_is_an_error_one_bad_among_good_is_not(self, caplog):
        with pytest.raises(InvalidMoleculeError, match="never closed"):
            run_campaign(ToyModel(), Bowl(), budget=5, start="C1CC", **FAST)
        result = run_campaign(ToyModel(), Bowl(), budget=5, start=["C1CC", chain(1, 1)], **FAST)
        assert result.history["smiles"][0] == chain(1, 1) and "left out" in caplog.text


class TestTheWorldStaysAsItWas:
    def test_the_model(self):
        model = ToyModel().train()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        run_campaign(model, None, goals=Goal("carbons"), budget=20, method="gradient", batch_size=5)
        assert model.training and all(parameter.grad is None for parameter in model.parameters())
        for name, value in model.state_dict().items():
            assert torch.equal(value, before[name])

    def test_the_random_states_even_if_the_oracle_draws(self):
        def dice(smiles):
            return random.random() + np.random.rand() + float(torch.rand(1))

        random.seed(5), np.random.seed(5), torch.manual_seed(5)
        expected = random.random(), np.random.rand(), float(torch.rand(1))
        random.seed(5), np.random.seed(5), torch.manual_seed(5)
        result = run_campaign(ToyModel(), dice, budget=12, **FAST)
        assert (random.random(), np.random.rand(), float(torch.rand(1))) == expected
        again = run_campaign(ToyModel(), dice, budget=12, **FAST)
        assert again.history["score"].tolist() == result.history["score"].tolist()

    def test_the_oracle(self):
        class Slow(Oracle):
            timeout_s = None

            def evaluate(self, smiles):
                return np.ones(len(smiles))

        oracle = Slow()
        run_campaign(ToyModel(), oracle, budget=3, timeout_s=20.0, **FAST)
        assert oracle.timeout_s is None and oracle.n_calls == 3 and "_pool" not in vars(oracle)


class TestTime:
    def test_a_hang_is_a_failed_call(self):
        def hangs(smiles):
            while carbons(smiles) > 15:
                pass
            return carbons(smiles)

        result = run_campaign(ToyModel(), hangs, budget=8, timeout_s=1.0, seed=1, **FAST)
        slow = result.history["smiles"].map(carbons) > 15
        assert len(result.history) == 8 and slow.any()
        assert (result.history["reason"][slow] == "timed out after 1 s").all() and result.history["score"][slow].isna().all()
        assert result.history["score"][~slow].notna().all()

    def test_a_time_limit_ends_the_search(self):
        result = run_campaign(ToyModel(), lambda s: time.sleep(0.1) or 1.0, budget=1000, time_limit_s=0.5, **FAST)
        assert result.stopped == "time limit of 0.5 s reached" and 0 < len(result.history) < 1000


class TestResume:
    def test_a_larger_budget_goes_on(self, tmp_path):
        record, bowl = tmp_path / "history.jsonl", Bowl()
        first = run_campaign(ToyModel(), bowl, budget=14, history_path=record, **FAST)
        second = run_campaign(ToyModel(), bowl, budget=30, history_path=record, **FAST)
        assert len(bowl.asked) == len(set(bowl.asked)) == len(second.history) == 30
        assert second.history["smiles"][:14].tolist() == first.history["smiles"].tolist()

    def test_a_record_that_departs_is_taken_over_and_counts(self, tmp_path, caplog):
        record = tmp_path / "history.jsonl"
        run_campaign(ToyModel(), Bowl(), budget=10, history_path=record, **FAST)
        lines = record.read_text().splitlines()
        rows = [json.loads(line) for line in lines[1:]]
        rows[4]["smiles"] = "CCCCCC"
        record.write_text("\n".join([lines[0], *map(json.dumps, rows)]) + "\n")
        bowl = Bowl()
        result = run_campaign(ToyModel(), bowl, budget=20, history_path=record, **FAST)
        assert "departs" in caplog.text and len(result.history) == 20 and len(bowl.asked) == 10
        assert "CCCCCC" in result.history["smiles"].tolist() and result.history["smiles"].is_unique

    def test_another_seed_or_model_is_refused(self, tmp_path):
        record = tmp_path / "history.jsonl"
        run_campaign(ToyModel(), Bowl(), budget=5, history_path=record, **FAST)
        with pytest.raises(SettingsError, match="another seed"):
            run_campaign(ToyModel(), Bowl(), budget=5, seed=1, history_path=record, **FAST)
        other = ToyModel()
        other.weight.data += 1
        with pytest.raises(SettingsError, match="another model"):
            run_campaign(other, Bowl(), budget=5, history_path=record, **FAST)


def test_a_memory_shared_by_two_searches_spares_calls_and_changes_nothing():
    from chemvae.design import FunctionOracle

    bowl = Bowl()
    oracle = FunctionOracle(bowl)
    first = run_campaign(ToyModel(), oracle, budget=20, **FAST)
    second = run_campaign(ToyModel(), oracle, budget=20, **FAST)
    assert len(bowl.asked) == 20 and first.history["smiles"].tolist() == second.history["smiles"].tolist()


def test_progress_counts_up_to_the_budget():
    seen = []
    result = run_campaign(ToyModel(), Bowl(), budget=20, callback=seen.append, **FAST)
    assert [p.calls for p in seen] == sorted({p.calls for p in seen}) and seen[-1].calls == seen[-1].budget == 20
    assert seen[-1].best == result.best["score"] and seen[-1].best_smiles == result.best["smiles"]
    assert seen[-1].mean_top10 == pytest.approx(result.history["score"].nlargest(10).mean())


def test_all_bad_numbers_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        run_campaign(ToyModel(), Bowl(), budget=0, batch_size=-1, timeout_s=0.0)
    assert len(caught.value.complaints) == 3
    with pytest.raises(UnknownNameError, match="Did you mean 'bayesian'"):
        run_campaign(ToyModel(), Bowl(), method="baysian")


def test_a_whole_first_round_of_failures_is_said_aloud(caplog):
    run_campaign(ToyModel(), lambda s: 1 / 0, budget=12, **FAST)
    assert "Every one of the first 6 molecules failed: ZeroDivisionError" in caplog.text


def test_a_start_molecule_that_breaks_a_constraint_is_named_before_the_first_call(caplog):
    said_before_the_first_call = []

    def oracle(smiles):
        said_before_the_first_call.append(
            f"{chain(9, 9)} does not count, since it breaks a constraint: heavy_atoms < 12" in caplog.text
        )
        return 1.0

    run_campaign(ToyModel(), oracle, budget=2, start=[chain(9, 9), chain(1, 1)], constraints=["heavy_atoms<12"], **FAST)
    assert said_before_the_first_call[0] and chain(1, 1) not in caplog.text
