"""Densities over z to sample from: the standard normal, and one fitted on q(z) after training."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from chemvae.models.flow import FlowPrior
from chemvae.models.posteriors.base import forked_rng


class NormalPrior(nn.Module):
    """N(0, I) in D dimensions."""

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent_dim))

    def distribution(self) -> Independent:
        return Independent(Normal(self.loc, torch.ones_like(self.loc)), 1)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z [n, D]."""
        with forked_rng(generator):
            return self.distribution().sample((n,))

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [N] in nats of z [N, D]; differentiable."""
        return self.distribution().log_prob(z)


class MixturePrior(NormalPrior):
    """A mixture of C diagonal Gaussians, fitted by expectation maximisation on draws from q(z).

    A decoder has only seen z from q(z), which N(0, I) resembles poorly at small beta; fitting the density afterwards gives
    valid molecules without giving up reconstruction (Ghosh et al. 2020, https://arxiv.org/abs/1903.12436).
    """

    def __init__(self, latent_dim: int, n_components: int = 64):
        super().__init__(latent_dim)
        self.n_components = n_components
        self.register_buffer("weights", torch.full((n_components,), 1 / n_components))
        self.register_buffer("means", torch.zeros(n_components, latent_dim))
        self.register_buffer("scales", torch.ones(n_components, latent_dim))

    fit_points = 20_000
    """Draws worth fitting to."""

    def distribution(self) -> MixtureSameFamily:
        return MixtureSameFamily(Categorical(self.weights), Independent(Normal(self.means, self.scales), 1))

    def responsibilities(self, z: Tensor) -> Tensor:
        """Probability [N, C] that each z [N, D] was drawn from each component (Bishop 2006, equation 9.13)."""
        parts = self.distribution()
        return (parts.component_distribution.log_prob(z[:, None]) + parts.mixture_distribution.logits).softmax(dim=1)

    def fit(self, z: np.ndarray, seed: int = 0) -> MixturePrior:
        """Fit to draws z [N, D]; with fewer than ten draws a component, fewer components are used."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture  # a second of imports that sampling does not need
        from threadpoolctl import threadpool_limits

        rng = np.random.default_rng(seed)
        z = z[rng.permutation(len(z))[: self.fit_points]]
        z = (
            np.repeat(z, 2, axis=0) if len(z) == 1 else z
        )  # the estimator wants two points; the floor on the scales does the rest
        n_components = int(np.clip(len(z) // 10, 1, self.n_components))
        mixture = GaussianMixture(n_components, covariance_type="diag", max_iter=50, random_state=seed, reg_covar=1e-4)
        with threadpool_limits(1), warnings.catch_warnings():  # threads add in any order: the same draws, another fit
            warnings.simplefilter("ignore", ConvergenceWarning)  # fifty iterations are meant to be enough
            mixture.fit(z.astype(np.float64))
        # unused components repeat the first one with weight 0, so that the shapes stay those of the constructor
        index = torch.arange(self.n_components) % n_components
        as_tensor = lambda x: torch.as_tensor(x, dtype=torch.float32)  # noqa: E731
        self.weights.copy_(torch.where(torch.arange(self.n_components) < n_components, as_tensor(mixture.weights_)[index], 0.0))
        self.means.copy_(as_tensor(mixture.means_)[index])
        self.scales.copy_(as_tensor(np.sqrt(mixture.covariances_))[index])
        return self


PRIORS = {"normal": NormalPrior, "mixture": MixturePrior, "flow": FlowPrior}
LEARNED = ("mixture", "flow")
