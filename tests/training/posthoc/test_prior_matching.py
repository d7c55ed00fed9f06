"""A matched prior asks for what its samples lack; the rest of the model stays as it is."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.training.posthoc import prior_matching
from chemvae.training.posthoc.finish import finish
from chemvae.training.posthoc.prior_matching import log_ratio, match_prior
from tests.trained_model import MOLECULES

LONG = [one for one in MOLECULES if len(one) > 4]
SHORT = [one for one in MOLECULES if len(one) <= 4]


@pytest.fixture
def train(model):
    """Enough of them for a regression whose penalty is fixed."""
    return SmilesDataset(MOLECULES * 25, model.vocabulary)


@pytest.fixture
def fitted(model, train):
    """The model with a learned prior."""
    model.priors["learned"].fit(model.encode(train.smiles), 0)
    return model


def long_share(model):
    """Share of draws from the learned prior that lie nearer to a long molecule's code than to any short one's."""
    z = model.priors["learned"].sample(4000, torch.Generator().manual_seed(3))
    far = [torch.cdist(z, torch.from_numpy(model.encode(part))).amin(dim=1) for part in (LONG, SHORT)]
    return float((far[0] < far[1]).float().mean())


def test_what_the_samples_lack_is_drawn_more_often(fitted, train, monkeypatch):
    before = long_share(fitted)
    lacking = [one for one in train.smiles if one in SHORT] + [one for one in train.smiles if one in LONG][::4]
    monkeypatch.setattr(prior_matching, "_written", lambda model, n, seed: lacking)
    match_prior(fitted, train, rounds=3)
    assert long_share(fitted) > before + 0.05


def test_samples_like_the_training_molecules_change_no_weight(fitted, train, monkeypatch):
    monkeypatch.setattr(prior_matching, "_written", lambda model, n, seed: list(train.smiles))
    rows = match_prior(fitted, train, rounds=2)
    assert [row["effective_share"] for row in rows] == pytest.approx([1, 1], abs=1e-3)
    assert rows[0]["classifier_accuracy"] == pytest.approx(0.5, abs=0.05) and [row["round"] for row in rows] == [1, 2]


def test_only_the_prior_changes_and_the_same_seed_gives_the_same(fitted, train):
    state = {name: value.clone() for name, value in fitted.state_dict().items()}
    rows = match_prior(fitted, train, rounds=1, texts=600, seed=4)
    now = fitted.state_dict()
    changed = {name for name in now if not torch.equal(now[name].nan_to_num(), state[name].nan_to_num())}
    assert changed and all(name.startswith("priors.learned.") for name in changed)
    found = fitted.priors["learned"].means.clone()
    fitted.load_state_dict(state)
    assert match_prior(fitted, train, rounds=1, texts=600, seed=4) == rows
    torch.testing.assert_close(fitted.priors["learned"].means, found)
    assert 0 < rows[0]["valid"] <= 1 and 0 < rows[0]["effective_share"] <= 1


def test_the_slope_is_that_of_two_gaussians_of_one_covariance():
    rng = np.random.default_rng(0)
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    shift = np.array([0.4, -0.2])
    codes = rng.multivariate_normal([0, 0], covariance, 60_000)
    slope, classifier_accuracy = log_ratio(codes[:30_000] + shift, codes[30_000:])
    expected = np.linalg.solve(covariance, shift)
    np.testing.assert_allclose(slope, expected, atol=0.06)
    distance = np.sqrt(shift @ expected)  # Mahalanobis: the best rule is right with chance Phi(distance / 2)
    assert classifier_accuracy == pytest.approx(norm.cdf(distance / 2), abs=0.01)


def test_a_model_can_be_finished_with_a_matched_prior_whose_density_its_statistics_know(model, train):
    unlabelled = SmilesDataset(train.smiles, model.vocabulary, np.full((len(train), 1), np.nan))
    finish(model, unlabelled, unlabelled, None, seed=3)
    plain = model.priors["learned"].means.clone()
    match_prior(model, unlabelled, rounds=1, texts=600, seed=3)
    matched = model.priors["learned"].means.clone()
    finish(model, unlabelled, unlabelled, None, seed=3, matching={"rounds": 1, "texts": 600})
    assert not torch.equal(model.priors["learned"].means, plain)
    torch.testing.assert_close(model.priors["learned"].means, matched)
    density = model.priors["learned"].log_prob(torch.from_numpy(model.encode(train.smiles)))
    torch.testing.assert_close(model.latent_statistics.log_density_quantiles[50], density.median(), atol=1e-3, rtol=1e-3)


def test_a_decoder_that_writes_nothing_readable_is_refused(fitted, train, monkeypatch):
    monkeypatch.setattr(prior_matching, "_written", lambda model, n, seed: ["CCO"] * 9)
    with pytest.raises(NothingUsableError, match="9 of 12000 texts"):
        match_prior(fitted, train)
    with pytest.raises(NothingUsableError, match="beside 5 training molecules"):
        match_prior(fitted, SmilesDataset(list(train.smiles)[:5], fitted.vocabulary))


def test_nothing_to_do_is_refused_with_all_that_is_wrong(fitted, train):
    with pytest.raises(SettingsError, match="rounds must be >= 1, got 0.*texts must be >= 1, got -1"):
        match_prior(fitted, train, rounds=0, texts=-1)
