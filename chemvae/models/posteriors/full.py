"""Gaussian posterior with a full covariance, by its Cholesky factor."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, MultivariateNormal
from torch.nn.functional import softplus

from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.gaussian import MIN_SCALE, standard_normal


class FullGaussian(PosteriorFamily):
    """q(z|x) = N(loc, L L^T), L lower triangular with diagonal sigma > 0, against N(0, I).

    z = loc + L e with e ~ N(0, I), and log det L = sum log sigma (Kingma & Welling, An Introduction to Variational
    Autoencoders, 2019, section 2.5.1, https://arxiv.org/abs/1906.02691). KL = (|L|_F^2 + |loc|^2 - D) / 2 - sum log sigma.
    """

    zero: Tensor
    below: Tensor

    def __init__(self, hidden_dim: int, latent_dim: int):
        super().__init__()
        self.latent_dim = latent_dim
        self.n_below = latent_dim * (latent_dim - 1) // 2
        self.project = nn.Linear(hidden_dim, 2 * latent_dim + self.n_below)
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("below", torch.tril_indices(latent_dim, latent_dim, -1), persistent=False)
        with torch.no_grad():  # begin near a diagonal: sums of D random entries would swamp sigma
            self.project.weight[2 * latent_dim :] /= latent_dim**0.5

    def forward(self, h: Tensor) -> Posterior:
        loc, raw, below = self.project(h).split([self.latent_dim, self.latent_dim, self.n_below], dim=-1)
        sigma = softplus(raw) + MIN_SCALE
        root = torch.diag_embed(sigma)  # [B, D, D]
        root[..., self.below[0], self.below[1]] = below
        q = MultivariateNormal(loc, scale_tril=root, validate_args=False)
        squares = sigma.square().sum(dim=-1) + below.square().sum(dim=-1) + loc.square().sum(dim=-1)
        return Posterior(q, point=loc, kl=(squares - self.latent_dim) / 2 - sigma.log().sum(dim=-1))

    def prior(self) -> Distribution:
        return standard_normal(self.zero)
