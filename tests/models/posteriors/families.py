"""Two small families as a stranger would write them: they lack closed forms that the diagonal Gaussian has."""

import torch
from torch import nn
from torch.distributions import (
    Independent,
    MultivariateNormal,
    Normal,
    Transform,
    TransformedDistribution,
    constraints,
    kl_divergence,
)
from torch.nn.functional import softplus

from chemvae.models.posteriors import Posterior, PosteriorFamily


class FullGaussian(PosteriorFamily):
    """N(loc, L L^T): its KL is known, but not split over dimensions."""

    def __init__(self, hidden_dim, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim
        self.project = nn.Linear(hidden_dim, latent_dim + latent_dim**2)
        self.register_buffer("eye", torch.eye(latent_dim), persistent=False)

    def forward(self, h):
        loc, raw = self.project(h).split([self.latent_dim, self.latent_dim**2], dim=-1)
        raw = raw.unflatten(-1, (self.latent_dim, self.latent_dim))
        root = raw.tril(-1) + torch.diag_embed(softplus(raw.diagonal(dim1=-2, dim2=-1)) + 1e-2)
        q = MultivariateNormal(loc, scale_tril=root, validate_args=False)
        return Posterior(q, point=loc, kl=kl_divergence(q, self.prior()))

    def prior(self):
        return MultivariateNormal(torch.zeros_like(self.eye[0]), scale_tril=self.eye, validate_args=False)


class Coupling(Transform):
    """The second half of z shifted and scaled by what the first half and the molecule say (Dinh et al. 2017)."""

    domain = codomain = constraints.real_vector
    bijective = True

    def __init__(self, net, context):
        super().__init__(cache_size=1)
        self.net, self.context = net, context

    def _parts(self, x):
        half = x.shape[-1] // 2
        first, second = x[..., :half], x[..., half:]
        shift, log_scale = (self.net(first.sin()) + self.context).chunk(2, dim=-1)
        return first, second, shift, log_scale.tanh()

    def _call(self, x):
        first, second, shift, log_scale = self._parts(x)
        return torch.cat([first, second * log_scale.exp() + shift], dim=-1)

    def _inverse(self, y):
        first, second, shift, log_scale = self._parts(y)
        return torch.cat([first, (second - shift) * (-log_scale).exp()], dim=-1)

    def log_abs_det_jacobian(self, x, y):
        return self._parts(x)[3].sum(dim=-1)


class CouplingFlow(PosteriorFamily):
    """A Gaussian bent by one coupling: no mean, no standard deviation, no KL in closed form; and a wider prior of its own."""

    def __init__(self, hidden_dim, latent_dim):
        super().__init__()
        self.latent_dim, self.width = latent_dim, 2 * (latent_dim - latent_dim // 2)
        self.project = nn.Linear(hidden_dim, 2 * latent_dim + self.width)
        self.net = nn.Linear(latent_dim // 2, self.width)
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)

    def forward(self, h):
        loc, raw, context = self.project(h).split([self.latent_dim, self.latent_dim, self.width], dim=-1)
        base = Independent(Normal(loc, softplus(raw) + 1e-2, validate_args=False), 1, validate_args=False)
        coupling = Coupling(self.net, context)
        return Posterior(TransformedDistribution(base, [coupling], validate_args=False), point=coupling(loc))

    def prior(self):
        return Independent(Normal(self.zero, torch.full_like(self.zero, 1.5), validate_args=False), 1, validate_args=False)
