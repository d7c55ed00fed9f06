"""What z carries: KL to the prior, dimensions in use, mutual information with the molecule. All in nats per molecule."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

ACTIVE_VARIANCE = 0.01  # of the posterior mean; Burda, Grosse & Salakhutdinov, 2016


def gaussian_kl(loc: Tensor, scale: Tensor) -> Tensor:
    """KL(N(loc, scale^2) || N(0, I)) in closed form, [N] from [N, D].

    Examples
    --------
    >>> gaussian_kl(torch.tensor([[0.0, 2.0]]), torch.ones(1, 2))
    tensor([2.])
    """
    return (0.5 * (loc**2 + scale**2 - 1.0) - scale.log()).sum(dim=-1)


def active_units(loc: Tensor, threshold: float = ACTIVE_VARIANCE) -> float:
    """Share of latent dimensions whose posterior mean varies over the molecules [N, D] by more than ``threshold``.

    Examples
    --------
    >>> active_units(torch.tensor([[0.0, 1.0], [0.01, -1.0]]))
    0.5
    """
    if len(loc) < 2:
        return math.nan
    return float((loc.double().var(dim=0, correction=0) > threshold).double().mean())


def mutual_information(loc: Tensor, scale: Tensor, z: Tensor, chunk: int = 512) -> float:
    """Estimate what z knows about the molecule: I(x; z) = E KL(q(z|x) || p) - KL(q(z) || p) = E log q(z|x) / q(z).

    The aggregate q(z) is the mean of the N posteriors given, each molecule's own among them. So the estimate cannot exceed
    log N, and says "at least that much" when it comes near; for few molecules it is biased low.

    Parameters
    ----------
    loc, scale : Tensor [N, D]
        Diagonal Gaussian posteriors.
    z : Tensor [N, D]
        One draw from each.
    chunk : int
        Rows of the [N, N] table at a time.

    Returns
    -------
    float
        Nats per molecule; NaN for no molecule.

    References
    ----------
    Hoffman & Johnson, ELBO surgery, 2016. http://approximateinference.org/accepted/HoffmanJohnson2016.pdf

    Examples
    --------
    >>> loc = torch.tensor([[-50.0], [50.0]])                    # two molecules that z always tells apart
    >>> round(mutual_information(loc, torch.ones(2, 1), loc), 6), round(math.log(2), 6)
    (0.693147, 0.693147)
    """
    if len(loc) == 0:
        return math.nan
    loc, scale, z = loc.double(), scale.double(), z.double()
    log_qz_x = Independent(Normal(loc, scale), 1).log_prob(z)  # [N]
    log_qz = torch.cat([_log_aggregate(rows, loc, scale) for rows in z.split(chunk)])  # [N]
    return float((log_qz_x - log_qz).mean())


def _log_aggregate(z: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """log (1/N) sum_j q(z|x_j) for rows z [n, D]: the squares are multiplied out, so no [n, N, D] table is made."""
    weight = scale.pow(-2)  # [N, D]
    distance = z.pow(2) @ weight.T - 2.0 * z @ (weight * loc).T + (weight * loc.pow(2)).sum(dim=1)  # [n, N]
    log_norm = scale.log().sum(dim=1) + 0.5 * loc.shape[1] * math.log(2.0 * math.pi)  # [N]
    return torch.logsumexp(-0.5 * distance - log_norm, dim=1) - math.log(len(loc))
