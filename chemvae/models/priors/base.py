"""The contract of a prior: a density over z to sample from, fitted to codes after training or trained with the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from chemvae.models.posteriors import PosteriorFamily, diagonal_parameters
from chemvae.seeding import forked_rng

HIGHEST_LEVEL = 0.8


class Prior(nn.Module):
    """Interface: ``sample(n, generator) -> [n, D]`` and ``log_prob(z [N, D]) -> [N]``, from :meth:`distribution` by default.

    A prior that can be fitted to codes once the weights stand is a :class:`FittedPrior`. One that a model can be trained with
    says so in ``is_trainable``. :meth:`fitted_for` and :meth:`trained_for` make either of them for a posterior family; by
    default both are made of the number of dimensions.
    """

    is_trainable = False
    space_kinds: tuple[str, ...] = ("flat",)
    """Kinds of latent space it is a density on (:mod:`chemvae.models.latent_space`)."""

    @classmethod
    def fitted_for(cls, family: PosteriorFamily) -> Prior:
        """One to be fitted to the codes of a family; nothing of it is trained."""
        return cls(family.latent_dim).requires_grad_(False)

    @classmethod
    def trained_for(cls, family: PosteriorFamily, hidden_dim: int) -> Prior:
        """One whose parameters are trained with the model; ``hidden_dim`` is H of the h that the family reads."""
        return cls(family.latent_dim)

    def distribution(self) -> Distribution:
        raise NotImplementedError

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z [n, D]."""
        with forked_rng(generator):
            return self.distribution().sample((n,))

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [N] in nats of z [N, D]; differentiable."""
        return self.distribution().log_prob(z)

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Move z [N, D] towards a fresh draw, keeping ``level`` [N, 1] of its deviation; differentiable."""
        raise NotImplementedError


class FittedPrior(Prior):
    """A prior that can be fitted to codes once the weights stand."""

    fit_points: int
    """Draws worth fitting to."""

    def fit(self, z: np.ndarray, seed: int = 0) -> FittedPrior:
        """Fit to draws z [N, D]; the prior itself comes back."""
        raise NotImplementedError


class NormalPrior(Prior):
    """N(0, I) in D dimensions; as what a model is trained with, the posterior family's own prior."""

    is_trainable = True
    space_kinds: tuple[str, ...] = ("flat", "sphere")
    loc: Tensor

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent_dim))

    @classmethod
    def trained_for(cls, family: PosteriorFamily, hidden_dim: int) -> Prior:
        return FamilyPrior(family)

    def distribution(self) -> Distribution:
        return Independent(Normal(self.loc, torch.ones_like(self.loc)), 1)

    def diffuse(self, z: Tensor, level: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Move z [N, D] towards a fresh draw, keeping ``level`` [N, 1] of its deviation; differentiable.

        z' = m + a (z - m) + sqrt(1 - a^2) s e with e ~ N(0, I): draws of this density stay draws of it at every level a, those
        of a mixture within their component. One step of a variance-preserving diffusion (Ho et al. 2020, equation 4,
        https://arxiv.org/abs/2006.11239).
        """
        return level * z + (1 - level.square()).sqrt() * noise_like(z, generator)


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
        """As :meth:`NormalPrior.diffuse`; mean and covariance stay for every prior, and the density where it is a Gaussian
        or uniform on a sphere."""
        parameters = diagonal_parameters(self.distribution())
        if parameters is None:
            loc = self.distribution().mean
            moved = loc + level * (z - loc) + (1 - level.square()).sqrt() * (self.sample(len(z), generator) - loc)
            return self._family[0].space.project(moved)
        loc, scale = parameters
        return loc + level * (z - loc) + (1 - level.square()).sqrt() * scale * noise_like(z, generator)


def space_complaint(name: str, family: Any, setting: str, table: Mapping[str, type[Prior]]) -> str | None:
    """Say where a prior is no density on the space that a family's codes lie in, naming those that are; None where it is."""
    kind = family.space.kind
    fitting = [key for key, one in table.items() if kind in getattr(one, "space_kinds", ("flat",))]
    if name in fitting:
        return None
    return (
        f"{setting} '{name}' is a density over all of R^D and the posterior's codes lie on a {kind}: take the {setting} "
        f"{' or '.join(fitting)} with it"
    )


def noise_like(z: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal draws like z."""
    return drawn_like(torch.randn, z.shape, z, generator)


def drawn_like(draw: Callable[..., Tensor], shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random numbers from the generator wherever it lives, on the device of ``like``."""
    source = generator.device if generator is not None else torch.device("cpu")
    return draw(shape, generator=generator, device=source).to(like.device)


def noised_codes(z: Tensor, prior: Prior, generator: torch.Generator | None = None, power: float = 1.0) -> Tensor:
    """Return z' [N, D] of codes z [N, D], each moved towards a density by a level of noise of its own; differentiable.

    Levels are 0.8 u^power, u ~ U(0, 1): with a power above 1 more codes have next to nothing left of themselves.
    """
    source = generator.device if generator is not None else torch.device("cpu")
    level = HIGHEST_LEVEL * torch.rand(len(z), 1, generator=generator, device=source).to(z.device) ** power
    return prior.diffuse(z, level, generator)
