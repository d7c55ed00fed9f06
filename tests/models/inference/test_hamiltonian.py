"""Chains on densities whose mean is known: a correlated Gaussian, and von Mises-Fisher on the sphere."""

import torch
from torch.distributions import MultivariateNormal

from chemvae.models.inference.geometry import Flat, Sphere
from chemvae.models.inference.hamiltonian import Moves, chain_mean, slope, widths


def moves(width, space, seed=0):
    return Moves(width, space, generator=torch.Generator().manual_seed(seed))


def test_the_mean_of_a_correlated_gaussian_is_found_from_far_away():
    mean = torch.tensor([[2.0, -1.0], [0.0, 5.0]], dtype=torch.float64)
    target = MultivariateNormal(mean, torch.tensor([[1.0, 0.8], [0.8, 1.0]], dtype=torch.float64))
    start = mean + 20.0
    found = chain_mean(target.log_prob, start, 4000, moves(torch.ones_like(start), Flat()))
    torch.testing.assert_close(found.mean, mean, atol=0.15, rtol=0)
    assert ((found.accepted > 0.5) & (found.accepted <= 1)).all()


def test_on_the_sphere_the_mean_is_a_direction_and_stays_there():
    mu = torch.tensor([[0.0, 0.6, 0.8]], dtype=torch.float64)
    start = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    found = chain_mean(lambda z: 20.0 * (z * mu).sum(-1), start, 3000, moves(torch.ones_like(start), Sphere()))
    torch.testing.assert_close(found.mean.norm(dim=1), torch.ones(1, dtype=torch.float64))
    assert (found.mean * mu).sum() > 0.999


def test_a_molecule_whose_density_is_no_number_stays_where_it_began_and_the_others_go_on():
    start = torch.zeros(2, 3)
    found = chain_mean(
        lambda z: torch.where(torch.tensor([True, False]), torch.nan, -(z - 1).square().sum(-1)),
        start, 600, moves(torch.ones_like(start), Flat()),
    )  # fmt: skip
    torch.testing.assert_close(found.mean[0], start[0])
    assert found.accepted[0] == 0
    torch.testing.assert_close(found.mean[1], torch.ones(3), atol=0.15, rtol=0)


def test_a_slope_is_the_gradient_and_none_where_there_is_none():
    z = torch.tensor([[[3.0, -2.0]]])
    value, found = slope(lambda z: -0.5 * z.square().sum(-1), z)
    torch.testing.assert_close(found, -z)
    assert float(value) == -6.5
    assert not slope(lambda z: (z.sum(-1) - 1).sqrt(), torch.ones(1, 1, 1))[1].isinf().any()


def test_a_width_is_the_spread_of_draws_and_one_on_a_sphere():
    draws = torch.tensor([[[1.0, 0.0]], [[3.0, 0.0]]])
    torch.testing.assert_close(widths(draws, Flat()), torch.tensor([[1.0, 1e-6]]))
    torch.testing.assert_close(widths(draws, Sphere()), torch.ones(1, 2))
