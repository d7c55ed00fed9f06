"""Adversarially learned inference: what the critic sees, and whom it teaches."""

import numpy as np
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.objectives import AdversarialPairs
from chemvae.objectives.pairs import seen
from tests.conftest import MOLECULES
from tests.contracts.objective import ObjectiveContract


def objective_of(model):
    return AdversarialPairs(model.latent_dim, model.settings.decoder_dim)


class TestAdversarialPairs(ObjectiveContract):
    is_bound = False

    def objective(self):
        return AdversarialPairs(6, 16)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["property_nll"]


def test_what_the_critic_sees_of_a_text_does_not_depend_on_padding(tiny_model):
    data = SmilesDataset(MOLECULES, tiny_model.vocabulary)
    together, z = data.batch(np.arange(6)), torch.randn(6, tiny_model.latent_dim)
    found = seen(tiny_model, z, together.decoder_inputs)
    for row in range(6):
        alone = seen(tiny_model, z[row : row + 1], data.batch(np.array([row])).decoder_inputs)
        torch.testing.assert_close(found[row : row + 1], alone, rtol=1e-4, atol=1e-5)


def test_only_the_critic_learns_in_its_phase(tiny_model, labelled):
    objective, batch = objective_of(tiny_model), labelled.batch(np.arange(8))
    objective(tiny_model.train(), batch, 0, "critic", torch.Generator().manual_seed(0)).total.backward()
    assert all(p.grad is None for p in tiny_model.parameters())
    assert all(p.grad.abs().max() > 0 for p in objective.critic.parameters())


def test_the_critic_s_word_reaches_encoder_and_decoder(tiny_model, labelled):
    model, objective = tiny_model.train(), objective_of(tiny_model)
    batch = labelled.batch(np.arange(8))
    generator = torch.Generator().manual_seed(0)
    z = model.posterior_of(batch).draw(1, generator)[0][0]
    objective.log_odds(objective._encoded(model, batch, z)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.encoder.parameters())
    model.zero_grad()
    objective.log_odds(objective._written(model, batch, generator)).sum().backward()
    assert model.decoder.gru.weight_hh_l0.grad.abs().max() > 0
    assert all(p.grad is None or not p.grad.any() for p in model.encoder.parameters())  # what is written needs no encoder
