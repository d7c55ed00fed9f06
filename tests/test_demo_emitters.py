"""The emitters' demo: what it writes agrees with itself and with the model, and it says when a model knows nothing of them."""

import json
from html import unescape

import pytest
from typer.testing import CliRunner

import chemvae
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.cli import app
from chemvae.demo import run_emitters
from chemvae.demo.emitters.findings import FAST, MIN_SIMILARITY
from chemvae.demo.emitters.run import LIBRARY
from chemvae.errors import SettingsError
from chemvae.models.storage import save_model
from chemvae.runs import RunFolder

START = "N#Cc1ccc(-n2c3ccccc3c3ccccc32)cc1"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def emitting(tmp_path_factory):
    """A run folder: the drug model under other names, which says nothing of emitters but writes molecules."""
    model = chemvae.load("drug")
    model.property_names = ["S1", "T1", "dE_ST"]
    model.property_units = dict.fromkeys(model.property_names, "eV")
    run = RunFolder(tmp_path_factory.mktemp("emitting"))
    save_model(model, run)
    return run.path


@pytest.fixture(scope="module")
def shown(emitting, tmp_path_factory):
    folder = tmp_path_factory.mktemp("emitters") / "demo"
    return folder, run_emitters(folder, emitting, START, fast=True)


def test_results_are_what_was_returned_and_what_the_model_says(shown, emitting):
    folder, results = shown
    assert json.loads((folder / "results.json").read_text()) == results
    model = chemvae.load(emitting)
    for one in (results["start"], results["best"]):
        told = model.predict([one["smiles"]]).iloc[0]
        assert [one[name] for name in ("S1", "T1", "dE_ST")] == pytest.approx(told[["S1", "T1", "dE_ST"]].tolist(), rel=1e-3)
    assert results["samples"]["n"] == FAST.n_samples and 0 < results["n_calls"] <= FAST.budget


def test_what_was_made_of_the_start_resembles_it(shown):
    _, results = shown
    start, best = (morgan([results[which]["smiles"]]) for which in ("start", "best"))
    assert tanimoto(start, best).item() >= MIN_SIMILARITY


def test_page_holds_the_map_and_asks_nobody_for_anything(shown):
    folder, results = shown
    page = (folder / "report.html").read_text()
    assert 'class="chemvae-map"' in page and LIBRARY in page
    assert not any(link in page for link in ('src="http', 'href="http', "@import"))
    assert all(command in unescape(page) for command in results["next"])


def test_model_that_knows_no_emitters_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match=r"'drug' does not predict S1, T1, dE_ST; take one trained on emitters"):
        run_emitters(tmp_path / "demo", "drug", fast=True)


def test_a_small_model_of_drugs_is_not_trained_for_emitters(tmp_path):
    answer = CliRunner().invoke(app, ["demo", "--oled", "--train", "-o", str(tmp_path / "demo")])
    assert isinstance(answer.exception, SettingsError) or answer.exit_code != 0
    assert "leave out --oled" in str(answer.exception) + answer.output
    assert not (tmp_path / "demo").exists()
