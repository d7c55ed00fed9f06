"""One Gaussian with its full covariance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from chemvae.models.priors.base import FittedPrior, NormalPrior, noise_like


class GaussianPrior(NormalPrior, FittedPrior):
    """One Gaussian with its full covariance, fitted to draws from q(z).

    It follows how latent dimensions go together, which a mixture of diagonal Gaussians does not, and smooths over everything
    finer. Fitted at once.
    """

    is_trainable = False
    space_kinds = ("flat",)
    fit_points = 50_000
    """Draws worth fitting to."""
    root: Tensor

    def __init__(self, latent_dim: int):
        super().__init__(latent_dim)
        self.register_buffer("root", torch.eye(latent_dim))

    def distribution(self) -> MultivariateNormal:
        return MultivariateNormal(self.loc, scale_tril=self.root, validate_args=False)

    def fit(self, z: np.ndarray, seed: int = 0) -> GaussianPrior:
        """Fit to draws z [N, D] by their mean and covariance; few draws are drawn towards their variances alone."""
        z = np.asarray(z, dtype=np.float64)
        centred = z - z.mean(axis=0)
        covariance = centred.T @ centred / len(z)
        share = len(z) / (len(z) + z.shape[1])  # of the covariance: shrinkage, so that it has an inverse for any N
        covariance = share * covariance + (1 - share) * np.diag(covariance.diagonal()) + 1e-4 * np.eye(z.shape[1])
        self.loc.copy_(torch.as_tensor(z.mean(axis=0), dtype=torch.float32))
        self.root.copy_(torch.as_tensor(np.linalg.cholesky(covariance), dtype=torch.float32))
        return self

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.loc + level * (z - self.loc) + (1 - level.square()).sqrt() * (noise_like(z, generator) @ self.root.t())
