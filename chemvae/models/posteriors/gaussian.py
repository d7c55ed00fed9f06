"""Diagonal Gaussian posterior."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal
from torch.nn.functional import softplus

from chemvae.models.posteriors.base import Posterior, PosteriorFamily

MIN_SCALE = 1e-3  # keeps log q finite where the encoder is certain; 6.9 nats per dimension at the most


class DiagonalGaussian(PosteriorFamily):
    """q(z|x) = N(loc, diag(scale^2)) against N(0, I) (Kingma & Welling, 2014, https://arxiv.org/abs/1312.6114).

    KL per dimension: (loc^2 + scale^2 - 1) / 2 - log scale.
    """

    zero: Tensor

    def __init__(self, hidden_dim: int, latent_dim: int):
        super().__init__()
        self.latent_dim = latent_dim
        self.project = nn.Linear(hidden_dim, 2 * latent_dim)
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)

    def forward(self, h: Tensor) -> Posterior:
        return self.from_summary(self.summary(h))

    def summary(self, h: Tensor) -> Tensor:
        """loc and the scale before its softplus, side by side [B, 2D]."""
        return self.project(h)

    def from_summary(self, summary: Tensor) -> Posterior:
        loc, raw = summary.chunk(2, dim=-1)  # [B, D] each
        return gaussian_posterior(loc, softplus(raw) + MIN_SCALE)

    def prior(self) -> Distribution:
        return standard_normal(self.zero)


def gaussian_posterior(loc: Tensor, scale: Tensor) -> Posterior:
    """N(loc, diag(scale^2)) of loc and scale [B, D], with its KL to N(0, I).

    Examples
    --------
    >>> gaussian_posterior(torch.zeros(1, 2), torch.ones(1, 2)).kl
    tensor([0.])
    """
    kl_dims = (loc.square() + scale.square() - 1) / 2 - scale.log()
    return Posterior(
        independent_normal(loc, scale),
        point=loc,
        kl=kl_dims.sum(dim=-1),
        kl_dims=kl_dims,
        select=lambda rows: gaussian_posterior(loc[rows], scale[rows]),
    )


def diagonal_parameters(density: Posterior | Distribution) -> tuple[Tensor, Tensor] | None:
    """loc and scale [..., D] of a Gaussian whose dimensions are independent; None for every other density.

    Examples
    --------
    >>> from torch.distributions import Laplace
    >>> diagonal_parameters(Independent(Normal(torch.zeros(2), 1.0), 1))
    (tensor([0., 0.]), tensor([1., 1.]))
    >>> diagonal_parameters(Independent(Laplace(torch.zeros(2), 1.0), 1)) is None
    True
    """
    distribution = density.distribution if isinstance(density, Posterior) else density
    base = getattr(distribution, "base_dist", None)
    if isinstance(distribution, Independent) and type(base) is Normal:
        return base.loc, base.scale
    return None


def is_standard_normal(density: Distribution) -> bool:
    """Whether a density over z is N(0, I), however it is written down.

    Examples
    --------
    >>> is_standard_normal(MultivariateNormal(torch.zeros(2), torch.eye(2)))
    True
    >>> is_standard_normal(Independent(Normal(torch.zeros(2), 1.5), 1))
    False
    """
    if isinstance(density, MultivariateNormal):
        root = density.scale_tril
        return bool((density.loc == 0).all()) and torch.equal(root, torch.eye(len(root)).to(root).expand_as(root))
    parts = diagonal_parameters(density)
    return parts is not None and bool((parts[0] == 0).all() and (parts[1] == 1).all())


def independent_normal(loc: Tensor, scale: Tensor) -> Independent:
    """N(loc, diag(scale^2)) of loc and scale [..., D]."""
    return Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)


def standard_normal(zero: Tensor) -> Independent:
    """N(0, I) on the device and of the type of a zero vector [D]."""
    return independent_normal(zero, torch.ones_like(zero))
