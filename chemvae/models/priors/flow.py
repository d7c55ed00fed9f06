"""A normalizing flow over z: invertible, with an exact density, fast both ways.

A mixture of Gaussians places its draws between clusters of codes as readily as on them; a flow bends N(0, I) into the shape
that the codes have. Coupling layers (Dinh et al. 2017, https://arxiv.org/abs/1605.08803) change half of the coordinates by
functions of the other half; here these are monotonic rational-quadratic splines (Durkan et al. 2019,
https://arxiv.org/abs/1906.04032, equations 4 to 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from chemvae.models.posteriors import PosteriorFamily
from chemvae.models.priors.base import Prior
from chemvae.models.priors.fitting import FIT_POINTS, Standardised, fit_by_likelihood
from chemvae.seeding import forked_rng

BOUND = 4.0  # standard deviations; beyond, a spline is the identity
SMALLEST_BIN = 1e-3
SMALLEST_SLOPE = 1e-3
TRAINED_LAYERS = 4  # of one that is trained with the model: every step goes through it


def spline(x: Tensor, raw: Tensor, *, inverse: bool = False) -> tuple[Tensor, Tensor]:
    """Apply one monotonic rational-quadratic spline per element, the identity outside [-4, 4].

    Parameters
    ----------
    x : Tensor [...]
    raw : Tensor [..., 3 K - 1]
        Unconstrained widths and heights of K bins, and slopes at the K - 1 inner knots.
    inverse : bool
        Solve for the argument instead (equation 6).

    Returns
    -------
    y : Tensor [...]
    log_slope : Tensor [...]
        log dy/dx.

    Examples
    --------
    >>> x, raw = torch.linspace(-5, 5, 9), torch.randn(9, 11, generator=torch.Generator().manual_seed(0))
    >>> y, up = spline(x, raw)
    >>> back, down = spline(y, raw, inverse=True)
    >>> torch.allclose(back, x, atol=1e-4), torch.allclose(up, -down, atol=1e-3)
    (True, True)
    """
    inside = x.abs() < BOUND
    at = x.clamp(-BOUND, BOUND)
    piece = _find_piece(at, raw, inverse=inverse)
    share = piece.solve(at) if inverse else (at - piece.left) / piece.width
    both = share * (1 - share)
    base = piece.mean_slope + piece.bend * both
    log_slope = piece.log_slope(share, both, base)
    if inverse:
        y, log_slope = piece.left + share * piece.width, -log_slope
    else:
        y = piece.bottom + piece.height * (piece.mean_slope * share.square() + piece.slope * both) / base
    return torch.where(inside, y, x), torch.where(inside, log_slope, 0.0)


@dataclass(frozen=True)
class _Piece:
    """The bin of a spline that each element falls into; every field is a Tensor [...]."""

    left: Tensor
    bottom: Tensor
    slope: Tensor
    """At the left knot, as ``next_slope`` is at the right one."""
    next_slope: Tensor
    width: Tensor
    height: Tensor
    mean_slope: Tensor
    bend: Tensor
    """What the slopes at both ends exceed the mean slope by, together."""

    def log_slope(self, share: Tensor, both: Tensor, base: Tensor) -> Tensor:
        """log dy/dx where ``share`` of the width, 0-1, lies to the left; ``base`` is equation 4's denominator (equation 5)."""
        steep = self.mean_slope.square() * (
            self.next_slope * share.square() + 2 * self.mean_slope * both + self.slope * (1 - share).square()
        )
        return steep.log() - 2 * base.log()

    def solve(self, y: Tensor) -> Tensor:
        """The share of the width at which height ``y`` is reached (equation 6)."""
        rise = y - self.bottom
        a = self.height * (self.mean_slope - self.slope) + rise * self.bend
        b = self.height * self.slope - rise * self.bend
        c = -self.mean_slope * rise
        return 2 * c / (-b - (b.square() - 4 * a * c).clamp(min=0).sqrt())


def _find_piece(at: Tensor, raw: Tensor, *, inverse: bool) -> _Piece:
    """Find the bin of every element of ``at``, an argument or (``inverse``) a value, in [-4, 4]."""
    K = (raw.shape[-1] + 1) // 3
    x_knots, y_knots = _knots(raw[..., :K]), _knots(raw[..., K : 2 * K])
    slopes = nn.functional.pad(SMALLEST_SLOPE + nn.functional.softplus(raw[..., 2 * K :] + _ONE), (1, 1), value=1.0)
    known = y_knots if inverse else x_knots
    k = torch.searchsorted(known[..., 1:-1].contiguous(), at[..., None].contiguous(), right=True)
    left, bottom, slope = (table.gather(-1, k)[..., 0] for table in (x_knots, y_knots, slopes))
    right, top, next_slope = (table.gather(-1, k + 1)[..., 0] for table in (x_knots, y_knots, slopes))
    width, height = right - left, top - bottom
    mean_slope = height / width
    bend = next_slope + slope - 2 * mean_slope
    return _Piece(left, bottom, slope, next_slope, width, height, mean_slope, bend)


_ONE = math.log(math.expm1(1 - SMALLEST_SLOPE))  # raw slopes of 0 are slopes of 1


def _knots(raw: Tensor) -> Tensor:
    """Positions of K + 1 knots from -4 to 4 [..., K + 1]."""
    K = raw.shape[-1]
    weights = (raw - raw.amax(dim=-1, keepdim=True)).exp()  # torch's softmax is slow over a handful
    sizes = SMALLEST_BIN + (1 - SMALLEST_BIN * K) * weights / weights.sum(dim=-1, keepdim=True)
    ends = nn.functional.pad(sizes.cumsum(dim=-1)[..., :-1], (1, 0), value=0.0)
    return 2 * BOUND * nn.functional.pad(ends, (0, 1), value=1.0) - BOUND


class Coupling(nn.Module):
    """Splines for one half of the coordinates, their shapes a residual network's answer to the other half."""

    def __init__(self, dim: int, hidden: int, bins: int, n_blocks: int = 2):
        super().__init__()
        self.kept, self.bins = dim // 2, bins
        self.first = nn.Linear(self.kept, hidden)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden)) for _ in range(n_blocks)
        )
        self.last = nn.Linear(hidden, (dim - self.kept) * (3 * bins - 1))
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # the identity, to begin with

    def forward(self, x: Tensor, *, inverse: bool = False) -> tuple[Tensor, Tensor]:
        """Change x [N, D]; also the log determinant [N]."""
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        h = self.first(kept)
        for block in self.blocks:
            h = h + block(h)
        raw = self.last(h.relu()).view(*changed.shape, 3 * self.bins - 1)
        y, log_slope = spline(changed, raw, inverse=inverse)
        return torch.cat([kept, y], dim=1), log_slope.sum(dim=1)


class FlowPrior(Standardised):
    """A flow fitted to draws from q(z) or trained with the model: standardisation, then permutations and couplings in turn.

    Parameters
    ----------
    latent_dim : int
        D, >= 2.
    n_layers, hidden, bins : int
        Couplings, width of their networks, bins of their splines.
    """

    is_trainable = True
    fit_points = FIT_POINTS
    """Draws worth fitting to."""
    mean: Tensor
    scale: Tensor
    orders: Tensor

    @classmethod
    def trained_for(cls, family: PosteriorFamily, hidden_dim: int) -> Prior:
        return cls(family.latent_dim, TRAINED_LAYERS).requires_grad_(True)

    def __init__(self, latent_dim: int, n_layers: int = 8, hidden: int = 128, bins: int = 8):
        super().__init__()
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("scale", torch.ones(latent_dim))
        order = np.random.default_rng(0)
        self.register_buffer("orders", torch.from_numpy(np.stack([order.permutation(latent_dim) for _ in range(n_layers)])))
        self.layers = nn.ModuleList(Coupling(latent_dim, hidden, bins) for _ in range(n_layers))
        self.requires_grad_(False)  # until it is fitted, or where it is trained with a model

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [N] in nats of z [N, D]; differentiable."""
        x = (z - self.mean) / self.scale
        total = -self.scale.log().sum() - 0.5 * x.shape[1] * math.log(2 * math.pi)
        for order, layer in zip(self.orders, self.layers, strict=True):
            x, log_slope = layer(x[:, order])
            total = total + log_slope
        return total - 0.5 * x.square().sum(dim=1)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z [n, D]."""
        with forked_rng(generator):
            x = torch.randn(n, len(self.mean), device=self.mean.device)
        for order, layer in zip(reversed(self.orders), reversed(self.layers), strict=True):
            x = layer(x, inverse=True)[0][:, order.argsort()]
        return self.mean + self.scale * x

    def fit(self, z: np.ndarray, seed: int = 0, n_steps: int | None = None) -> FlowPrior:
        """Fit to draws z [N, D] by maximum likelihood; what a twentieth of them, held out, likes best is kept.

        By default 30 passes over them, at least 500 and at most 8,000 steps.
        """
        return fit_by_likelihood(self, z, seed, n_steps)
