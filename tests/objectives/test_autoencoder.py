"""Autoencoders without a prior; the linear one is PCA."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.vocabulary import MASK
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.objectives import Autoencoder, DenoisingAutoencoder
from chemvae.objectives.autoencoder import masked
from tests.contracts.objective import ObjectiveContract


class TestAutoencoder(ObjectiveContract):
    is_bound = False

    def objective(self):
        return Autoencoder()

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["property_nll"]


class TestDenoisingAutoencoder(ObjectiveContract):
    is_bound = False

    def objective(self):
        return DenoisingAutoencoder()

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["property_nll"]


def test_a_linear_autoencoder_spans_the_principal_components():
    """min |x - W V x|^2 is reached where W V projects on the leading eigenvectors (Baldi & Hornik 1989)."""
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([3.0, 2.0, 1.0, 0.5, 0.3], dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64)).Q
    x = torch.randn(200, 5, generator=generator, dtype=torch.float64) * scale @ turn
    x = x - x.mean(dim=0)
    v = torch.randn(2, 5, generator=generator, dtype=torch.float64).requires_grad_()
    w = torch.randn(5, 2, generator=generator, dtype=torch.float64).requires_grad_()

    def loss():
        z = x @ v.t()
        log_px_z = -0.5 * (x - z @ w.t()).square().sum(dim=1)[None]
        zero = torch.zeros_like(log_px_z)
        return Autoencoder().loss(Terms(log_px_z, zero, zero, None, None, zero, z[None]), 0).total

    optimizer = torch.optim.LBFGS(
        [v, w], max_iter=500, tolerance_grad=1e-13, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    principal = torch.linalg.svd(x, full_matrices=False).Vh[:2]
    torch.testing.assert_close(w.detach() @ v.detach(), principal.t() @ principal, atol=1e-6, rtol=0)


def test_masked_molecules_are_whole_for_the_decoder_and_a_share_is_hidden_from_the_encoder(labelled):
    batch = labelled.batch(np.arange(20))
    found = masked(batch, 0.3, torch.Generator().manual_seed(0))
    assert torch.equal(found.token_ids, batch.token_ids) and torch.equal(found.encoder_lengths, batch.lengths)
    real = torch.arange(batch.token_ids.shape[1]) < batch.lengths[:, None]
    hidden = found.encoder_ids == MASK
    assert not hidden[~real].any() and 0.2 < float(hidden[real].double().mean()) < 0.4
    assert torch.equal(found.encoder_ids[~hidden], batch.token_ids[~hidden])


def test_held_out_molecules_are_read_as_they_are(tiny_model, labelled):
    batch = labelled.batch(np.arange(8))
    ours, plain = (
        one(tiny_model.eval(), batch, 0, "model", torch.Generator().manual_seed(0)).total
        for one in (DenoisingAutoencoder(0.5), Autoencoder())
    )
    assert torch.equal(ours, plain)
    tiny_model.train()
    noised = DenoisingAutoencoder(0.5)(tiny_model, batch, 0, "model", torch.Generator().manual_seed(0)).total
    assert not torch.equal(noised, plain)


def test_all_noise_is_refused():
    with pytest.raises(SettingsError, match="noise must lie in 0..1 without 1, got 1"):
        DenoisingAutoencoder(1.0)
