"""The strongest density over z: each coordinate given all before it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal
from torch.nn.functional import softplus

from chemvae.errors import MissingExtraError
from chemvae.models.posteriors import PosteriorFamily
from chemvae.models.priors.base import Prior
from chemvae.models.priors.fitting import FIT_POINTS, Standardised, fit_by_likelihood
from chemvae.seeding import forked_rng

MIN_SCALE = 1e-2  # of a component: the density of one code alone would have no bound
COMPONENTS, HIDDEN = 8, (256, 256)


class AutoregressivePrior(Standardised):
    """p(z) = prod_d p(z_d | z_<d), each factor a mixture of Gaussians whose parameters a masked network gives.

    The factors are RNADE's (Uria, Murray & Larochelle 2013, https://arxiv.org/abs/1306.0186), the network MADE's (Germain,
    Gregor, Murray & Larochelle 2015, https://arxiv.org/abs/1502.03509), by zuko. A density takes one pass, a draw one pass for
    each coordinate.

    Parameters
    ----------
    latent_dim : int
        D.
    n_components : int
        Gaussians in each factor, M.
    hidden : sequence of int
        Widths of the network's layers.

    Raises
    ------
    MissingExtraError
        Without the extra ``flows``.
    """

    is_trainable = True
    fit_points = FIT_POINTS

    @classmethod
    def trained_for(cls, family: PosteriorFamily, hidden_dim: int) -> Prior:
        return cls(family.latent_dim).requires_grad_(True)

    def __init__(self, latent_dim: int, n_components: int = COMPONENTS, hidden: tuple[int, ...] = HIDDEN):
        super().__init__()
        try:
            from zuko.nn import MaskedMLP
        except ImportError:
            raise MissingExtraError("zuko", "flows", "The autoregressive prior") from None
        self.n_components = n_components
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("scale", torch.ones(latent_dim))
        before = torch.from_numpy(np.tri(latent_dim, k=-1, dtype=bool))  # [D, D]: what each coordinate may read
        self.network = MaskedMLP(before.repeat_interleave(3 * n_components, dim=0), hidden)
        self.requires_grad_(False)  # until it is fitted, or where it is trained with a model

    def factors(self, x: Tensor) -> MixtureSameFamily:
        """p(x_d | x_<d) of standardised x [N, D], batch shape [N, D]."""
        logits, loc, raw = self.network(x).view(*x.shape, 3, self.n_components).unbind(dim=-2)  # [N, D, M] each
        scale = softplus(raw + 0.54) + MIN_SCALE  # 1 where the network says 0
        return MixtureSameFamily(
            Categorical(logits=logits, validate_args=False), Normal(loc, scale, validate_args=False), validate_args=False
        )

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [N] in nats of z [N, D]; differentiable."""
        x = (z - self.mean) / self.scale
        return self.factors(x).log_prob(x).sum(dim=1) - self.scale.log().sum()

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z [n, D]."""
        x = torch.zeros(n, len(self.mean), device=self.mean.device)
        with forked_rng(generator):
            for d in range(x.shape[1]):
                x[:, d] = self.factors(x).sample()[:, d]
        return self.mean + self.scale * x

    def fit(self, z: np.ndarray, seed: int = 0, n_steps: int | None = None) -> AutoregressivePrior:
        """Fit to draws z [N, D] by maximum likelihood; see :func:`chemvae.models.priors.fitting.fit_by_likelihood`."""
        return fit_by_likelihood(self, z, seed, n_steps)
