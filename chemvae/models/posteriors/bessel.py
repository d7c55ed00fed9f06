"""The logarithm of the modified Bessel function I, for any order and argument, in torch and differentiable."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.polynomial import Polynomial
from torch import Tensor

HIGH_ORDER = 24  # from here on eight terms of the uniform expansion leave nothing in double precision
N_TERMS = 8


def log_bessel_i(order: float, x: Tensor) -> tuple[Tensor, Tensor]:
    """log I_order(x), and the ratio I_(order + 1)(x) / I_order(x); both [...] in double precision.

    The expansion that is uniform in x (Debye's; DLMF 10.41.3, https://dlmf.nist.gov/10.41#E3) at an order above 24, then the
    recurrence I_(n - 1) = I_(n + 1) + (2 n / x) I_n down to the one that is asked for, a direction in which errors shrink.

    Parameters
    ----------
    order : float
        >= 0.
    x : Tensor [...]
        > 0.

    Examples
    --------
    >>> value, ratio = log_bessel_i(0.5, torch.tensor(2.0))  # I_1/2(x) = sqrt(2 / (pi x)) sinh x
    >>> round(float(value.exp()), 6), round(math.sqrt(1 / math.pi) * math.sinh(2.0), 6)
    (2.046237, 2.046237)
    """
    x = x.double()
    n_down = max(0, math.ceil(HIGH_ORDER - order))
    high = order + n_down
    value, above = _uniform(high, x), _uniform(high + 1, x)
    ratio = (above - value).exp()
    for n in range(n_down):
        ratio = 1 / (ratio + 2 * (high - n) / x)
        value = value - ratio.log()
    return value, ratio


def _uniform(order: float, x: Tensor) -> Tensor:
    """log I_order(x) for a high order."""
    root = torch.hypot(x, torch.full_like(x, order))
    p = order / root  # 1 / sqrt(1 + (x / order)^2)
    eta = root + order * (x / (order + root)).log()  # order times DLMF's eta
    series = torch.zeros_like(x)
    for k in range(N_TERMS - 1, 0, -1):
        series = (series + _evaluate(_debye(k), p)) / order
    return eta - 0.5 * (2 * math.pi * root).log() + series.log1p()


def _evaluate(coefficients: tuple[float, ...], p: Tensor) -> Tensor:
    """A polynomial of p by Horner's rule, the constant term first."""
    value = torch.zeros_like(p)
    for one in reversed(coefficients):
        value = value * p + one
    return value


@functools.cache
def _debye(k: int) -> tuple[float, ...]:
    """Coefficients of the polynomial U_k (DLMF 10.41.9)."""
    u = Polynomial([1.0])
    for _ in range(k):
        u = Polynomial([0, 0, 0.5, 0, -0.5]) * u.deriv() + (Polynomial([1, 0, -5]) * u).integ() / 8
    return tuple(np.asarray(u.coef).tolist())
