"""The adversarial autoencoder: the critic learns the log ratio of the two densities, and codes follow what it says."""

import numpy as np
import pytest
import torch

from chemvae.errors import InterruptedRunError, SettingsError
from chemvae.objectives import AdversarialAutoencoder, ObjectiveContext
from chemvae.runs import RunFolder
from chemvae.training.settings import TrainingSettings
from tests.contracts.objective import ObjectiveContract
from tests.objectives.test_own_samples import fitted
from tests.objectives.test_own_samples import train as train  # the chains' data set, a fixture
from tests.training.test_trainer import StopAt, weights


class TestAdversarialAutoencoder(ObjectiveContract):
    is_bound = False
    latent_dim = 6

    def objective(self):
        return AdversarialAutoencoder(self.latent_dim, weight=2.0)

    def test_parts_add_up_as_documented(self):
        self.latent_dim = 3
        super().test_parts_add_up_as_documented()

    def total_of(self, parts):
        return parts["cross_entropy"] + 2.0 * parts["found_out"] + parts["property_nll"]


def test_the_critic_learns_the_log_ratio_of_prior_and_codes():
    """log D / (1 - D) is log p(z) - log q(z); of N(0, 1) against N(1, 1) that is 1/2 - z."""
    objective = AdversarialAutoencoder(1)
    optimizer = torch.optim.Adam(objective.critic.parameters(), 2e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(600):
        codes, draws = torch.randn(512, 1, generator=generator) + 1.0, torch.randn(512, 1, generator=generator)
        optimizer.zero_grad()
        objective.critic_loss(codes, draws).total.backward()
        optimizer.step()
    z = torch.linspace(-0.5, 1.5, 9)[:, None]
    torch.testing.assert_close(objective.log_odds(z).detach(), 0.5 - z[:, 0], atol=0.25, rtol=0)


def test_without_a_model_it_says_that_it_needs_one():
    context = ObjectiveContext(TrainingSettings(), lambda step: 1.0, None)
    with pytest.raises(SettingsError, match="the size of its critic from a model"):
        AdversarialAutoencoder.from_settings(context)


def test_the_model_is_not_trained_in_the_critic_s_phase(tiny_model, labelled):
    objective = AdversarialAutoencoder(6)
    batch = labelled.batch(np.arange(8))
    loss = objective(tiny_model.train(), batch, 0, "critic", torch.Generator().manual_seed(0))
    loss.total.backward()
    assert all(p.grad is None for p in tiny_model.parameters())
    assert all(p.grad.abs().max() > 0 for p in objective.critic.parameters())


def test_codes_of_all_molecules_come_to_look_like_the_prior(train):
    def distance(weight):
        trainer = fitted(train, epochs=25, objective={"name": "aae", "weight": weight}, word_dropout=0.0)
        trainer.fit()
        z = trainer.module.posterior(train.smiles).draw(20, torch.Generator().manual_seed(0))[0].flatten(0, 1)
        return float(z.mean(dim=0).square().sum() + (z.var(dim=0) - 1).square().sum())

    assert distance(10.0) < 0.5 * distance(0.0)


def test_interrupted_and_resumed_equals_uninterrupted(train, tmp_path):
    asked = {"epochs": 8, "objective": "aae", "batch_size": 32, "threads": 1}
    whole = fitted(train, **asked)
    whole.fit()
    with pytest.raises(InterruptedRunError):
        fitted(train, RunFolder(tmp_path), (StopAt(8),), **asked).fit()
    again = fitted(train, RunFolder(tmp_path), **asked)
    again.resume()
    again.fit()
    assert torch.equal(weights(whole.module), weights(again.module))
    assert torch.equal(weights(whole.objective.critic), weights(again.objective.critic))
