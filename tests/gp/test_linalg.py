"""The one factor and the one distance of every Gaussian process here."""

import pytest
import torch

from chemvae.gp.linalg import JITTERS, cholesky, squared_distance


def covariance(n: int, rank: int) -> torch.Tensor:
    root = torch.randn(n, rank, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return root @ root.T


def test_a_covariance_that_needs_no_help_gets_none():
    matrix = covariance(6, 12)
    before = matrix.clone()
    root = cholesky(matrix)
    assert torch.equal(root, torch.linalg.cholesky(matrix)) and torch.equal(matrix, before)
    torch.testing.assert_close(root @ root.T, matrix)
    assert torch.equal(cholesky(matrix, relative=True), root)


def test_what_rounding_took_is_given_back_as_little_as_it_takes():
    matrix = covariance(12, 3)  # of rank 3: nine eigenvalues are 0 but for rounding
    root = cholesky(matrix)
    assert float((root @ root.T - matrix).abs().max()) <= JITTERS[2] * 1.001


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_a_relative_jitter_goes_by_the_unit_of_the_covariance(unit):
    root = cholesky(covariance(12, 3) * unit, relative=True)
    torch.testing.assert_close(root @ root.T / unit, covariance(12, 3), rtol=1e-4, atol=1e-4)


def test_what_is_no_covariance_is_refused():
    with pytest.raises(torch.linalg.LinAlgError):
        cholesky(-torch.eye(3))
    assert cholesky(torch.zeros(0, 0), relative=True).shape == (0, 0)


def test_the_gradient_is_that_of_the_plain_factor():
    ours, plain = (covariance(4, 8).requires_grad_() for _ in range(2))
    cholesky(ours).diagonal().log().sum().backward()
    torch.linalg.cholesky(plain).diagonal().log().sum().backward()
    torch.testing.assert_close(ours.grad, plain.grad)


def test_squared_distances_are_those_of_cdist_and_have_a_gradient_at_zero():
    noise = torch.Generator().manual_seed(1)
    a, b = (torch.randn(n, 3, generator=noise, dtype=torch.float64) for n in (4, 7))
    torch.testing.assert_close(squared_distance(a, b), torch.cdist(a, b).square())
    a.requires_grad_()
    squared_distance(a, a).sum().backward()
    assert a.grad.isfinite().all()
