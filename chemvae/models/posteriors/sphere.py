"""Von Mises-Fisher posterior on the unit sphere, against the uniform density there."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn.functional import softplus

from chemvae.errors import SettingsError
from chemvae.models.latent_space import SPHERE
from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.bessel import log_bessel_i

MOST_CONCENTRATED = 1e5  # a standard deviation of 0.003 in each direction
N_NODES = 64
REACH = 12.0  # standard deviations of the cosine beyond which its density is nothing
SMALLEST = 1e-300


def log_sphere_area(dim: int) -> float:
    """log of the area of the unit sphere in R^D.

    Examples
    --------
    >>> round(math.exp(log_sphere_area(3)), 6), round(4 * math.pi, 6)
    (12.566371, 12.566371)
    """
    return math.log(2) + 0.5 * dim * math.log(math.pi) - math.lgamma(0.5 * dim)


class UniformOnSphere(Distribution):
    """The uniform density on the unit sphere in R^D, per area: event shape [D]; ``zero`` [D] gives its device and type."""

    arg_constraints: dict = {}

    def __init__(self, zero: Tensor):
        super().__init__(torch.Size(), zero.shape, validate_args=False)
        self._zero = zero

    @property
    def mean(self) -> Tensor:
        return self._zero

    @property
    def variance(self) -> Tensor:
        return torch.full_like(self._zero, 1 / len(self._zero))

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        noise = torch.randn(*sample_shape, *self.event_shape, dtype=self._zero.dtype, device=self._zero.device)
        return SPHERE.project(noise)

    def log_prob(self, z: Tensor) -> Tensor:
        return torch.zeros_like(z[..., 0]) - log_sphere_area(z.shape[-1])


class VonMisesFisher(Distribution):
    """Density proportional to exp(kappa mu . z) on the unit sphere in R^D, per area; ``loc`` mu [B, D], ``kappa`` [B].

    Draws by acceptance and rejection of the cosine mu . z, turned to mu by a reflection (Ulrich 1984; Davidson et al. 2018,
    algorithm 1). The gradient of an accepted cosine t to kappa is the implicit one, dt/dkappa = -(dF/dkappa) / density(t):
    the derivative of the proposal alone, which is what an accepted draw remembers, would leave out how kappa changes what is
    accepted (Naesseth et al. 2017, https://arxiv.org/abs/1610.05683).
    """

    has_rsample = True
    arg_constraints: dict = {}

    def __init__(self, loc: Tensor, kappa: Tensor):
        super().__init__(kappa.shape, loc.shape[-1:], validate_args=False)
        self.loc, self.kappa = loc, kappa
        dim = loc.shape[-1]
        log_bessel, self.resultant = log_bessel_i(dim / 2 - 1, kappa)
        wide = kappa.double()
        self.log_normalizer = (dim / 2 - 1) * wide.log() - 0.5 * dim * math.log(2 * math.pi) - log_bessel

    @property
    def mean(self) -> Tensor:
        """[B, D], within the sphere: mu times the mean resultant length I_(D/2)(kappa) / I_(D/2 - 1)(kappa)."""
        return self.resultant[..., None].to(self.loc) * self.loc

    def kl_to_uniform(self) -> Tensor:
        """KL to the uniform density [B], nats."""
        kl = self.kappa.double() * self.resultant + self.log_normalizer + log_sphere_area(self.loc.shape[-1])
        return kl.to(self.loc)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [..., B] of z [..., B, D]; kappa (mu . z - 1) is taken apart from the large terms that cancel."""
        away = (self.loc * (z - self.loc)).sum(dim=-1)
        return self.kappa * away + (self.kappa.double() + self.log_normalizer).to(self.loc)

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        shape = torch.Size(sample_shape) + self._batch_shape
        kappa = self.kappa.double().expand(shape)
        with torch.no_grad():
            cosine = draw_cosine(kappa, self.loc.shape[-1])
        if torch.is_grad_enabled() and self.kappa.requires_grad:
            slope = cosine_slope(cosine, kappa.detach(), self.resultant.detach().expand(shape), self.loc.shape[-1])
            cosine = cosine + slope * (kappa - kappa.detach())
        sine = (1 - cosine.square()).clamp_min(SMALLEST).sqrt()
        across = torch.randn(*shape, self.loc.shape[-1] - 1, dtype=self.loc.dtype, device=self.loc.device)
        across = SPHERE.project(across) * sine[..., None].to(self.loc)
        return _turned(torch.cat([cosine[..., None].to(self.loc), across], dim=-1), self.loc)


def _turned(z: Tensor, loc: Tensor) -> Tensor:
    """z [..., D] reflected so that the first axis goes to loc [..., D] (Householder)."""
    axis = torch.zeros_like(loc)
    axis[..., 0] = 1
    normal = SPHERE.project(axis - loc)
    return SPHERE.project(z - 2 * (z * normal).sum(dim=-1, keepdim=True) * normal)


def draw_cosine(kappa: Tensor, dim: int) -> Tensor:
    """Draw t = mu . z [...] for kappa [...], double: density proportional to exp(kappa t) (1 - t^2)^((D - 3) / 2)."""
    m = dim - 1
    b = m / (2 * kappa + (4 * kappa.square() + m * m).sqrt())
    x0 = (1 - b) / (1 + b)
    most = kappa * x0 + m * (1 - x0.square()).log()
    half = torch.full_like(kappa, m / 2)
    t, open_ = torch.empty_like(kappa), torch.ones_like(kappa, dtype=torch.bool)
    while bool(open_.any()):
        share = torch.distributions.Beta(half[open_], half[open_], validate_args=False).sample()
        bo, xo, ko = b[open_], x0[open_], kappa[open_]
        proposed = (1 - (1 + bo) * share) / (1 - (1 - bo) * share)
        accept = ko * proposed + m * (1 - xo * proposed).log() - most[open_] >= torch.rand_like(share).log()
        t[open_] = torch.where(accept, proposed, t[open_])
        open_[open_.clone()] = ~accept
    return t.clamp(-1, 1)


def cosine_slope(t: Tensor, kappa: Tensor, resultant: Tensor, dim: int) -> Tensor:
    """dt/dkappa [...] of a draw t at a fixed quantile, by Gauss-Legendre quadrature.

    dF/dkappa = integral from -1 to t of (s - A) density(s) ds, A the mean of the cosine; over the whole range it is 0, so
    that the tail on t's own side of A is taken, where nothing cancels.
    """
    spread = (1 - resultant.square() - (dim - 1) * resultant / kappa).clamp_min(0).sqrt()
    spread = torch.maximum(spread, (dim / 8) ** 0.5 / kappa)  # of the difference above rounding leaves little at a large kappa
    left = t < resultant
    end = torch.where(left, (t - REACH * spread).clamp_min(-1), (t + REACH * spread).clamp_max(1))
    nodes, weights = (torch.as_tensor(part, dtype=t.dtype, device=t.device) for part in _quadrature())
    s = t[..., None] + (end - t)[..., None] * nodes  # [..., N]
    power = (dim - 3) / 2
    gap = ((1 - s.square()).clamp_min(SMALLEST).log() - (1 - t.square()).clamp_min(SMALLEST).log()[..., None]) * power
    relative = (kappa[..., None] * (s - t[..., None]) + gap).exp()  # density(s) / density(t)
    tail = (weights * (s - resultant[..., None]) * relative).sum(dim=-1) * (end - t).abs()
    return torch.where(left, -tail, tail)


def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Nodes in (0, 1) and weights, closer together towards 0, where the density is."""
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    half = (nodes + 1) / 2
    return half**2, weights * half


class VonMisesFisherFamily(PosteriorFamily):
    """q(z|x) = vMF(mu, kappa) on the unit sphere in R^D, against the uniform density (Davidson et al. 2018,
    https://arxiv.org/abs/1804.00891).

    KL = kappa A + log C(kappa) + log area of the sphere, with A the mean cosine and C the density's constant; it depends on
    kappa alone. One kappa serves all dimensions. Departure: kappa is 1 + D softplus(.) instead of 1 + softplus(.), since a
    concentration below D hardly differs from none.

    Parameters
    ----------
    hidden_dim : int
    latent_dim : int
        D, >= 2: z has D coordinates and D - 1 degrees of freedom.
    """

    space = SPHERE

    zero: Tensor

    def __init__(self, hidden_dim: int, latent_dim: int):
        super().__init__()
        if latent_dim < 2:
            raise SettingsError(f"the posterior 'vmf' takes latent_dim >= 2, got {latent_dim}")
        self.latent_dim = latent_dim
        self.project = nn.Linear(hidden_dim, latent_dim + 1)
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)

    def forward(self, h: Tensor) -> Posterior:
        return self.from_summary(self.summary(h))

    def summary(self, h: Tensor) -> Tensor:
        """The direction before it has length 1, and what kappa is made of [B, D + 1]."""
        return self.project(h)

    def from_summary(self, summary: Tensor) -> Posterior:
        loc = SPHERE.project(summary[..., :-1])
        kappa = (1 + self.latent_dim * softplus(summary[..., -1])).clamp(max=MOST_CONCENTRATED)
        q = VonMisesFisher(loc, kappa)
        return Posterior(q, point=loc, kl=q.kl_to_uniform())

    def prior(self) -> Distribution:
        return UniformOnSphere(self.zero)
