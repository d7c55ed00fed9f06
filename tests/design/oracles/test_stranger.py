"""An oracle by someone else: a class with ``evaluate`` alone and one line in the table of kinds, and everything works."""

import math
import time

import numpy as np
import pytest

import chemvae
from chemvae.design.oracles import Oracle, make_oracle
from chemvae.design.oracles.factory import ORACLES
from chemvae.errors import SettingsError, UnknownNameError
from tests.contracts.oracle_contract import OracleContract
from tests.design.toys import CELLS, ToyModel


class Carbons(Oracle):
    def evaluate(self, smiles):
        return np.array([float(text.upper().count("C")) or np.nan for text in smiles])


class Weighted(Oracle):
    def __init__(self, weight=1.0):
        self.weight = weight

    def evaluate(self, smiles):
        return self.weight * np.array([len(text) for text in smiles])


class Sleepy(Oracle):
    def evaluate(self, smiles):
        time.sleep(30 * ("N" in smiles[0]))
        return np.ones(len(smiles))


@pytest.fixture(autouse=True)
def in_the_table(monkeypatch):
    monkeypatch.setitem(ORACLES, "carbons", Carbons)
    monkeypatch.setitem(ORACLES, "weighted", Weighted)


class TestStranger(OracleContract):
    def make_oracle(self):
        return Carbons()


def test_it_is_made_by_name_with_its_settings():
    assert isinstance(make_oracle({"name": "Carbons"}), Carbons)
    assert make_oracle({"name": "weighted", "weight": 2.5})(["CCO"]).tolist() == [7.5]
    limited = make_oracle({"name": "carbons"}, timeout_s=30.0, jobs=2)
    assert (limited.timeout_s, limited.jobs) == (30.0, 2)


def test_a_score_is_had_once_and_a_missing_one_has_its_reason():
    oracle = make_oracle({"name": "carbons"})
    first = oracle.score(["CCO", "O", "C1CC", "OCC"])
    assert [score.values[0] for score in first if not score.failed] == [2.0, 2.0]
    assert first[1].failed and first[1].reason == "score is nan" and first[2].reason.startswith("not a molecule")
    assert oracle.n_calls == 2 and oracle(["O", "CCO"]).tolist()[1] == 2.0 and oracle.n_calls == 2


def test_an_error_names_it_among_the_choices():
    with pytest.raises(UnknownNameError, match="no kind of oracle called 'carbon'. Did you mean 'carbons'") as caught:
        make_oracle({"name": "carbon", "weight": 1.0})
    assert {"carbons", "weighted", "property", "command"} <= set(caught.value.choices)
    with pytest.raises(SettingsError, match="the oracle 'weighted' cannot be made .*'wieght'.*it takes weight"):
        make_oracle({"name": "weighted", "wieght": 1.0})


def test_a_mapping_of_oracles_is_still_one_even_with_one_called_name():
    both = make_oracle({"name": "qed", "size": len})
    assert both.names == ("name", "size") and both(["CCO"]).shape == (1, 2)


def test_kinds_that_ask_a_model_are_given_the_one_that_is_searched():
    assert make_oracle({"name": "predictor", "properties": ["carbons"]}, ToyModel()).names == ("carbons",)
    assert make_oracle({"name": "property", "properties": ["LOGP", "qed"]}).names == ("logP", "qed")


@pytest.mark.parametrize("spec", [Carbons(), {"name": "carbons"}])
def test_a_search_takes_it(spec):
    result = chemvae.optimize(ToyModel(), spec, budget=20, batch_size=5)
    assert len(result.history) == 20 and result.history["smiles"].is_unique
    expected = [text.upper().count("C") for text in result.history["smiles"]]
    assert result.history["score"].tolist() == expected
    assert set(result.history["smiles"]) <= set(CELLS)


def test_workers_give_the_same_search():
    alone = chemvae.optimize(ToyModel(), {"name": "carbons"}, budget=15, batch_size=5)
    shared = make_oracle({"name": "carbons"}, jobs=2)
    try:
        together = chemvae.optimize(ToyModel(), shared, budget=15, batch_size=5)
    finally:
        shared.close()
    assert together.history[["smiles", "score"]].equals(alone.history[["smiles", "score"]])


def test_a_time_limit_costs_the_slow_molecule_its_score_only():
    oracle = Sleepy()
    oracle.timeout_s = 3.0
    try:
        fast, slow, fast_again = oracle.score(["CCO", "CCN", "CCC"])
    finally:
        oracle.close()
    assert fast.values == fast_again.values == (1.0,)
    assert math.isnan(slow.values[0]) and slow.reason == "timed out after 3 s"
