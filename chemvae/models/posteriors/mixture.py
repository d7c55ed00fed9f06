"""Mixture-of-Gaussians posterior, with implicit reparameterisation gradients."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal
from torch.nn.functional import softplus

from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.gaussian import MIN_SCALE, standard_normal


class ReparameterizedMixture(MixtureSameFamily):
    """A mixture of C diagonal Gaussians whose draws have gradients to means, scales and weights.

    A draw z belongs to no component any more than its density says: with u_d = F(z_d | z_<d), the mixture's conditional
    distribution functions, u is uniform whatever the parameters are, so that dz = -(du/dz)^-1 du at fixed u. The matrix is
    lower triangular with the conditional densities on its diagonal. This is implicit reparameterisation (Figurnov, Mohamed &
    Mnih 2018, https://arxiv.org/abs/1805.08498); solved row by row it is the recursion of Graves (2016,
    https://arxiv.org/abs/1607.05690).
    """

    has_rsample = True

    def __init__(self, logits: Tensor, means: Tensor, scales: Tensor):
        parts = Independent(Normal(means, scales, validate_args=False), 1, validate_args=False)
        super().__init__(Categorical(logits=logits, validate_args=False), parts, validate_args=False)

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        with torch.no_grad():
            z = self.sample(torch.Size(sample_shape))
        if not torch.is_grad_enabled():
            return z
        u, jacobian = self._distribution_functions(z.double())
        moved = torch.linalg.solve_triangular(jacobian.detach(), (u - u.detach())[..., None], upper=False)[..., 0]
        return z - moved.to(z.dtype)  # the value is z: moved is 0 and has a gradient

    def _distribution_functions(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """u [..., D] at z [..., D], differentiable in the parameters, and du/dz [..., D, D]."""
        parts = cast(Normal, cast(Independent, self.component_distribution).base_dist)
        loc, scale, log_weight = parts.loc.double(), parts.scale.double(), self.mixture_distribution.logits.double()
        x = (z[..., None, :] - loc) / scale  # [..., C, D]
        log_density = -0.5 * x.square() - scale.log() - 0.5 * math.log(2 * math.pi)
        before = log_density.cumsum(dim=-1) - log_density  # of the dimensions before each
        share = (log_weight[..., None] + before).softmax(dim=-2)  # [..., C, D], p(c | z_<d)
        below = torch.special.ndtr(x)
        u = (share * below).sum(dim=-2)  # [..., D]
        with torch.no_grad():
            slope = -x / scale  # d log N / dz_e, [..., C, D]
            rows = (share * (below - u[..., None, :])).transpose(-1, -2) @ slope  # [..., D, D]; what z_e does to the shares
            diagonal = (share * log_density.exp()).sum(dim=-2).clamp_min(1e-30)
        return u, rows.tril(-1) + torch.diag_embed(diagonal)


class MixturePosterior(PosteriorFamily):
    """q(z|x) = sum_c pi_c N(mu_c, diag(sigma_c^2)) against N(0, I); no KL in closed form.

    The point that stands for a molecule is the mean of the heaviest component: between components there may be nothing.
    Gradients reach the weights by implicit reparameterisation (:class:`ReparameterizedMixture`).

    Parameters
    ----------
    hidden_dim, latent_dim : int
    n_components : int
        C, >= 1.
    """

    zero: Tensor

    def __init__(self, hidden_dim: int, latent_dim: int, n_components: int = 4):
        super().__init__()
        self.latent_dim, self.n_components = latent_dim, n_components
        self.project = nn.Linear(hidden_dim, n_components * (2 * latent_dim + 1))
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)

    def forward(self, h: Tensor) -> Posterior:
        C, D = self.n_components, self.latent_dim
        logits, loc, raw = self.project(h).split([C, C * D, C * D], dim=-1)
        loc, raw = loc.unflatten(-1, (C, D)), raw.unflatten(-1, (C, D))
        heaviest = logits.argmax(dim=-1)[..., None, None].expand(*logits.shape[:-1], 1, D)
        q = ReparameterizedMixture(logits, loc, softplus(raw) + MIN_SCALE)
        return Posterior(q, point=loc.gather(-2, heaviest)[..., 0, :])

    def prior(self) -> Distribution:
        return standard_normal(self.zero)
