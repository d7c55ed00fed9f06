"""The contract of a posterior family: from the encoder's h to q(z|x), drawn together with its log density."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from chemvae.seeding import forked_rng


@dataclass(frozen=True)
class Posterior:
    """q(z|x) for a batch.

    ``distribution`` has batch shape [B] and event shape [D]; ``point`` [B, D] is the one z that stands for each molecule;
    ``kl_dims`` [B, D] is the KL to the prior split over dimensions and ``kl`` [B] its total, where the family has them in
    closed form (None where not). Densities are in nats.
    """

    distribution: Distribution
    point: Tensor
    kl: Tensor | None = None
    kl_dims: Tensor | None = None

    def draw(self, n_draws: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw z [K, B, D] with gradients to the parameters, and log q(z|x) [K, B]."""
        with forked_rng(generator):
            z = self.distribution.rsample((n_draws,))
        return z, self.distribution.log_prob(z)


class PosteriorFamily(nn.Module):
    """Interface: ``forward(h [B, H]) -> Posterior`` and ``prior()``, the density z is measured against."""

    latent_dim: int

    def forward(self, h: Tensor) -> Posterior:
        raise NotImplementedError

    def prior(self) -> Distribution:
        raise NotImplementedError
