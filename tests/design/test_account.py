"""Whence each molecule comes: every scored one says what proposed it, and from molecules that were there before it."""

import functools
import json

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.ga.breeding import breed, offspring
from chemvae.design import RandomSearch, run_campaign
from chemvae.design.origin import STREAMS, Origin
from chemvae.design.results.report import render
from chemvae.design.results.report_data import stream_shares
from chemvae.design.search import search_in_folder
from tests.design.toys import CELLS, Bowl, ToyModel, carbons, chain

METHODS = {
    "auto": {"prior", "neighbour", "crossover"},
    "bayesian": {"prior", "trust region"},
    "gradient": {"prior", "gradient"},
    "genetic": {"prior", "graph crossover", "graph mutation"},
    "pareto": {"prior", "neighbour", "crossover"},
    "random": {"prior"},
}


GENETIC = {"name": "genetic", "generations": 2, "graphs": 0.3}


def search(method, oracle=carbons, **settings):
    method = GENETIC if method == "genetic" else method
    return run_campaign(ToyModel(), oracle, **{"budget": 30, "method": method, "batch_size": 5, **settings})


@functools.cache
def account(method):
    """stream, parent and SMILES of a search that nothing interrupts; nobody changes it."""
    return search(method).history


def check_descent(history, starts=()):
    """Each molecule has a known stream, and parents that were scored before it or are start molecules."""
    assert set(history["stream"]) <= set(STREAMS) - {"own", "unknown"}
    before = set(starts)
    for row in history.itertuples():
        assert set(row.parent.split()) <= before | set(starts), row
        before.add(row.smiles)


@pytest.mark.parametrize("method", METHODS)
def test_every_scored_molecule_says_what_proposed_it_and_its_parents_were_scored_before_it(method):
    history = account(method)
    check_descent(history)
    assert set(history["stream"]) <= METHODS[method] and (method == "random" or history["stream"].nunique() > 1)
    assert (history.loc[history["stream"] == "prior", "parent"] == "").all()
    made = history[history["stream"].isin(["trust region", "graph crossover"])]
    assert method not in ("bayesian", "genetic") or (made["parent"] != "").any()


@pytest.mark.parametrize("method", ["auto", "bayesian", "gradient", "random", {"name": "auto", "graphs": 0.5}])
def test_start_molecules_are_parents_and_those_of_a_library_are_told_apart(method):
    starts = list(CELLS)[:60]
    history = search(method, start=starts, budget=50).history
    check_descent(history, starts)
    assert (history["stream"][:20] == "start").all() and set(history["smiles"][:20]) <= set(starts)
    later = history[20:]
    assert set(later.loc[later["stream"] == "library", "smiles"]) <= set(starts)


def test_around_a_lead_the_lead_is_the_parent_of_what_comes_first():
    history = search("random", start=chain(6, 6), min_similarity=0.7, budget=8).history
    assert history["stream"].tolist() == ["start"] + ["neighbour"] * 7
    assert set(history["parent"][1:]) == {chain(6, 6)}


@pytest.mark.parametrize("method", ["auto", "gradient", "genetic"])
def test_a_resumed_search_has_the_same_account(method, tmp_path):
    whole, path = account(method), tmp_path / "history.jsonl"
    search(method, budget=17, history_path=path)
    resumed = search(method, history_path=path)
    for name in ("smiles", "stream", "parent"):
        assert resumed.history[name].tolist() == whole[name].tolist()
    rows = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert [row["stream"] for row in rows] == whole["stream"].tolist()
    assert [" ".join(row["parent"]) for row in rows] == whole["parent"].tolist()


def without_account(path):
    """Rewrite a record as it was before molecules said where they come from."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [{key: value for key, value in row.items() if key not in ("stream", "parent")} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in kept))


def test_a_record_of_before_loads_and_the_search_that_repeats_itself_says_what_the_record_does_not(tmp_path):
    path = tmp_path / "history.jsonl"
    whole = search("auto", history_path=path)
    without_account(path)
    again = search("auto", history_path=path)
    assert again.history["stream"].tolist() == whole.history["stream"].tolist()
    assert again.history["parent"].tolist() == whole.history["parent"].tolist()


def test_what_a_departing_record_of_before_holds_is_unknown_and_not_made_up(tmp_path):
    path = tmp_path / "history.jsonl"
    search("random", history_path=path, budget=10)
    without_account(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], *lines[-2:]]).replace('"call": 9', '"call": 3').replace('"call": 10', '"call": 4'))
    history = search("random", history_path=path, budget=10).history
    assert history["stream"].tolist().count("unknown") == 2 and len(history) == 10


def test_an_optimizer_of_one_s_own_need_not_say():
    class Plain(RandomSearch):
        def ask(self, n):
            return self.region.explore(n, self.generator)

    assert set(search(Plain).history["stream"]) == {"own"}


def test_what_a_laboratory_tells_unasked_is_told_and_what_it_was_asked_keeps_its_stream(tmp_path):
    wanted = {"oracle": "laboratory", "goals": "score", "history_path": tmp_path / "lab.jsonl", "budget": 30, "batch_size": 5}
    batch = run_campaign(ToyModel(), method="auto", **wanted).batch
    told = pd.DataFrame({"smiles": [*batch["smiles"], chain(12, 12)], "score": np.arange(len(batch) + 1.0)})
    history = run_campaign(ToyModel(), method="auto", results=told, **wanted).history
    assert set(history["stream"]) <= {"told", "prior"}
    assert history.set_index("smiles")["stream"][chain(12, 12)] == "told"


def test_the_control_asks_the_model_for_the_first_molecules_only():
    model = ToyModel()
    history = run_campaign(model, carbons, budget=40, method=GENETIC, batch_size=5).history
    n_first = model.n_decoded
    run_campaign(again := ToyModel(), carbons, budget=10, method=GENETIC, batch_size=5)
    assert again.n_decoded == n_first and len(history) == 40
    assert not set(history["smiles"]) <= set(CELLS)  # not all of them can be written by the model
    starts = list(CELLS)[:60]
    run_campaign(never := ToyModel(), carbons, budget=40, method=GENETIC, batch_size=5, start=starts)
    assert never.n_decoded == 0


def test_children_are_those_they_were_and_know_their_parents():
    parents = ["c1ccccc1CCO", "C1CCNCC1C#N", "CCOC(=O)C", "CC(C)Cc1ccncc1"]
    children = breed(parents, 20, np.random.default_rng(3), 0.5)
    assert [child.smiles for child in children] == offspring(parents, 20, np.random.default_rng(3), 0.5)
    assert all(set(child.parents) <= set(parents) for child in children)
    assert {child.is_mutated for child in children} == {True, False}


def test_parents_of_what_nobody_has_paid_for_are_its_own_parents():
    fresh, scored = Origin("neighbour", ("CCO", "CCN")), Origin("start", ("CCN",))
    assert Origin.joined("crossover", [fresh, scored]) == Origin("crossover", ("CCO", "CCN"))


def test_tables_and_report_show_the_account(tmp_path):
    wanted = {"oracle": Bowl(), "goals": "score", "budget": 25, "method": "auto", "batch_size": 5}
    found = search_in_folder(lambda name: ToyModel(), tmp_path / "hits", wanted)
    for name in ("history", "best"):
        table = pd.read_csv(tmp_path / "hits" / f"{name}.csv", keep_default_na=False)
        assert set(table["stream"]) <= set(STREAMS) and {"prior"} < set(table["stream"]) and "parent" in table
    shares = stream_shares(found.result.molecules)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert STREAMS["prior"] in render(found.result) and "What proposed the best molecules" in render(found.result)
