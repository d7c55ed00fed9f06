"""Posterior families by name."""

from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.gaussian import DiagonalGaussian

POSTERIORS = {"gaussian": DiagonalGaussian}

__all__ = ["POSTERIORS", "DiagonalGaussian", "Posterior", "PosteriorFamily"]
