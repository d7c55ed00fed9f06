"""Mixtures of von Mises-Fisher densities on the unit sphere: fitted to codes, or trained with the model."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, MixtureSameFamily

from chemvae.models.latent_space import SPHERE
from chemvae.models.posteriors.sphere import MOST_CONCENTRATED, VonMisesFisher
from chemvae.models.priors.base import FittedPrior, drawn_like
from chemvae.seeding import forked_rng

ITERATIONS = 50
TOLERANCE = 1e-4  # nats per code; a step of expectation maximisation that brings less is the last
LEAST_CONCENTRATED = 1e-2
UNUSED = -1e4  # the logit of a component without weight: its probability is 0 to the last bit, and the number can be kept


class SphericalMixture(FittedPrior):
    """A mixture of C von Mises-Fisher densities, fitted by expectation maximisation (Banerjee et al. 2005,
    https://jmlr.org/papers/v6/banerjee05a.html) or trained with the model.
    """

    space_kinds = ("sphere",)
    fit_points = 20_000
    """Draws worth fitting to."""

    def __init__(self, latent_dim: int, n_components: int = 64):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.directions = nn.Parameter(SPHERE.project(torch.randn(n_components, latent_dim)))
        self.log_kappa = nn.Parameter(torch.full((n_components,), float(np.log(latent_dim / 2))))

    def distribution(self) -> MixtureSameFamily:
        kappa = self.log_kappa.exp().clamp(LEAST_CONCENTRATED, MOST_CONCENTRATED)
        parts = VonMisesFisher(SPHERE.project(self.directions), kappa)
        return MixtureSameFamily(Categorical(logits=self.logits), parts, validate_args=False)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z [n, D]: of one component each, where the mixture itself would draw from all."""
        parts = self.distribution()
        with forked_rng(generator):
            chosen = parts.mixture_distribution.sample((n,))
            own = cast(VonMisesFisher, parts.component_distribution)
            return VonMisesFisher(own.loc[chosen], own.kappa[chosen]).sample()

    def responsibilities(self, z: Tensor) -> Tensor:
        """Probability [N, C] that each z [N, D] was drawn from each component."""
        return self._joint(z).softmax(dim=1)

    def _joint(self, z: Tensor) -> Tensor:
        """log p(z, c) [N, C]."""
        parts = self.distribution()
        return parts.component_distribution.log_prob(z[:, None]) + parts.mixture_distribution.logits

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Move z [N, D] towards a fresh draw of its own component, and back onto the sphere; exact for a uniform component."""
        chance = drawn_like(torch.rand, (len(z), 1), z, generator)
        with torch.no_grad():
            component = (self.responsibilities(z).cumsum(dim=1) < chance).sum(dim=1).clamp(max=len(self.logits) - 1)
            parts = cast(VonMisesFisher, self.distribution().component_distribution)
            own = VonMisesFisher(parts.loc[component], parts.kappa[component])
            with forked_rng(generator):
                fresh, mean = own.sample(), own.mean
        return SPHERE.project(mean + level * (z - mean) + (1 - level.square()).sqrt() * (fresh - mean))

    @torch.no_grad()
    def fit(self, z: np.ndarray, seed: int = 0) -> SphericalMixture:
        """Fit to codes z [N, D]; with fewer than ten a component, fewer components have a weight."""
        rng = np.random.default_rng(seed)
        codes = SPHERE.project(torch.as_tensor(np.asarray(z, dtype=np.float32)[rng.permutation(len(z))[: self.fit_points]]))
        n_used = int(np.clip(len(codes) // 10, 1, len(self.logits)))
        chosen = torch.from_numpy(rng.permutation(len(codes))[np.arange(len(self.logits)) % n_used % len(codes)])
        self.directions.copy_(codes[chosen])
        self.logits.copy_(torch.where(torch.arange(len(self.logits)) < n_used, 0.0, UNUSED))
        before = -torch.inf
        for _ in range(ITERATIONS):
            joint = self._joint(codes)
            score = float(joint.logsumexp(dim=1).mean())
            self._maximise(codes, joint.softmax(dim=1))
            if score < before + TOLERANCE:
                break
            before = score
        return self

    def _maximise(self, z: Tensor, share: Tensor) -> None:
        """Weights, directions and concentrations that fit codes best, given their shares [N, C] (Banerjee, equation 4.4)."""
        count = share.sum(dim=0)  # [C]
        total = share.t() @ z  # [C, D]
        length = (total.norm(dim=1) / count.clamp_min(1e-12)).clamp(max=1 - 1e-6)
        kappa = length * (z.shape[1] - length.square()) / (1 - length.square())
        used = count > 0
        self.logits.copy_(torch.where(used, (count / len(z)).clamp_min(1e-30).log(), UNUSED))
        self.directions.copy_(torch.where(used[:, None], SPHERE.project(total), self.directions))
        self.log_kappa.copy_(torch.where(used, kappa.clamp(LEAST_CONCENTRATED, z.shape[1] * 1e3).log(), self.log_kappa))
