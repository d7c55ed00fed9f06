"""Priors are densities that match their own samples."""

import numpy as np
import torch

from chemvae.models.priors import MixturePrior, NormalPrior


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
