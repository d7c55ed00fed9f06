"""log I against an independent implementation, over all orders and arguments that occur."""

import numpy as np
import pytest
import torch
from scipy.special import ive

from chemvae.models.posteriors.bessel import log_bessel_i


@pytest.mark.parametrize("order", [0, 0.5, 1, 3, 7.5, 15, 23.9, 24, 31, 63, 63.5, 127])
def test_it_is_scipy_s(order):
    x = torch.logspace(-1, 5, 100, dtype=torch.float64)
    with np.errstate(all="ignore"):
        expected, ratio = np.log(ive(order, x.numpy())) + x.numpy(), ive(order + 1, x.numpy()) / ive(order, x.numpy())
    there = np.isfinite(expected) & (ratio > 0)  # scipy's underflows where both are small
    assert there.sum() > 50
    value, found = log_bessel_i(order, x)
    np.testing.assert_allclose(value.numpy()[there], expected[there], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found.numpy()[there], ratio[there], rtol=1e-9)


@pytest.mark.parametrize("order", [0, 3, 31])
def test_its_derivative_is_the_recurrence_s(order):
    """d log I_n / dx = I_(n + 1) / I_n + n / x."""
    x = torch.logspace(-1, 4, 30, dtype=torch.float64).requires_grad_()
    value, ratio = log_bessel_i(order, x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(slope, (ratio + order / x).detach(), rtol=1e-8, atol=1e-10)
