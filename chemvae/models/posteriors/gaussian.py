"""Diagonal Gaussian posterior."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import softplus

from chemvae.models.posteriors.base import Posterior, PosteriorFamily

MIN_SCALE = 1e-3  # keeps log q finite where the encoder is certain; 6.9 nats per dimension at the most


class DiagonalGaussian(PosteriorFamily):
    """q(z|x) = N(loc, diag(scale^2)) against N(0, I) (Kingma & Welling, 2014, https://arxiv.org/abs/1312.6114).

    KL per dimension: (loc^2 + scale^2 - 1) / 2 - log scale.
    """

    def __init__(self, hidden_dim: int, latent_dim: int):
        super().__init__()
        self.latent_dim = latent_dim
        self.project = nn.Linear(hidden_dim, 2 * latent_dim)
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)

    def forward(self, h: Tensor) -> Posterior:
        loc, raw = self.project(h).chunk(2, dim=-1)  # [B, D] each
        scale = softplus(raw) + MIN_SCALE
        kl_dims = (loc.square() + scale.square() - 1) / 2 - scale.log()
        return Posterior(
            Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False),
            point=loc,
            kl=kl_dims.sum(dim=-1),
            kl_dims=kl_dims,
        )

    def prior(self) -> Distribution:
        return Independent(Normal(self.zero, torch.ones_like(self.zero), validate_args=False), 1, validate_args=False)
