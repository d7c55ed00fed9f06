"""Closed forms of the full-covariance Gaussian, and the contract every family inherits."""

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from chemvae.models.posteriors import FullGaussian
from tests.contracts.posterior import H, PosteriorContract


class TestFullGaussian(PosteriorContract):
    def family(self):
        return FullGaussian(H, 2)


def test_kl_and_volume_are_those_of_the_cholesky_factor():
    torch.manual_seed(0)
    family = FullGaussian(H, 5).double()
    q = family(torch.randn(7, H, dtype=torch.float64))
    expected = kl_divergence(q.distribution, MultivariateNormal(torch.zeros(5).double(), torch.eye(5).double()))
    torch.testing.assert_close(q.kl, expected)
    root = q.scale_tril
    assert (root.triu(1) == 0).all() and (root.diagonal(dim1=1, dim2=2) > 0).all()
    torch.testing.assert_close(torch.logdet(q.covariance_matrix) / 2, root.diagonal(dim1=1, dim2=2).log().sum(-1))


def test_dimensions_of_a_draw_go_together():
    torch.manual_seed(0)
    family = FullGaussian(H, 3).double()
    with torch.no_grad():
        q = family(3 * torch.randn(1, H, dtype=torch.float64))
        z, _ = q.draw(200_000)
    torch.testing.assert_close(torch.cov(z[:, 0].t()), q.covariance_matrix[0], atol=0.02, rtol=0.02)
    assert q.covariance_matrix[0, 0, 1].abs() > 0.05


def test_one_dimension_is_a_plain_gaussian():
    q = FullGaussian(H, 1)(torch.randn(3, H))
    torch.testing.assert_close(q.kl, kl_divergence(q.distribution, MultivariateNormal(torch.zeros(1), torch.eye(1))))
