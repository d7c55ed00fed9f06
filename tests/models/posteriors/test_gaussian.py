"""Closed forms of the diagonal Gaussian, and the contract every family inherits."""

import torch

from chemvae.models.posteriors import POSTERIORS, DiagonalGaussian
from tests.contracts.posterior import PosteriorContract

H, D = 10, 2


class TestDiagonalGaussian(PosteriorContract):
    def family(self):
        return DiagonalGaussian(H, D)


def test_kl_equals_torch_distributions():
    family = DiagonalGaussian(H, 5).double()
    q = family(torch.randn(7, H, dtype=torch.float64))
    expected = torch.distributions.kl_divergence(q.distribution.base_dist, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(q.kl_dims, expected)
    torch.testing.assert_close(q.kl, expected.sum(-1))


def test_kl_of_the_prior_itself_is_zero():
    family = DiagonalGaussian(H, D).double()
    with torch.no_grad():
        family.project.weight.zero_()
        family.project.bias[:D] = 0.0
        family.project.bias[D:] = torch.log(torch.expm1(torch.tensor(1.0 - 1e-3, dtype=torch.float64)))
    assert family(torch.randn(3, H, dtype=torch.float64)).kl.abs().max() < 1e-12


def test_the_table_lists_it():
    assert POSTERIORS["gaussian"] is DiagonalGaussian
