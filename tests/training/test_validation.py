"""What is measured on held-out molecules adds up, and a latent space that carries nothing is told with its remedy."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import CollapseError
from chemvae.objectives import BetaELBO
from chemvae.training import TrainingSettings
from chemvae.training.validation import check_collapse, measure, measure_objective
from tests.conftest import MOLECULES


def test_the_bound_is_its_parts_and_every_share_is_one(tiny_model, labelled):
    facts = measure(tiny_model, labelled)
    assert facts["elbo"] == pytest.approx(-(facts["cross_entropy"] + facts["kl"]))
    for name in ("active_units", "token_accuracy_teacher_forced", "reconstruction_greedy"):
        assert 0 <= facts[name] <= 1, name
    assert facts["kl"] > 0 and 0 <= facts["mutual_information"] <= np.log(len(labelled)) + 1e-6


def test_cross_entropy_is_that_of_the_decoder_at_the_same_draws(tiny_model, labelled):
    z = tiny_model.posterior(MOLECULES, canonicalize=False).draw(1, torch.Generator().manual_seed(7))[0][0]
    expected = -tiny_model.log_likelihood(z, MOLECULES, canonicalize=False).double().mean()
    assert measure(tiny_model, labelled, seed=7)["cross_entropy"] == pytest.approx(float(expected), rel=1e-5)


def test_a_seed_decides_and_the_size_of_a_batch_does_not(tiny_model, labelled, monkeypatch):
    facts = measure(tiny_model, labelled)
    assert measure(tiny_model, labelled) == facts != measure(tiny_model, labelled, seed=1)
    monkeypatch.setattr("chemvae.training.validation.MONITOR_BATCH", 7)
    again = measure(tiny_model, labelled)
    for name in ("kl", "reconstruction_greedy", "active_units"):  # where no draw decides
        assert again[name] == pytest.approx(facts[name], rel=1e-5), name


def test_reconstruction_is_the_share_that_the_decoder_writes_again(tiny_model, vocabulary):
    written = tiny_model.decode(tiny_model.encode(MOLECULES), check=False)["smiles"].tolist()
    data = SmilesDataset(MOLECULES, vocabulary, np.full((20, 2), np.nan))
    assert not set(written) & set(MOLECULES) and measure(tiny_model, data)["reconstruction_greedy"] == 0
    data.smiles = [*written[:7], *MOLECULES[7:]]
    assert measure(tiny_model, data)["reconstruction_greedy"] == pytest.approx(7 / 20)


def test_the_model_is_left_in_the_mode_it_was_in(tiny_model, labelled):
    for mode in (True, False):
        tiny_model.train(mode)
        measure(tiny_model, labelled)
        measure_objective(tiny_model, labelled, BetaELBO(lambda step: 1.0), 0)
        assert tiny_model.training == mode


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"kl": 0.1, "active_units": 0.5}, "KL 0.10 nats per molecule"),
        ({"kl": 9.0, "active_units": 0.0}, "0% of the latent dimensions active"),
        ({"kl": 0.1, "active_units": 0.0}, "expected. and 0%"),
    ],
)
def test_a_collapse_says_what_shows_it_and_what_to_do(facts, words):
    settings = TrainingSettings(min_kl=1.0, min_active_units=0.1)
    with pytest.raises(CollapseError, match=f"COLLAPSED: .*{words}.*word-dropout"):
        check_collapse(facts, settings, BetaELBO(lambda step: 1.0))


def test_what_carries_enough_passes():
    settings = TrainingSettings(min_kl=1.0, min_active_units=0.1)
    check_collapse({"kl": 1.0, "active_units": 0.1}, settings, BetaELBO(lambda step: 1.0))
