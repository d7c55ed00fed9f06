"""A result and its report as JSON: nothing is lost but the model, and the page says the same."""

import html
import json
import math

import numpy as np
import pandas as pd
import pytest

from chemvae.design import Goal, run_campaign
from chemvae.design.results.plain import plain
from chemvae.design.results.report_data import report_data
from chemvae.design.results.summary import summary
from tests.design.toys import ToyModel, carbons, chain


@pytest.fixture(scope="module")
def result():
    def partly(smiles):
        return math.nan if carbons(smiles) > 14 else carbons(smiles)

    oracles = {"carbons": partly, "length": len}
    goals = [Goal("carbons", low=0, high=30), Goal("length", "min", low=0, high=40)]
    return run_campaign(
        ToyModel(), oracles, budget=25, goals=goals, constraints=["MW<250"], start=[chain(3, 3)], method="random", batch_size=6
    )


def strict(text):
    """JSON as the standard has it, which knows no NaN."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_it_goes_round(result, tmp_path):
    data = result.to_dict()
    path = tmp_path / "new" / "result.json"
    assert strict(json.dumps(data)) == data == strict(result.to_json(path)) == strict(path.read_text(encoding="utf-8"))


def test_history_holds_every_number_or_none(result):
    rows = result.to_dict()["history"]
    assert [row["smiles"] for row in rows] == result.history["smiles"].tolist() and rows[0]["call"] == 1
    np.testing.assert_array_equal(np.array([row["z"] for row in rows], dtype=np.float32), np.stack(result.history["z"]))
    for name in ("score", "utility", "carbons", "length"):
        found = np.array([row[name] for row in rows], dtype=float)
        np.testing.assert_array_equal(found, result.history[name])
    assert {type(row["score"]) for row in rows} == {float, type(None)}


def test_the_rest_is_there(result):
    data = result.to_dict()
    assert data["summary"] == summary(result) and data["stopped"] == "budget spent" and data["receipt"] is None
    assert [row["smiles"] for row in data["pareto"]] == result.pareto["smiles"].tolist() and "z" not in data["pareto"][0]
    assert len(data["molecules"]) == len(result.molecules) and data["batch"] == []
    assert data["rejections"] == result.rejections and data["counts"] == result.counts
    assert data["goals"][1] == {
        "name": "length", "direction": "min", "target": None, "weight": 1.0, "low": 0, "high": 40, "range": [0.0, 40.0],
    }  # fmt: skip
    assert set(data["proposals"][0]) == {"round", "smiles", "outcome", "reason", "times"}
    assert data["settings"]["constraints"] == ["MW < 250"] and data["settings"]["start"] == [chain(3, 3)]


def test_a_search_without_a_score_has_a_form_too():
    empty = run_campaign(ToyModel(), lambda smiles: math.nan, budget=5, method="random")
    data = strict(empty.to_json())
    assert data["summary"]["best"] is None and data["molecules"] == data["pareto"] == []
    assert report_data(empty)["best"] is None and report_data(empty)["front"] is None


def test_the_report_s_data_is_what_the_page_says(result, tmp_path):
    baseline = run_campaign(ToyModel(), lambda smiles: 1.0, budget=20, method="random", batch_size=6)
    data = report_data(result, baseline)
    assert strict(json.dumps(data)) == data
    page = html.unescape(result.to_html(tmp_path / "report.html", baseline).read_text(encoding="utf-8"))
    said = [data["title"], data["lead"], data["best"]["note"], data["front"]["note"], data["neighbours"]["caption"]]
    said += [data["course"]["note"], data["course"]["warning"], data["turned_away"]["note"], data["settings"]["command"]]
    said += [row["such as"][0] for row in data["turned_away"]["constraints"]]
    assert all(text in page for text in said)
    trace = data["course"]["traces"]["random"]
    assert len(trace) == 25 and trace[-1]["best"] == pytest.approx(result.best["utility"])
    assert [row["smiles"] for row in data["neighbours"]["pairs"]] == result.molecules["smiles"][:6].tolist()


def test_kinds_of_values():
    table = pd.DataFrame({"a": [1, 2], "b": [pd.NA, True], "c": [np.float32(0.5), -np.inf]})
    assert plain(table) == [{"a": 1, "b": None, "c": 0.5}, {"a": 2, "b": True, "c": None}]
    assert plain({1: (np.bool_(True), None, "x"), "z": np.zeros((1, 2))}) == {"1": [True, None, "x"], "z": [[0.0, 0.0]]}
    assert plain(pd.Series({"k": np.int32(4)})) == {"k": 4} and plain(object).startswith("<class")
