"""Densities over z to sample from: the standard normal, and one fitted on q(z) after training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from chemvae.models.flow import FlowPrior
from chemvae.models.posteriors import PosteriorFamily, diagonal_parameters
from chemvae.seeding import forked_rng

HIGHEST_LEVEL = 0.8


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

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Move z [N, D] towards a fresh draw, keeping ``level`` [N, 1] of its deviation; differentiable.

        z' = m + a (z - m) + sqrt(1 - a^2) s e with e ~ N(0, I): draws of this density stay draws of it at every level a, those
        of a mixture within their component. One step of a variance-preserving diffusion (Ho et al. 2020, equation 4,
        https://arxiv.org/abs/2006.11239).
        """
        return level * z + (1 - level.square()).sqrt() * _noise(z, generator)


class FamilyPrior(NormalPrior):
    """The density a posterior family measures its z against: N(0, I), unless the family says otherwise.

    Parameters
    ----------
    family : PosteriorFamily
        Only read: its weights stay its own.
    """

    def __init__(self, family: PosteriorFamily):
        super().__init__(family.latent_dim)
        self._family = (family,)  # in a tuple: a module would be taken for a part of this one, and its weights saved twice

    def distribution(self) -> Distribution:
        return self._family[0].prior()

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """As :meth:`NormalPrior.diffuse`; mean and covariance stay for every prior, and the density for a Gaussian one."""
        if diagonal_parameters(self.distribution()) is None:
            loc = self.distribution().mean
            return loc + level * (z - loc) + (1 - level.square()).sqrt() * (self.sample(len(z), generator) - loc)
        loc, scale = diagonal_parameters(self.distribution())
        return loc + level * (z - loc) + (1 - level.square()).sqrt() * scale * _noise(z, generator)


class GaussianPrior(NormalPrior):
    """One Gaussian with its full covariance, fitted to draws from q(z).

    It follows how latent dimensions go together, which a mixture of diagonal Gaussians does not, and smooths over everything
    finer. Fitted at once.
    """

    fit_points = 50_000
    """Draws worth fitting to."""

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
        return self.loc + level * (z - self.loc) + (1 - level.square()).sqrt() * (_noise(z, generator) @ self.root.t())


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

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        chance = _drawn(torch.rand, (len(z), 1), z, generator)
        with torch.no_grad():
            component = (self.responsibilities(z).cumsum(dim=1) < chance).sum(dim=1).clamp(max=self.n_components - 1)
        mean, scale = self.means[component], self.scales[component]
        return mean + level * (z - mean) + (1 - level.square()).sqrt() * scale * _noise(z, generator)

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


PRIORS = {"normal": NormalPrior, "gaussian": GaussianPrior, "mixture": MixturePrior, "flow": FlowPrior}
"""Densities by name; a prior that can be the learned one has ``fit(z, seed)`` and says how many draws are worth it."""


def learned_priors() -> list[str]:
    """Names in PRIORS of those that can be fitted."""
    return [name for name, one in PRIORS.items() if hasattr(one, "fit")]


def quick_prior(kind: str, latent_dim: int) -> NormalPrior:
    """A learned prior that is fitted in seconds, for use while a model trains: of this kind, a mixture instead of a flow."""
    return PRIORS["mixture" if kind == "flow" else kind](latent_dim)


def _noise(z: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal draws like z."""
    return _drawn(torch.randn, z.shape, z, generator)


def _drawn(draw: Callable[..., Tensor], shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random numbers from the generator wherever it lives, on the device of ``like``."""
    source = generator.device if generator is not None else torch.device("cpu")
    return draw(shape, generator=generator, device=source).to(like.device)


def noised_codes(z: Tensor, prior: NormalPrior, generator: torch.Generator | None = None, power: float = 1.0) -> Tensor:
    """Return z' [N, D] of codes z [N, D], each moved towards a density by a level of noise of its own; differentiable.

    Levels are 0.8 u^power, u ~ U(0, 1): with a power above 1 more codes have next to nothing left of themselves.
    """
    source = generator.device if generator is not None else torch.device("cpu")
    level = HIGHEST_LEVEL * torch.rand(len(z), 1, generator=generator, device=source).to(z.device) ** power
    return prior.diffuse(z, level, generator)
