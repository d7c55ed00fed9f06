"""KL, active units and mutual information against closed forms."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from chemvae.models.information import active_units, gaussian_kl, mutual_information


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
    assert mutual_information(loc, scale, z) == pytest.approx(math.log(1 + 4.0), abs=0.06)


def test_mutual_information_is_zero_for_one_shared_posterior_and_at_most_log_n():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(300, 5, generator=generator)
    assert mutual_information(torch.zeros_like(z), torch.ones_like(z), z) == pytest.approx(0.0, abs=1e-9)
    assert mutual_information(100.0 * z, torch.ones_like(z), 100.0 * z, chunk=7) == pytest.approx(math.log(300))
