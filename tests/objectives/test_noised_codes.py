"""Molecules given noised codes: what the noise does to a distribution, and the objective beside the ordinary one."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.priors import HIGHEST_LEVEL, GaussianPrior
from chemvae.objectives import BetaELBO, noised_codes
from chemvae.objectives.noised_codes import NoisedCodes
from chemvae.objectives.own_samples import OwnSamples
from tests.objectives.test_own_samples import CHAINS, assert_resumes_exactly, fitted, untrained


@pytest.fixture(scope="module")
def train():
    return SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS))


@pytest.fixture(scope="module")
def model(train):
    trainer = fitted(train, epochs=12, beta=0.003)
    trainer.fit()
    return trainer.module


@pytest.fixture
def objective(model, train):
    found = NoisedCodes(BetaELBO(lambda step: 0.01), train, weight=0.2, seed=1)
    found.prepare(model, 0)
    return found


def test_levels_stop_where_a_code_is_still_its_molecule_s(train, monkeypatch):
    """E[z z'] of z' = a z + noise is E[a]."""
    monkeypatch.setattr(noised_codes, "LEARNED_SHARE", 0.0)
    z = torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0))
    found = NoisedCodes(BetaELBO(lambda step: 0.01), train, weight=1.0).noised(z, torch.Generator().manual_seed(1))
    assert abs(float((found * z).mean()) - HIGHEST_LEVEL / 2) < 0.01
    torch.testing.assert_close(found.var(dim=0), torch.ones(2), atol=0.02, rtol=0)


def test_half_of_the_batches_go_towards_each_density(objective):
    objective._prior.means.fill_(50.0)
    objective._prior.scales.fill_(1e-3)
    seeds = range(200)
    z = torch.full((3, 6), 50.0)
    at_home = [bool((objective.noised(z, torch.Generator().manual_seed(seed)) > 49).all()) for seed in seeds]
    assert abs(np.mean(at_home) - 0.5) < 0.1


def test_the_loss_is_the_objective_s_and_the_weighted_mean_over_every_third_molecule(objective, model, train):
    batch = train.batch(np.arange(30))
    loss = objective(model, batch, 0, "model", torch.Generator().manual_seed(3))
    noise = torch.Generator().manual_seed(3)
    terms = model(batch, 1, noise)
    number = int(torch.randint(3, (1,), generator=noise))
    z = objective.noised(terms.z[0][number::3], noise)
    texts = train.vocabulary.decode_rows(batch.token_ids[number::3].numpy())
    expected = -model.log_likelihood(z.detach(), texts).mean()
    torch.testing.assert_close(loss.parts["noised"], expected)
    torch.testing.assert_close(loss.total, objective.objective.loss(terms, 0).total + 0.2 * expected)


def test_the_encoder_learns_from_noised_codes(train):
    model = untrained(train).train()
    objective = NoisedCodes(BetaELBO(lambda step: 0.0), train, weight=1.0)
    z = model(train.batch(np.arange(6)), 1, torch.Generator().manual_seed(0)).z[0]
    objective.noised(z, torch.Generator().manual_seed(1)).square().sum().backward()
    assert model.encoder.embedding.weight.grad.abs().sum() > 0


def test_one_molecule_is_a_batch(objective, model, train):
    loss = objective(model, train.batch(np.arange(1)), 0, "model", torch.Generator().manual_seed(0))
    assert torch.isfinite(loss.total) and loss.parts["noised"] > 0


def test_more_samples_of_a_prior_are_molecules(train):
    def validity(weight):
        trainer = fitted(train, epochs=30, noised_codes=weight)
        trainer.fit()
        z = torch.randn(2000, 6, generator=torch.Generator().manual_seed(5))
        return trainer.module.decode(z, temperature=1.0, seed=2)["valid"].mean()

    assert validity(0.3) > validity(0.0) + 0.05


def test_state_brings_back_the_mixture(objective, train):
    other = NoisedCodes(objective.objective, train, weight=0.2)
    other.load(objective.state())
    z = torch.randn(50, 6)
    ours, theirs = (one.noised(z, torch.Generator().manual_seed(4)) for one in (objective, other))
    assert torch.equal(ours, theirs)
    other.load({})  # of a checkpoint that was written before the first fit
    assert torch.equal(theirs, other.noised(z, torch.Generator().manual_seed(4)))


def test_state_brings_back_a_gaussian_too(objective, train):
    objective._prior = GaussianPrior(6).fit(np.random.default_rng(0).normal(2.0, 3.0, (500, 6)))
    other = NoisedCodes(objective.objective, train, weight=0.2)
    other.load(objective.state())
    z = torch.randn(50, 6)
    for seed in range(8):  # both densities come up
        ours, theirs = (one.noised(z, torch.Generator().manual_seed(seed)) for one in (objective, other))
        assert torch.equal(ours, theirs)


def test_both_kinds_of_points_go_together(train, model):
    inner = NoisedCodes(BetaELBO(lambda step: 0.01), train, weight=0.2)
    both = OwnSamples(inner, train, weight=0.5, n_points=200)
    both.prepare(model, 0)
    loss = both(model, train.batch(np.arange(20)), 0, "model", torch.Generator().manual_seed(0))
    assert {"cross_entropy", "noised", "points"} <= set(loss.parts)
    again = OwnSamples(NoisedCodes(inner.objective, train, weight=0.2), train, weight=0.5)
    again.load(both.state())
    assert torch.equal(again._z, both._z)
    assert torch.equal(again.objective._prior.means, inner._prior.means)


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupted_and_resumed_equals_uninterrupted(train, tmp_path, threads, monkeypatch):
    monkeypatch.setattr(NoisedCodes, "refresh_steps", 7)
    assert_resumes_exactly(train, tmp_path, epochs=8, noised_codes=0.2, batch_size=32, threads=threads)
