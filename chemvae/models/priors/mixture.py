"""Mixtures of diagonal Gaussians: one fitted to codes, one trained with the model."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn.functional import softplus

from chemvae.models.posteriors import PosteriorFamily
from chemvae.models.priors.base import FittedPrior, NormalPrior, Prior, drawn_like, noise_like
from chemvae.models.priors.sphere import SphericalMixture

MIN_SCALE = 1e-2  # of a component that is trained: the density of one code alone would have no bound
TRAINED_COMPONENTS = 100  # as many as the VampPrior has pseudo-inputs


class MixturePrior(NormalPrior, FittedPrior):
    """A mixture of C diagonal Gaussians, fitted by expectation maximisation on draws from q(z).

    A decoder has only seen z from q(z), which N(0, I) resembles poorly at small beta; fitting the density afterwards gives
    valid molecules without giving up reconstruction (Ghosh et al. 2020, https://arxiv.org/abs/1903.12436).
    """

    weights: Tensor
    means: Tensor
    scales: Tensor

    @classmethod
    def fitted_for(cls, family: PosteriorFamily) -> Prior:
        return SphericalMixture.fitted_for(family) if family.space.kind == "sphere" else super().fitted_for(family)

    @classmethod
    def trained_for(cls, family: PosteriorFamily, hidden_dim: int) -> Prior:
        own = SphericalMixture if family.space.kind == "sphere" else TrainedMixture
        return own(family.latent_dim, TRAINED_COMPONENTS)

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

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        chance = drawn_like(torch.rand, (len(z), 1), z, generator)
        with torch.no_grad():
            component = (self.responsibilities(z).cumsum(dim=1) < chance).sum(dim=1).clamp(max=self.n_components - 1)
        mean, scale = self.means[component], self.scales[component]
        return mean + level * (z - mean) + (1 - level.square()).sqrt() * scale * noise_like(z, generator)

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


class TrainedMixture(Prior):
    """A mixture of C diagonal Gaussians whose weights, means and scales are trained with the model.

    They start as wide as N(0, I), half a standard deviation apart from each other in every dimension.
    """

    def __init__(self, latent_dim: int, n_components: int = TRAINED_COMPONENTS):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.means = nn.Parameter(0.5 * torch.randn(n_components, latent_dim))
        self.raw_scales = nn.Parameter(torch.full((n_components, latent_dim), 0.54))  # softplus: 1

    def distribution(self) -> MixtureSameFamily:
        parts = Independent(Normal(self.means, softplus(self.raw_scales) + MIN_SCALE, validate_args=False), 1)
        return MixtureSameFamily(Categorical(logits=self.logits), parts, validate_args=False)
