"""Molecules out of latent space."""

from chemvae.sampling.inversion import invert
from chemvae.sampling.masked import decode_masked
from chemvae.sampling.paths import interpolate
from chemvae.sampling.property_values import usual_properties
from chemvae.sampling.ranking import DecodeSettings, decode_beam, decode_best_of, decode_points
from chemvae.sampling.sampler import best_of, draw_latents, neighbourhood, sample

__all__ = [
    "DecodeSettings",
    "best_of",
    "decode_beam",
    "decode_best_of",
    "decode_masked",
    "decode_points",
    "draw_latents",
    "interpolate",
    "invert",
    "neighbourhood",
    "sample",
    "usual_properties",
]
