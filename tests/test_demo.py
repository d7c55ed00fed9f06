"""The demo: what it writes agrees with itself and with RDKit, its page loads nothing, and it says when it loses."""

import json
import math
import os
import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute
from chemvae.cli import app
from chemvae.data.prepare.preparation import load_table
from chemvae.demo import run_demo
from chemvae.demo.card import parse_card, read_card
from chemvae.demo.findings import Findings
from chemvae.demo.molecule import DRUGS, Named, study
from chemvae.demo.run import _evaluate, _load, _make_library
from chemvae.demo.searches import METHODS, TASKS, Comparison, Improvement, Task, five_qed_minus_sas
from chemvae.demo.sections.improvements import improvement_section
from chemvae.demo.sections.model import model_section
from chemvae.demo.sections.molecule import molecule_section
from chemvae.demo.sizes import choose_sizes
from chemvae.errors import InvalidMoleculeError, RunFolderError, SettingsError, UnknownTokenError
from chemvae.runs import RunFolder

BROWSER = os.environ.get("CHEMVAE_BROWSER") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One demo that trains, at small sizes: its folder and what it returned."""
    folder = tmp_path_factory.mktemp("demo") / "trained"
    return folder, run_demo(folder, train=True, fast=True)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """One demo of the shipped model from a molecule that someone gave, at small sizes."""
    folder = tmp_path_factory.mktemp("demo") / "shipped"
    return folder, run_demo(folder, start="Oc1ccc(NC(C)=O)cc1", fast=True)


@pytest.fixture(params=["trained", "shipped"])
def demo(request):
    """Each of the two in turn: folder, results, sizes."""
    folder, results = request.getfixturevalue(request.param)
    return folder, results, choose_sizes(train=request.param == "trained", fast=True)


class Elements(HTMLParser):
    """Start tags of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


# both demos ----------------------------------------------------------------------------------------------------------------


def test_results_are_what_was_returned_and_count_what_is_there(demo):
    folder, results, sizes = demo
    written = json.loads((folder / "results.json").read_text())
    assert written["searches"] == results["searches"] and written["next"] == results["next"]
    table = load_table(folder / "data", properties=["logP"])
    assert results["data"]["n_kept"] == len(table) == sum(results["data"]["splits"].values()) == sizes.limit
    assert results["seconds"]["total"] == pytest.approx(sum(v for k, v in results["seconds"].items() if k != "total"))
    assert set(results["seconds"]) == {"library", "model", "evaluate", "molecule", "design", "map", "total"}


def test_no_search_exceeds_its_budget_and_scores_are_those_of_rdkit(demo):
    _, results, sizes = demo
    for search, task in zip(results["searches"], TASKS, strict=True):
        assert set(search["methods"]) == {"random", "gradient", "bayesian", "auto"} == set(METHODS)
        for facts in search["methods"].values():
            assert facts["n_calls"] <= sizes.budget == search["budget"]
            assert canonicalize(facts["best_smiles"]) == facts["best_smiles"]
            again = five_qed_minus_sas(facts["best_smiles"]) if task.key == "score" else compute("logP", facts["best_smiles"])
            assert facts["best"] == pytest.approx(again)


def test_what_was_improved_stayed_similar_and_is_better(demo):
    _, results, _ = demo
    for one in results["improvements"]:
        for after in filter(None, one["after"].values()):
            assert after["qed"] == pytest.approx(compute("qed", after["smiles"])) and after["qed"] > one["before"]["qed"]
            assert compute("heavy_atoms", after["smiles"]) >= 0.85 * compute("heavy_atoms", one["start"])
            assert tanimoto(morgan([after["smiles"]]), morgan([one["start"]]))[0, 0] >= 0.4


def test_the_page_loads_nothing_and_holds_the_figures(demo):
    folder, results, _ = demo
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


def test_the_evaluation_lies_beside_the_page(demo):
    folder, results, _ = demo
    again = json.loads((folder / "evaluation" / "report.json").read_text())
    assert again["reconstruction_greedy"] == results["evaluation"]["reconstruction_greedy"]


def test_what_to_try_next_are_commands_that_exist(demo):
    for line in demo[1]["next"]:
        name, *words = shlex.split(line)[1:]
        flags = {flag for parameter in get_command(app).commands[name].params for flag in parameter.opts}
        assert {word for word in words if re.match("--?[a-z]", word)} <= flags, line


# with a model of its own ---------------------------------------------------------------------------------------------------


def test_new_means_not_in_the_training_set(trained):
    folder, results = trained
    table = load_table(folder / "data")
    training = {smiles for smiles, part in zip(table.smiles, table.split, strict=True) if part == "train"}
    fresh = [facts["best_new"] for search in results["searches"] for facts in search["methods"].values() if facts["best_new"]]
    assert fresh and all(one["smiles"] not in training for one in fresh)


def test_the_best_training_molecule_is_found_by_looking(trained):
    folder, results = trained
    assert results["beside"] == "training set"
    frame = load_table(folder / "data", properties=["logP", "qed", "SAS"]).frame().query("split == 'train'")
    best = results["searches"][0]["best_known_measure"]
    assert best == pytest.approx(max(5 * q - s for q, s in zip(frame["qed"], frame["SAS"], strict=True)))
    near = [abs(p - 5) for p, q, s in zip(frame["logP"], frame["qed"], frame["SAS"], strict=True) if s < 3 and q > 0.6]
    assert results["searches"][1]["best_known_measure"] == pytest.approx(min(near))


def test_the_run_lies_beside_the_page_and_what_was_given_was_held_out(trained):
    folder, results = trained
    assert chemvae.load(folder / "run").property_names == ["logP", "qed", "SAS"]
    test = set(load_table(folder / "data").frame().query("split == 'test'")["smiles"])
    assert {one["start"] for one in results["improvements"]} <= test


def test_a_run_can_be_shown_again_without_what_it_was_trained_on(trained, tmp_path):
    before = (trained[0] / "run" / "model.safetensors").read_bytes()
    findings = Findings(tmp_path, choose_sizes(train=False, fast=True), 0, str(trained[0] / "run"), is_trained=False)
    for step in (_load, _make_library, _evaluate):
        step(findings)
    assert (trained[0] / "run" / "model.safetensors").read_bytes() == before and findings.card is None
    known = findings.model.is_known(findings.table["smiles"].tolist())
    assert findings.evaluation.figures["n_molecules"] == (~known).sum() and 0 < known.sum() < len(known)
    assert f"{known.sum()} of its {len(known)} molecules are in the model" in model_section(findings)


# with a finished one -------------------------------------------------------------------------------------------------------


def test_the_molecule_that_was_given_is_looked_at_and_improved_first(shipped):
    _, results = shipped
    seen = results["molecule"]
    assert seen["smiles"] == PARACETAMOL == results["improvements"][0]["start"] and seen["name"] == "your molecule"
    model = chemvae.load("drug", "cpu")
    assert seen["came_back"] == (model.decode(model.encode([PARACETAMOL]))["smiles"][0] == PARACETAMOL)
    assert [row["property"] for row in seen["properties"]] == model.property_names
    for row in seen["properties"]:
        assert row["computed"] == pytest.approx(compute(row["property"], PARACETAMOL))
        assert (row["low"] + row["high"]) / 2 == pytest.approx(row["predicted"])
    assert all(one["smiles"] != PARACETAMOL for one in seen["near"]) and seen["path"][0]["share"] == 0
    assert sum(one["count"] for one in seen["near"]) <= seen["n_near_valid"] <= seen["n_near"]


def test_the_card_is_quoted_word_for_word(shipped):
    folder, results = shipped
    written = (Path(chemvae.__file__).parent.parent / results["model"]["card"]["source"]).read_text(encoding="utf-8")
    figures = results["model"]["card"]["figures"]
    assert {"reconstruction_greedy", "validity_learned_sampled", "mae_qed"} <= figures.keys()
    assert all(f"| `{name}` | {value} |" in written for name, value in figures.items())
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert results["model"]["card"]["source"] in page and f"{100 * float(figures['reconstruction_greedy']):.1f} %" in page
    assert "another kind of molecule" in page


def test_nothing_is_trained_and_the_library_stands_beside_what_was_found(shipped):
    folder, results = shipped
    assert results["model"]["name"] == "drug" and not results["model"]["trained_here"] and not (folder / "run").exists()
    assert results["beside"] == "virtual library"
    frame = load_table(folder / "data", properties=["qed", "SAS"]).frame()
    assert results["searches"][0]["best_known_measure"] == pytest.approx((5 * frame["qed"] - frame["SAS"]).max())


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"start": "C1CC"}, InvalidMoleculeError),
        ({"start": "[Xe]"}, UnknownTokenError),
        ({"model": "no/such/run"}, RunFolderError),
        ({"train": True, "start": "CCO"}, SettingsError),
        ({"train": True, "model": "drug"}, SettingsError),
    ],
)
def test_what_cannot_be_shown_is_said_before_anything_is_made(asked, error, tmp_path):
    with pytest.raises(error):
        run_demo(tmp_path / "out", fast=True, **asked)
    assert not (tmp_path / "out").exists()


def test_the_default_molecules_are_new_to_the_model_and_come_back():
    model = chemvae.load("drug", "cpu")
    smiles = [drug.smiles for drug in DRUGS]
    assert [canonicalize(one) for one in smiles] == smiles and not model.is_known(smiles).any()
    assert model.decode(model.encode(smiles))["smiles"].tolist() == smiles


def test_a_molecule_that_does_not_come_back_is_said_to(tiny_model):
    tiny_model.latent_statistics.std.fill_(0.1)
    seen = study(tiny_model, Named("", "CCO"), Named("", "c1ccccc1"), n_near=4, n_steps=2)
    assert not seen.came_back, "the weights are random"
    page = molecule_section(seen)
    assert "unchanged" not in page and ("not a molecule" in page or "another molecule" in page)
    assert "No molecule of the library" in molecule_section(None)


def test_a_card_without_figures_has_none():
    card = parse_card("# x\n\nSays little.\n", "x.md")
    assert card.figures == {} and card.limits == "" and card.share("kl") is None
    assert read_card(RunFolder("nowhere")) is None


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
def test_a_browser_draws_the_map_under_the_page_s_own_policy(shipped, tmp_path):
    flags = ["--headless", "--no-sandbox", "--no-first-run", "--disable-background-networking", "--use-angle=swiftshader"]
    flags += ["--enable-unsafe-swiftshader", f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom"]
    page = (shipped[0] / "report.html").as_uri()
    shown = subprocess.run([BROWSER, *flags, page], capture_output=True, text=True, timeout=240).stdout
    inside = shown.split('id="space"')[1]
    assert "<canvas" in inside and "gradient ascent" in inside


def test_before_and_after_counts_wins_and_says_where_nothing_was_found():
    def found(qed):
        columns = {"smiles": ["c1ccccc1O"], "score": [qed], "qed": [qed], "SAS": [1.0], "logP": [1.4], "MW": [94.1]}
        columns |= {"qed_predicted": [0.6], "similarity_to_start": [0.5], "novel": [True]}
        return SimpleNamespace(molecules=pd.DataFrame(columns))

    won = Improvement("CCO", 0.4, {"gradient": found(0.7), "random": found(0.5)})
    lost = Improvement("CCN", 0.4, {"gradient": found(0.3), "random": found(0.5)})
    text = improvement_section([won, lost], budget=12)
    assert "higher QED for 1 of 2 molecules, random steps for 1." in text
    assert "gradient ascent · QED 0.700" in text and "gradient ascent · nothing better found" in text
    assert "none was improved" in improvement_section([], budget=12)
