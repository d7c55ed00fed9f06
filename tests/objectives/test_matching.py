"""The discrepancy of two densities is what integration says; InfoVAE and WAE are made of it."""

import math

import pytest
import torch
from scipy.integrate import quad

from chemvae.objectives import BetaELBO, InfoVAE, WassersteinAutoencoder
from chemvae.objectives.matching import SCALES, inverse_multiquadratic, mmd
from tests.contracts.linear_gaussian import LinearGaussian
from tests.contracts.objective import ObjectiveContract


class TestInfoVAE(ObjectiveContract):
    def objective(self):
        return InfoVAE(lambda step: 1.0, weight=3.0)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["kl"] + 3.0 * parts["mmd"] + parts["property_nll"]


class TestWassersteinAutoencoder(ObjectiveContract):
    is_bound = False

    def objective(self):
        return WassersteinAutoencoder(lambda step: 0.0, weight=3.0)

    def total_of(self, parts):
        return parts["cross_entropy"] + 3.0 * parts["mmd"] + parts["property_nll"]


def gaussian_mmd(shift, dim, sigma):
    """MMD^2 of N(0, I) and N(shift, I) for exp(-d^2 / (2 sigma^2)): differences of two draws are N(., 2 I)."""
    base = (sigma**2 / (sigma**2 + 2)) ** (dim / 2)
    return 2 * base * (1 - math.exp(-dim * shift**2 / (2 * (sigma**2 + 2))))


def repeated(kernel, shift, dim, n=60, repeats=300):
    torch.manual_seed(0)
    x = torch.randn(repeats, n, dim, dtype=torch.float64)
    y = torch.randn(repeats, n, dim, dtype=torch.float64) + shift
    found = torch.stack([mmd(a, b, kernel) for a, b in zip(x, y, strict=True)])
    return float(found.mean()), float(found.std()) / repeats**0.5


@pytest.mark.parametrize("shift", [0.0, 0.4, 1.0])
def test_the_estimate_is_unbiased_for_a_kernel_with_a_closed_form(shift):
    sigma, dim = 1.5, 3
    mean, error = repeated(lambda squares: (-squares / (2 * sigma**2)).exp(), shift, dim)
    assert abs(mean - gaussian_mmd(shift, dim, sigma)) < 4 * error


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_estimate_is_unbiased_for_its_own_kernel(shift):
    """C / (C + d^2) = integral of e^-t e^(-t d^2 / C) dt: a mixture of Gaussian kernels, sigma^2 = C / (2 t)."""
    dim, width = 4, 8.0
    exact = sum(
        quad(lambda t, c=scale * width: math.exp(-t) * gaussian_mmd(shift, dim, (c / (2 * t)) ** 0.5), 0, 60)[0]
        for scale in SCALES
    )
    mean, error = repeated(lambda squares: inverse_multiquadratic(squares, width), shift, dim)
    assert abs(mean - exact) < 4 * error and (shift == 0 or exact > 20 * error)


def test_without_a_weight_it_is_the_plain_bound():
    terms = LinearGaussian().terms(2)
    ours, theirs = InfoVAE(lambda step: 0.3, weight=0.0).loss(terms, 0), BetaELBO(lambda step: 0.3).loss(terms, 0)
    torch.testing.assert_close(ours.total, theirs.total)


def test_without_a_kl_it_is_the_wasserstein_autoencoder():
    terms = LinearGaussian().terms(2)
    ours = InfoVAE(lambda step: 0.0, weight=5.0).loss(terms, 0)
    theirs = WassersteinAutoencoder(lambda step: 0.0, weight=5.0).loss(terms, 0)
    assert torch.equal(ours.total, theirs.total)


def test_codes_are_drawn_towards_the_prior():
    torch.manual_seed(0)
    codes = (0.3 * torch.randn(200, 2) + 2.0).requires_grad_()
    optimizer, found = torch.optim.Adam([codes], 0.05), []
    for _ in range(200):
        optimizer.zero_grad()
        found.append(mmd(codes, torch.randn(200, 2), lambda squares: inverse_multiquadratic(squares, 4.0)))
        found[-1].backward()
        optimizer.step()
    torch.testing.assert_close(codes.mean(dim=0).detach(), torch.zeros(2), atol=0.35, rtol=0)
    assert abs(float(torch.stack(found[-20:]).mean().detach())) < 0.02 * float(found[0].detach())
