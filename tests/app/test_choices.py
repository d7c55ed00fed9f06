"""What a search may name, with the range and the distribution that a slider shows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from chemvae import library, load
from chemvae.app.desk.answers import Answers
from chemvae.app.desk.choices import describe_choices
from chemvae.app.desk.names import KNOWN
from chemvae.app.desk.sources import SHORT, source_of
from chemvae.data.tokens.vocabulary import Vocabulary
from tests.conftest import make_model
from tests.library.conftest import SMILES


@pytest.fixture(scope="session")
def lib_model():
    return make_model(Vocabulary.from_smiles(SMILES))


@pytest.fixture
def work():
    return library.Work(shard_rows=64)


@pytest.fixture
def known(lib_model):
    """A model of S1, which nobody computes here, and of qed, with the labels it has learned S1 from."""
    model = make_model(lib_model.vocabulary, ("S1", "qed")).eval()
    draws = torch.randn(100, model.latent_dim)
    labels = torch.full((100, 2), torch.nan, dtype=torch.float64)
    labels[:, 0] = torch.linspace(1.5, 2.5, 100)
    model.predictor.regions.fit(draws, draws, labels)
    return model


def test_a_predicted_property_has_the_range_of_its_labels_and_a_computed_one_the_usual(known):
    ends = {one["name"]: (one["low"], one["high"]) for one in describe_choices(known, None)["properties"]}
    assert ends["S1"] == (1.5, 2.5) and ends["qed"] == (0.0, 1.0)


def test_the_library_shows_how_a_predicted_property_is_distributed(known, tmp_path, work):
    library.build(SMILES[:90], tmp_path / "lib", known, ["qed"], work=work)
    columns = {one["name"]: one for one in describe_choices(known, tmp_path / "lib")["library"]["columns"]}
    assert "qed" in columns and list(columns)[-1] == "S1", "what the library has comes first"
    expected = known.predict(SMILES[:90])["S1"]
    assert sum(columns["S1"]["histogram"]) == len(expected)
    assert [columns["S1"]["low"], columns["S1"]["high"]] == pytest.approx(
        [expected.min(), expected.max()], abs=np.ptp(expected) / 20
    )


def test_a_library_of_another_model_says_nothing_of_predictions(known, lib_model, tmp_path, work):
    library.build(SMILES[:30], tmp_path / "lib", lib_model, ["qed"], work=work)
    columns = describe_choices(known, tmp_path / "lib")["library"]["columns"]
    assert "qed" in {one["name"] for one in columns} and "S1" not in {one["name"] for one in columns}


@pytest.fixture(scope="module")
def emitters() -> Answers:
    """The desk with the shipped model of emitters."""
    answers = Answers({"model": "oled", "project": "."})
    answers.model = load("oled", "cpu")
    return answers


def test_a_card_of_an_emitter_begins_with_what_the_model_knows_of_emitters(emitters):
    names = [one["name"] for one in emitters.card(KNOWN["mCP"])["properties"]]
    assert names[: len(emitters.model.property_names)] == list(emitters.model.property_names)
    assert {"qed", "SAS", "logP", "HBD"} <= set(names[len(emitters.model.property_names) :])


@pytest.mark.parametrize("name", ["mCP", "PXZ-TRZ", "TPBi", "4CzIPN"])
def test_no_interval_leaves_what_a_quantity_can_be(emitters, name):
    for one in emitters.card(KNOWN[name])["properties"]:
        if one["source"] == "predicted" and one["name"] in ("PLQY", "f", "chromophores_quantum_yield", "S1", "opv_pce_1"):
            assert 0 <= one["low"] <= one["value"] <= one["high"]
            assert one["high"] <= {"PLQY": 100, "chromophores_quantum_yield": 1}.get(one["name"], np.inf)


def test_gaps_that_disagree_say_how_each_was_found(emitters):
    told = {one["name"]: one for one in emitters.card(KNOWN["PXZ-TRZ"])["properties"]}
    gaps = ("dE_ST", "dE_ST_measured", "donor_acceptor_dEst_eV")
    assert [told[one]["how"] for one in gaps] == ["DFT", "measured", "TD-DFT of donor-acceptor molecules"]
    assert all(one["about"] for one in told.values() if one["source"] == "predicted")


def test_short_names_are_those_of_the_models_card():
    card = (Path(library.__file__).parents[1] / "weights" / "oled" / "card.md").read_text(encoding="utf-8")
    assert all(f"`{short}` is `{full}`" in card for short, full in SHORT.items())
    assert all(source_of(short, SHORT)["how"] for short in SHORT)
