"""The kernel is the sum it says it is, its diagonal is the variance, and a fit prefers what made the labels."""

import math

import pytest
import torch

from chemvae.qsar.features import DESCRIPTORS, PARTS, Features
from chemvae.qsar.kernel import COUNT_SCALE, Kernel


def features(n, seed=0, dim=3):
    draw = torch.Generator().manual_seed(seed)
    counts = torch.poisson(torch.full((n, 50), 0.7), generator=draw)
    z = torch.randn(n, dim, generator=draw, dtype=torch.float64)
    return Features(z, counts, torch.randn(n, len(DESCRIPTORS), generator=draw, dtype=torch.float64))


SUBSETS = [PARTS, *((part,) for part in PARTS)]


@pytest.mark.parametrize("parts", SUBSETS)
def test_covariances_are_symmetric_positive_and_have_the_variances_on_their_diagonal(parts):
    a = features(12)
    covariance = Kernel(parts)(a, a)
    torch.testing.assert_close(covariance, covariance.T)
    torch.testing.assert_close(covariance.diagonal(), Kernel(parts).variance(a), atol=1e-5, rtol=1e-5)
    assert float(torch.linalg.eigvalsh(covariance).min()) > -1e-6


def test_each_term_is_its_formula():
    a, b = features(1, 1), features(1, 2)
    w, d = math.exp(-1.0), len(DESCRIPTORS)
    tanimoto = float(torch.minimum(a.counts, b.counts).sum() / torch.maximum(a.counts, b.counts).sum())
    dot = float((a.counts.log1p().double() * b.counts.log1p().double()).sum()) / COUNT_SCALE
    assert float(Kernel(["counts"])(a, b)) == pytest.approx(w * tanimoto + w * dot, rel=1e-5)
    squared = float((a.z - b.z).square().sum())
    assert float(Kernel(["z"])(a, b)) == pytest.approx(w * math.exp(-squared / (2 * 3)), rel=1e-6)
    r = math.sqrt(3 * float((a.descriptors - b.descriptors).square().sum()) / d)
    line = float((a.descriptors * b.descriptors).sum()) / d
    assert float(Kernel(["descriptors"])(a, b)) == pytest.approx(w * (1 + r) * math.exp(-r) + w * line, rel=1e-5)
    together = sum(float(Kernel([part])(a, b)) for part in PARTS)
    assert float(Kernel(PARTS)(a, b)) == pytest.approx(together, rel=1e-6)


def test_a_fit_finds_that_the_labels_come_of_a_line_in_the_descriptors():
    a = features(20)
    y = a.descriptors @ torch.linspace(-1, 1, len(DESCRIPTORS), dtype=torch.float64)
    kernel = Kernel(["z", "descriptors"]).fit(a, (y - y.mean()) / y.std())
    assert kernel.log["line"] > kernel.log["code"] and float(kernel.noise) < 0.05
    assert not any(value.requires_grad for value in kernel.log.values())


def test_of_pure_noise_a_fit_says_that_it_is_noise():
    y = torch.randn(30, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    kernel = Kernel(["z"]).fit(features(30), (y - y.mean()) / y.std())
    assert float(kernel.noise) > 0.5
