"""Molecules out of latent space."""

from chemvae.sampling.sampler import best_of, interpolate, neighbourhood, sample

__all__ = ["best_of", "interpolate", "neighbourhood", "sample"]
