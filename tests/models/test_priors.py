"""Priors are densities that match their own samples."""

import numpy as np
import pytest
import torch

from chemvae.models.priors import GaussianPrior, MixturePrior, NormalPrior


def test_mixture_finds_two_clusters():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(-4, 0.5, (400, 2)), rng.normal(4, 0.5, (200, 2))])
    prior = MixturePrior(2, n_components=2).fit(z)
    order = prior.means[:, 0].argsort()
    torch.testing.assert_close(prior.means[order], torch.tensor([[-4.0, -4.0], [4.0, 4.0]]), atol=0.15, rtol=0)
    torch.testing.assert_close(prior.weights[order], torch.tensor([2 / 3, 1 / 3]), atol=0.02, rtol=0)


def test_unused_components_have_no_weight_and_the_density_stays_finite():
    prior = MixturePrior(2, n_components=64).fit(np.random.default_rng(0).normal(size=(25, 2)))
    assert int((prior.weights > 0).sum()) == 2
    assert abs(float(prior.weights.sum()) - 1) < 1e-5
    assert prior.log_prob(prior.sample(50, torch.Generator().manual_seed(0))).isfinite().all()


def test_samples_follow_the_density():
    prior = MixturePrior(1, n_components=4).fit(np.random.default_rng(1).gamma(2.0, size=(2000, 1)))
    drawn = prior.sample(20_000, torch.Generator().manual_seed(0))[:, 0]
    axis = torch.linspace(-20, 40, 20_001)
    density = prior.log_prob(axis[:, None]).exp()
    width = axis[1] - axis[0]
    assert abs(float(density.sum() * width) - 1) < 1e-3
    assert abs(float((density * axis).sum() * width) - float(drawn.mean())) < 0.05


def test_normal_prior_is_standard():
    prior = NormalPrior(3)
    torch.testing.assert_close(prior.log_prob(torch.zeros(1, 3)), torch.tensor([-1.5 * np.log(2 * np.pi)], dtype=torch.float32))


def test_a_gaussian_has_the_mean_and_covariance_of_what_it_was_fitted_to():
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(4, 4, generator=generator).tril(-1) + 2 * torch.eye(4)
    z = torch.randn(100_000, 4, generator=generator) @ root.t() + torch.tensor([1.0, -2.0, 0.0, 5.0])
    prior = GaussianPrior(4).fit(z.numpy())
    drawn = prior.sample(100_000, generator)
    for sample in (z, drawn):
        torch.testing.assert_close(sample.mean(dim=0), prior.loc, atol=0.03, rtol=0)
        torch.testing.assert_close(torch.cov(sample.t()), prior.root @ prior.root.t(), atol=0.06, rtol=0)
    expected = torch.distributions.MultivariateNormal(z.mean(dim=0), torch.cov(z.t())).log_prob(z[:100])
    torch.testing.assert_close(prior.log_prob(z[:100]), expected, atol=2e-2, rtol=0)


@pytest.mark.parametrize("n", [1, 3, 30])
def test_a_gaussian_of_few_draws_has_a_finite_density(n):
    z = np.random.default_rng(0).normal(size=(n, 8))
    prior = GaussianPrior(8).fit(z)
    assert prior.log_prob(prior.sample(50, torch.Generator().manual_seed(0))).isfinite().all()


def two_islands(weights=(0.25, 0.75)):
    prior = MixturePrior(2, 2)
    prior.weights.copy_(torch.tensor(weights))
    prior.means.copy_(torch.tensor([[-8.0, 0.0], [8.0, 3.0]]))
    prior.scales.copy_(torch.tensor([[0.5, 1.0], [0.2, 2.0]]))
    return prior


def tilted():
    prior = GaussianPrior(2)
    prior.loc.copy_(torch.tensor([3.0, -1.0]))
    prior.root.copy_(torch.tensor([[2.0, 0.0], [1.5, 0.5]]))
    return prior


@pytest.mark.parametrize("prior", [NormalPrior(2), tilted()])
@pytest.mark.parametrize("level", [0.0, 0.3, 0.8])
def test_diffused_draws_of_a_gaussian_stay_its_draws(prior, level):
    generator = torch.Generator().manual_seed(0)
    z = prior.sample(200_000, generator)
    found = prior.diffuse(z, torch.full((len(z), 1), level), generator)
    torch.testing.assert_close(found.mean(dim=0), z.mean(dim=0), atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(found.t()), torch.cov(z.t()), atol=0.06, rtol=0)
    kept = torch.cov(torch.cat([z, found], dim=1).t())[:2, 2:]  # of the deviation, a share as large as the level
    torch.testing.assert_close(kept, level * torch.cov(z.t()), atol=0.06, rtol=0)


def test_diffused_draws_of_a_mixture_stay_in_their_component():
    prior, generator = two_islands(), torch.Generator().manual_seed(0)
    z = prior.sample(200_000, generator)
    found = prior.diffuse(z, torch.rand(len(z), 1, generator=generator), generator)
    left = found[:, 0] < 0
    assert abs(left.float().mean() - 0.25) < 0.005
    assert torch.equal(left, z[:, 0] < 0)
    for rows, mean, scale in zip((left, ~left), prior.means, prior.scales, strict=True):
        torch.testing.assert_close(found[rows].mean(dim=0), mean, atol=0.02, rtol=0)
        torch.testing.assert_close(found[rows].std(dim=0), scale, atol=0.02, rtol=0)


def test_responsibilities_are_bayes_rule():
    prior = two_islands().double()
    z = torch.tensor([[-8.0, 0.0], [5.0, 1.0], [8.0, 3.0]], dtype=torch.float64)
    parts = torch.distributions.Normal(prior.means, prior.scales)
    joint = parts.log_prob(z[:, None]).sum(dim=2).exp() * prior.weights
    torch.testing.assert_close(prior.responsibilities(z), joint / joint.sum(dim=1, keepdim=True))
