"""What has been computed of a molecule is not computed again: not for a constraint, not for the report, not after a restart."""

from collections import Counter

import pytest
from rdkit import Chem

from chemvae.chem.properties import PROPERTIES, Property, compute
from chemvae.design import Goal, Oracle, PropertyOracle, run_campaign
from tests.design.toys import ToyModel

FAST = {"method": "random", "batch_size": 5}


@pytest.fixture
def counted(monkeypatch):
    """A property that counts how often each molecule is computed, and one that is dear besides."""
    asked = {name: Counter() for name in ("counted", "dear")}

    def counting(name):
        def function(mol):
            asked[name][Chem.MolToSmiles(mol)] += 1
            return float(mol.GetNumAtoms())

        return function

    for name, seconds in (("counted", 0.0), ("dear", 60.0)):
        row = Property(name, "1", 0.0, 40.0, "a test", counting(name), seconds=seconds)
        monkeypatch.setitem(PROPERTIES, name, row)
    return asked


@pytest.mark.parametrize("name", ["counted", "dear"])
def test_a_budget_of_20_costs_20(counted, name):
    result = run_campaign(ToyModel(), goals=name, budget=20, **FAST)
    assert counted[name] == Counter(result.history["smiles"].tolist()) and counted[name].total() == 20
    assert result.molecules[name].tolist() == result.molecules["score"].tolist()


def test_among_several_goals_and_by_an_oracle_that_is_given(counted):
    run_campaign(ToyModel(), goals=[Goal("counted"), Goal("qed")], budget=20, **FAST)
    assert counted["counted"].total() == 20
    result = run_campaign(ToyModel(), PropertyOracle("dear"), budget=10, **FAST)
    assert counted["dear"].total() == 10 and result.molecules["dear"].notna().all()


def test_a_constraint_on_it_costs_nothing_more(counted):
    result = run_campaign(ToyModel(), goals="counted", constraints="counted<40", budget=20, **FAST)
    assert set(counted["counted"]) >= set(result.history["smiles"]) and set(counted["counted"].values()) == {1}
    refusing = run_campaign(ToyModel(), goals="dear", constraints="dear<15", budget=20, seed=1, **FAST)
    assert refusing.rejections["dear < 15"] > 0 and set(counted["dear"].values()) == {1}


def test_what_is_on_record_is_not_computed_again(counted, tmp_path):
    wanted = {"goals": "counted", "constraints": "counted<40", "history_path": tmp_path / "history.jsonl", **FAST}
    first = run_campaign(ToyModel(), budget=20, **wanted)
    second = run_campaign(ToyModel(), budget=30, **wanted)
    assert second.history["smiles"][:20].tolist() == first.history["smiles"].tolist()
    assert {counted["counted"][smiles] for smiles in second.history["smiles"][:20]} == {1}
    counted["counted"].clear()
    run_campaign(ToyModel(), budget=30, **wanted)
    assert not set(counted["counted"]) & set(second.history["smiles"])


def test_what_has_failed_is_not_tried_again_for_the_report(counted, monkeypatch):
    tried = Counter()

    def fails(mol):
        tried["all"] += 1
        raise ValueError("no value")

    monkeypatch.setitem(PROPERTIES, "hopeless", Property("hopeless", "1", 0.0, 1.0, "a test", fails))
    result = run_campaign(ToyModel(), goals="hopeless", budget=10, **FAST)
    assert tried["all"] == 10 and result.best is None


def test_a_dear_property_is_only_shown_where_it_is_known(counted):
    class Guess(Oracle):
        names = ("dear",)

        def evaluate(self, smiles):
            return [float(len(text)) for text in smiles]

    model = ToyModel()
    model.property_names = ["dear", "fooled"]
    result = run_campaign(model, Guess(), budget=10, **FAST)
    assert not counted["dear"] and "dear" not in result.molecules and "dear_predicted" in result.molecules


def test_a_property_in_workers_is_counted_once_too(counted):
    oracle = PropertyOracle("dear")
    result = run_campaign(ToyModel(), oracle, budget=5, timeout_s=30.0, **FAST)
    assert not counted["dear"]  # in the worker
    assert result.molecules["dear"].tolist() == [compute("heavy_atoms", text) for text in result.molecules["smiles"]]
    assert oracle.computed is None
