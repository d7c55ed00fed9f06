"""The demo: what it writes agrees with itself and with RDKit, its page loads nothing, and it says when it loses."""

import json
import math
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute
from chemvae.data.preparation import load_table
from chemvae.demo import run_demo
from chemvae.demo.searches import TASKS, Comparison, Improvement, Task, five_qed_minus_sas
from chemvae.demo.walk import FAST, next_commands
from chemvae.errors import RunFolderError

BROWSER = os.environ.get("CHEMVAE_BROWSER") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo at small sizes: its folder and what it returned."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    return folder, run_demo(folder, fast=True)


class Elements(HTMLParser):
    """Start tags of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_results_are_what_was_returned_and_count_what_is_there(demo):
    folder, results = demo
    written = json.loads((folder / "results.json").read_text())
    assert written["searches"] == results["searches"] and written["next"] == results["next"]
    table = load_table(folder / "data", properties=["logP"])
    assert results["data"]["n_kept"] == len(table) == sum(results["data"]["splits"].values()) == FAST.limit
    assert results["seconds"]["total"] == pytest.approx(sum(v for k, v in results["seconds"].items() if k != "total"))
    assert set(results["seconds"]) == {"prepare", "train", "evaluate", "design", "map", "total"}


def test_no_search_exceeds_its_budget_and_scores_are_those_of_rdkit(demo):
    _, results = demo
    for search, task in zip(results["searches"], TASKS, strict=True):
        assert set(search["methods"]) == {"random", "gradient", "bayesian"}
        for facts in search["methods"].values():
            assert facts["n_calls"] <= FAST.budget == search["budget"]
            assert canonicalize(facts["best_smiles"]) == facts["best_smiles"]
            again = five_qed_minus_sas(facts["best_smiles"]) if task.key == "score" else compute("logP", facts["best_smiles"])
            assert facts["best"] == pytest.approx(again)


def test_new_means_not_in_the_training_set(demo):
    folder, results = demo
    table = load_table(folder / "data")
    training = {smiles for smiles, part in zip(table.smiles, table.split, strict=True) if part == "train"}
    fresh = [facts["best_new"] for search in results["searches"] for facts in search["methods"].values() if facts["best_new"]]
    assert fresh and all(one["smiles"] not in training for one in fresh)


def test_the_best_training_molecule_is_found_by_looking(demo):
    folder, results = demo
    frame = load_table(folder / "data", properties=["logP", "qed", "SAS"]).frame().query("split == 'train'")
    best = results["searches"][0]["best_training_measure"]
    assert best == pytest.approx(max(5 * q - s for q, s in zip(frame["qed"], frame["SAS"], strict=True)))
    near = [abs(p - 5) for p, q, s in zip(frame["logP"], frame["qed"], frame["SAS"], strict=True) if s < 3 and q > 0.6]
    assert results["searches"][1]["best_training_measure"] == pytest.approx(min(near))


def test_the_page_loads_nothing_and_holds_the_figures(demo):
    folder, results = demo
    text = (folder / "report.html").read_text(encoding="utf-8")
    elements = Elements(text).found
    for tag, attributes in elements:
        for name in ("src", "href", "xlink:href", "data", "action"):
            value = attributes.get(name) or ""
            assert value.startswith(("#", "data:")) or not value, (tag, name, value[:60])
    policies = [
        attributes["content"] for tag, attributes in elements if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies and policies[0].startswith("default-src 'none'")
    for search in results["searches"]:
        for sentence in search["verdict"]:
            assert sentence in text
    assert sum(attributes.get("class") == "chemvae-map" for _, attributes in elements) == 1


def test_the_run_and_the_evaluation_lie_beside_the_page(demo):
    folder, results = demo
    import chemvae

    model = chemvae.load(folder / "run")
    assert model.property_names == ["logP", "qed", "SAS"]
    again = json.loads((folder / "evaluation" / "report.json").read_text())
    assert again["reconstruction_greedy"] == results["evaluation"]["reconstruction_greedy"]


def test_an_earlier_demo_can_be_walked_again_without_training(demo, tmp_path):
    folder, results = demo
    before = (folder / "run" / "model.safetensors").read_bytes()
    again = run_demo(folder, train=False, fast=True)
    assert (folder / "run" / "model.safetensors").read_bytes() == before
    timeless = [_without_times(one["searches"]) for one in (results, again)]
    assert timeless[0] == timeless[1], "same model, same seed, same searches"
    with pytest.raises(RunFolderError, match="does not exist"):
        run_demo(tmp_path / "nothing", train=False, fast=True)


def _without_times(searches):
    return json.loads(re.sub(r'"elapsed_s": [\d.]+', '"elapsed_s": 0', json.dumps(searches)))


def test_what_to_try_next_are_commands_that_exist(demo):
    import shlex

    from typer.main import get_command

    from chemvae.cli import app

    for line in next_commands(demo[0]):
        name, *words = shlex.split(line)[1:]
        flags = {flag for parameter in get_command(app).commands[name].params for flag in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= flags, line


# how searches are compared -------------------------------------------------------------------------------------------------


def comparison(task=TASKS[0], **scores):
    """A comparison of searches with these utilities, call by call."""
    results = {
        method: SimpleNamespace(history=pd.DataFrame({"utility": np.array(values, dtype=float)}))
        for method, values in scores.items()
    }
    return Comparison(task, results)


def test_a_lost_comparison_is_called_lost():
    made = comparison(random=[3.0] * 10, gradient=[1.0] * 9 + [9.0], bayesian=[3.0] * 10)
    assert made.lead("gradient") == pytest.approx(1.8 - 3.0) and made.lead("bayesian") == 0.0
    gradient, bayesian = made.verdict()
    assert "behind by 1.200: it lost here" in gradient and bayesian.endswith("level.")


def test_only_the_ten_best_count_and_failures_are_left_out():
    made = comparison(random=[1.0, math.nan, 3.0], gradient=[*range(20), math.nan])
    assert made.top("random") == 2.0 and made.top("gradient") == np.mean(range(10, 20))
    assert made.curve("random", 1).tolist() == [1.0, 1.0, 3.0]


def test_distances_count_as_better_when_smaller():
    target = next(task for task in TASKS if task.sign < 0)
    made = comparison(target, random=[-2.0, -1.0], gradient=[-0.5, -0.25])
    assert made.top("gradient") == pytest.approx(0.375) and made.lead("gradient") == pytest.approx(1.125)
    assert "ahead by 1.125" in made.verdict()[0]
    assert made.curve("random", 1).tolist() == [2.0, 1.0]


def test_searches_that_found_nothing_are_said_to():
    made = comparison(random=[math.nan], gradient=[1.0], bayesian=[])
    assert "random sampling found nothing" in made.verdict()[0] and "found nothing" in made.verdict()[1]
    assert math.isnan(made.top("bayesian"))


def test_the_path_of_the_best_holds_each_rise_once():
    made = comparison(random=[math.nan, 1.0, 0.5, 1.0, 2.0])
    assert made.best_path("random")["utility"].tolist() == [1.0, 2.0]


def test_best_known_respects_the_sign():
    table = pd.DataFrame({"value": [1.0, 5.0, np.nan]})
    for sign, best in ((+1, 5.0), (-1, 1.0)):
        assert Task("", "", "", "", sign, {}, lambda table: table["value"]).best_known(table) == best


def test_an_improvement_must_beat_its_start():
    molecules = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC"], "score": [0.5, 0.4, 0.3]})
    made = Improvement("CCO", 0.45, {"gradient": SimpleNamespace(molecules=molecules)})
    assert made.best("gradient") is None, "the start itself is no improvement"
    better = Improvement("CCC", 0.3, {"gradient": SimpleNamespace(molecules=molecules)})
    assert better.best("gradient")["smiles"] == "CCO"


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium found; set CHEMVAE_BROWSER to its path")
def test_a_browser_draws_the_map_under_the_page_s_own_policy(demo, tmp_path):
    flags = ["--headless", "--no-sandbox", "--no-first-run", "--disable-background-networking", "--use-angle=swiftshader"]
    flags += ["--enable-unsafe-swiftshader", f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"]
    page = (demo[0] / "report.html").as_uri()
    shown = subprocess.run([BROWSER, *flags, page], capture_output=True, text=True, timeout=240).stdout
    inside = shown.split('id="space"')[1]
    assert "<canvas" in inside and "gradient ascent" in inside


def test_before_and_after_counts_wins_and_says_where_nothing_was_found():
    from chemvae.demo.page import _before_after

    def found(qed):
        columns = {"smiles": ["c1ccccc1O"], "score": [qed], "qed": [qed], "SAS": [1.0], "logP": [1.4], "MW": [94.1]}
        columns |= {"qed_predicted": [0.6], "similarity_to_start": [0.5], "novel": [True]}
        return SimpleNamespace(molecules=pd.DataFrame(columns))

    won = Improvement("CCO", 0.4, {"gradient": found(0.7), "random": found(0.5)})
    lost = Improvement("CCN", 0.4, {"gradient": found(0.3), "random": found(0.5)})
    text = _before_after([won, lost], budget=12)
    assert "higher QED for 1 of 2 molecules, random steps for 1." in text
    assert "gradient ascent · QED 0.700" in text and "gradient ascent · nothing better found" in text
    assert "none was improved" in _before_after([], budget=12)
