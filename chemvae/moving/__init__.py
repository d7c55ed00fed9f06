"""Moving through latent space: what lies around a molecule, along a property, and on the way that another change shows."""

from chemvae.moving.analogies import analogy_path
from chemvae.moving.editing import EditSettings, edit_molecule
from chemvae.moving.surroundings import AroundSettings, around
from chemvae.moving.vectors import AttributeVector, fit_vector
from chemvae.moving.walks import random_walk

__all__ = [
    "AroundSettings",
    "AttributeVector",
    "EditSettings",
    "analogy_path",
    "around",
    "edit_molecule",
    "fit_vector",
    "random_walk",
]
