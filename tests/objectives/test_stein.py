"""Stein's direction, and an encoder that follows it."""

import numpy as np
import pytest
import torch

from chemvae.errors import SettingsError
from chemvae.objectives import SteinVAE
from chemvae.objectives.stein import stein_direction
from tests.contracts.objective import ObjectiveContract


class TestStein(ObjectiveContract):
    is_bound = False

    def objective(self):
        return SteinVAE(lambda step: 1.0, n_draws=3)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["property_nll"]


def test_the_direction_of_two_particles_is_that_of_the_formula():
    z, slope = torch.tensor([[[0.0]], [[2.0]]]), torch.tensor([[[1.0]], [[-3.0]]])
    width = 4 / np.log(3)
    k = np.exp(-4 / width)
    wanted = [(1 + k * -3 + (-2 / width) * k * 2) / 2, (k * 1 - 3 + (-2 / width) * k * -2) / 2]
    np.testing.assert_allclose(stein_direction(z, slope)[:, 0, 0], wanted, rtol=1e-5)


def test_particles_end_as_the_gaussian_whose_slope_they_follow():
    generator = torch.Generator().manual_seed(0)
    z = 0.1 * torch.randn(100, 1, 1, generator=generator, dtype=torch.float64)
    optimizer = torch.optim.Adagrad([z], lr=0.3)
    for _ in range(1_500):
        z.grad = -stein_direction(z, -(z - 3.0) / 4.0)  # N(3, 2^2)
        optimizer.step()
    assert float(z.mean()) == pytest.approx(3.0, abs=0.1) and float(z.std()) == pytest.approx(2.0, rel=0.15)


def test_molecules_do_not_push_each_other_s_particles():
    z, slope = torch.randn(4, 2, 3), torch.randn(4, 2, 3)
    together = stein_direction(z, slope)
    torch.testing.assert_close(together[:, :1], stein_direction(z[:, :1], slope[:, :1]))


def test_the_encoder_receives_the_direction_and_nothing_else(tiny_model, labelled):
    """What reaches z is -phi / (K B): that of the loss alone has another size."""
    model, made = tiny_model.train(), SteinVAE(lambda step: 1.0, n_draws=4)
    batch = labelled.batch(np.arange(6))
    terms = made.terms(model, batch, 0, torch.Generator().manual_seed(2))
    inner = torch.autograd.grad(made.loss(terms, 0).total, terms.z, retain_graph=True)[0]
    slope = made._slope(model, batch, terms.z.detach(), 0)
    assert inner.shape == slope.shape
    torch.testing.assert_close(inner, -stein_direction(terms.z.detach(), slope) / 24)


def test_one_particle_is_refused():
    with pytest.raises(SettingsError, match="n_draws must be >= 2 particles"):
        SteinVAE(lambda step: 1.0, n_draws=1)
