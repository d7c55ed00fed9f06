"""What the training data looks like in latent space: the gates of design and the applicability of predictions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

N_REFERENCES = 2_048  # training latents kept with the model; 0.5 MB at 64 dimensions
N_QUANTILES = 101
N_NEIGHBOURS = 5


class LatentStatistics(nn.Module):
    """Mean and spread of the training latents, quantiles of their norm and density, and a sample of them.

    Buffers: ``mean``, ``std`` [D]; ``norm_quantiles``, ``log_density_quantiles`` [101] at 0 %, 1 %, ... 100 %;
    ``references`` [R, D], posterior means of random training molecules; ``typical_distance`` scalar.
    """

    mean: Tensor
    std: Tensor
    norm_quantiles: Tensor
    log_density_quantiles: Tensor
    references: Tensor
    typical_distance: Tensor

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("std", torch.ones(latent_dim))
        self.register_buffer("norm_quantiles", torch.full((N_QUANTILES,), torch.nan))
        self.register_buffer("log_density_quantiles", torch.full((N_QUANTILES,), torch.nan))
        self.register_buffer("references", torch.full((N_REFERENCES, latent_dim), torch.nan))
        self.register_buffer("typical_distance", torch.tensor(torch.nan))

    @property
    def is_fitted(self) -> bool:
        return not bool(self.typical_distance.isnan())

    @torch.no_grad()
    def fit(self, z: Tensor, log_density: Tensor, seed: int = 0) -> LatentStatistics:
        """Fit to posterior means z [N, D] of training molecules and their log density [N] under the learned prior."""
        levels = torch.linspace(0, 1, N_QUANTILES)
        rng = np.random.default_rng(seed)
        z = z.cpu()
        self.mean.copy_(z.mean(dim=0))
        self.std.copy_(z.std(dim=0, correction=0))
        self.norm_quantiles.copy_(z.norm(dim=1).quantile(levels))
        self.log_density_quantiles.copy_(log_density.cpu().quantile(levels))
        chosen = torch.from_numpy(rng.permutation(len(z))[:N_REFERENCES])
        self.references.fill_(torch.nan)
        self.references[: len(chosen)] = z[chosen]
        self.typical_distance.fill_(self._typical_distance())
        return self

    def _typical_distance(self) -> float:
        known = self._known_references()
        if len(known) < 2:
            return 1.0
        neighbours = min(N_NEIGHBOURS, len(known) - 1)
        gaps = torch.cdist(known, known).topk(neighbours + 1, largest=False).values[:, 1:].mean(dim=1)
        return max(float(gaps.median()), 1e-6)

    def _known_references(self) -> Tensor:
        return self.references[~self.references.isnan().any(dim=1)]

    @torch.no_grad()
    def distance(self, z: Tensor) -> Tensor:
        """Return the mean distance [N] of z [N, D] to its 5 nearest reference latents, as a multiple of the typical one.

        1 is where a typical training molecule lies; well above it a prediction extrapolates.
        """
        known = self._known_references()
        neighbours = min(N_NEIGHBOURS, len(known))
        return torch.cdist(z, known).topk(neighbours, largest=False).values.mean(dim=1) / self.typical_distance

    def density_threshold(self, quantile: float = 0.01) -> float:
        """Log density (nats) that all but this share of the training latents exceed."""
        return float(self.log_density_quantiles[round(quantile * (N_QUANTILES - 1))])

    def norm_cap(self, quantile: float = 0.95) -> float:
        """Norm that this share of the training latents stays below."""
        return float(self.norm_quantiles[round(quantile * (N_QUANTILES - 1))])
