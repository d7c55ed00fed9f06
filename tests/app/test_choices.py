"""What a search may name, with the range and the distribution that a slider shows."""

import numpy as np
import pytest
import torch

from chemvae import library
from chemvae.app.desk.choices import describe_choices
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
