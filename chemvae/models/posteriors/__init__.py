"""Posterior families by name."""

from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.deterministic import Deterministic
from chemvae.models.posteriors.full import FullGaussian
from chemvae.models.posteriors.gaussian import DiagonalGaussian, diagonal_parameters, gaussian_posterior, is_standard_normal
from chemvae.models.posteriors.iaf import InverseAutoregressiveFlow
from chemvae.models.posteriors.mixture import MixturePosterior
from chemvae.models.posteriors.sphere import VonMisesFisherFamily

POSTERIORS: dict[str, type[PosteriorFamily]] = {
    "gaussian": DiagonalGaussian,
    "full": FullGaussian,
    "iaf": InverseAutoregressiveFlow,
    "mixture": MixturePosterior,
    "vmf": VonMisesFisherFamily,
    "deterministic": Deterministic,
}

__all__ = [
    "POSTERIORS",
    "Deterministic",
    "DiagonalGaussian",
    "FullGaussian",
    "InverseAutoregressiveFlow",
    "MixturePosterior",
    "Posterior",
    "PosteriorFamily",
    "VonMisesFisherFamily",
    "diagonal_parameters",
    "gaussian_posterior",
    "is_standard_normal",
]
