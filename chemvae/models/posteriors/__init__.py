"""Posterior families by name."""

from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.gaussian import DiagonalGaussian, diagonal_parameters, gaussian_posterior, is_standard_normal

POSTERIORS = {"gaussian": DiagonalGaussian}

__all__ = [
    "POSTERIORS",
    "DiagonalGaussian",
    "Posterior",
    "PosteriorFamily",
    "diagonal_parameters",
    "gaussian_posterior",
    "is_standard_normal",
]
