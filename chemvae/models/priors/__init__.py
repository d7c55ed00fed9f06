"""Densities over z by name: what a model is trained with, and what is fitted to its codes afterwards."""

from __future__ import annotations

from typing import cast

from chemvae.models.posteriors import PosteriorFamily
from chemvae.models.priors.autoregressive import AutoregressivePrior
from chemvae.models.priors.base import (
    HIGHEST_LEVEL,
    FamilyPrior,
    FittedPrior,
    NormalPrior,
    Prior,
    noised_codes,
    space_complaint,
)
from chemvae.models.priors.fitting import Standardised
from chemvae.models.priors.flow import FlowPrior
from chemvae.models.priors.gaussian import GaussianPrior
from chemvae.models.priors.mixture import MixturePrior, TrainedMixture
from chemvae.models.priors.sphere import SphericalMixture
from chemvae.models.priors.vamp import VampPrior

PRIORS: dict[str, type[Prior]] = {
    "normal": NormalPrior,
    "gaussian": GaussianPrior,
    "mixture": MixturePrior,
    "flow": FlowPrior,
    "vamp": VampPrior,
    "autoregressive": AutoregressivePrior,
}
"""A prior that can be the learned one has ``fit(z, seed)``; one that a model can be trained with is ``is_trainable``."""


def learned_priors() -> list[str]:
    """Names in PRIORS of those that can be fitted to codes."""
    return [name for name, one in PRIORS.items() if hasattr(one, "fit")]


def trained_priors() -> list[str]:
    """Names in PRIORS of those that a model can be trained with."""
    return [name for name, one in PRIORS.items() if one.is_trainable]


def quick_prior(kind: str, family: PosteriorFamily) -> FittedPrior:
    """A learned prior that is fitted in seconds, for use while a model trains: of this kind, a mixture instead of a network."""
    return cast(FittedPrior, PRIORS["mixture" if issubclass(PRIORS[kind], Standardised) else kind].fitted_for(family))


__all__ = [
    "HIGHEST_LEVEL",
    "PRIORS",
    "AutoregressivePrior",
    "FamilyPrior",
    "FittedPrior",
    "FlowPrior",
    "GaussianPrior",
    "MixturePrior",
    "NormalPrior",
    "Prior",
    "SphericalMixture",
    "TrainedMixture",
    "VampPrior",
    "learned_priors",
    "noised_codes",
    "quick_prior",
    "space_complaint",
    "trained_priors",
]
