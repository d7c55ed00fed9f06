"""KL, active units and mutual information against closed forms."""

import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from chemvae.models.information import active_units, gaussian_kl, kl_to_model_prior, kl_to_prior, mutual_information
from chemvae.models.posteriors import Posterior, gaussian_posterior


def test_kl_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    loc, scale = torch.randn(7, 4, generator=generator), torch.rand(7, 4, generator=generator) + 0.1
    expected = kl_divergence(Normal(loc, scale), Normal(torch.zeros(4), torch.ones(4))).sum(dim=1)
    torch.testing.assert_close(gaussian_kl(loc, scale), expected)


def test_active_units_counts_dimensions_that_move():
    loc = torch.stack([torch.linspace(-1, 1, 50), torch.full((50,), 3.0), 0.05 * torch.linspace(-1, 1, 50)], dim=1)
    assert active_units(loc) == pytest.approx(1 / 3)


def test_mutual_information_of_a_gaussian_channel():
    """loc ~ N(0, s^2), z = loc + sigma e per dimension: I = D/2 log(1 + s^2 / sigma^2)."""
    generator = torch.Generator().manual_seed(0)
    loc = 2.0 * torch.randn(4_000, 2, generator=generator)
    scale = torch.ones_like(loc)
    z = loc + torch.randn(loc.shape, generator=generator)
    assert mutual_information(gaussian_posterior(loc, scale), z) == pytest.approx(math.log(1 + 4.0), abs=0.06)


def test_mutual_information_is_zero_for_one_shared_posterior_and_at_most_log_n():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(300, 5, generator=generator)
    assert mutual_information(gaussian_posterior(torch.zeros_like(z), torch.ones_like(z)), z) == pytest.approx(0.0, abs=1e-9)
    assert mutual_information(gaussian_posterior(100.0 * z, torch.ones_like(z)), 100.0 * z, chunk=7) == pytest.approx(
        math.log(300)
    )


def test_a_family_without_closed_forms_gives_what_the_gaussian_s_table_gives():
    generator = torch.Generator().manual_seed(0)
    loc, scale = torch.randn(40, 3, generator=generator), torch.rand(40, 3, generator=generator) + 0.2
    q = gaussian_posterior(loc, scale)
    z, _ = q.draw(1, generator)
    full = MultivariateNormal(loc, scale_tril=torch.diag_embed(scale))
    assert mutual_information(full, z[0], chunk=7) == pytest.approx(mutual_information(q, z[0]), abs=1e-4)


def test_the_sampled_kl_is_the_closed_form_within_its_error():
    generator = torch.Generator().manual_seed(0)
    loc, scale = torch.randn(5, 3, generator=generator), torch.rand(5, 3, generator=generator) + 0.2
    prior = Independent(Normal(torch.ones(3), torch.full((3,), 2.0)), 1)
    q = gaussian_posterior(loc, scale)
    z, _ = q.draw(20_000, generator)
    sampled = kl_to_prior(Posterior(MultivariateNormal(loc, scale_tril=torch.diag_embed(scale)), point=loc), prior, z)
    torch.testing.assert_close(sampled, kl_to_prior(q, prior, z), atol=0.06, rtol=0)
    expected = kl_divergence(q.distribution.base_dist, prior.base_dist).sum(dim=1).double()
    torch.testing.assert_close(kl_to_prior(q, prior, z), expected)


def test_where_foreign_densities_are_dear_few_molecules_stand_for_all():
    generator = torch.Generator().manual_seed(0)
    loc = 2.0 * torch.randn(4_000, 2, generator=generator)
    q = gaussian_posterior(loc, torch.ones_like(loc))
    z = loc + torch.randn(loc.shape, generator=generator)
    dear = replace(q, reads_any_z=False)
    assert mutual_information(q, z) - 0.05 < mutual_information(dear, z) < mutual_information(q, z) + 0.6  # few: biased high
    apart = replace(gaussian_posterior(1e3 * loc, torch.ones_like(loc)), reads_any_z=False)
    assert mutual_information(apart, 1e3 * loc) == pytest.approx(math.log(4_000), abs=0.05)


def test_the_kl_to_a_trained_prior_is_estimated_at_draws():
    class Model:
        device = torch.device("cpu")
        priors = {"trained": torch.distributions.MultivariateNormal(torch.ones(3), 4 * torch.eye(3))}

    generator = torch.Generator().manual_seed(0)
    loc, scale = torch.randn(5, 3, generator=generator), torch.rand(5, 3, generator=generator) + 0.2
    q = gaussian_posterior(loc, scale)
    found = kl_to_model_prior(q, Model(), q.draw(20_000, generator)[0])
    torch.testing.assert_close(found, gaussian_kl(loc, scale, 1.0, 2.0).double(), atol=0.06, rtol=0)
