"""chemvae: design molecules in the latent space of a fast SMILES variational autoencoder."""

from __future__ import annotations

import importlib
import os

from chemvae.deprecation import modules

# Batches differ in length, and torch keeps a compiled product for each of 1,024 shapes, 300 MB after an hour of training. With
# room for 64 the tiny preset loses 6 % of its speed to compiling again.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
os.environ.setdefault("LRU_CACHE_CAPACITY", "256")

__version__ = "0.1.0"
modules.install()

_HOMES = {
    "load": "chemvae.api",
    "check": "chemvae.api",
    "prepare": "chemvae.api",
    "train": "chemvae.api",
    "evaluate": "chemvae.api",
    "encode": "chemvae.api",
    "decode": "chemvae.api",
    "sample": "chemvae.sampling",
    "fit": "chemvae.api",
    "predict": "chemvae.api",
    "interpolate": "chemvae.sampling",
    "neighbourhood": "chemvae.sampling",
    "neighbors": "chemvae.api",
    "edit": "chemvae.api",
    "complete": "chemvae.api",
    "show": "chemvae.tables.drawn",
    "optimize": "chemvae.api",
    "map": "chemvae.api",
    "Progress": "chemvae.progress",
    "CancelToken": "chemvae.progress",
    "MolVAE": "chemvae.models.vae",
    "Oracle": "chemvae.design",
    "Goal": "chemvae.design",
    "Constraint": "chemvae.design",
    "ChemVAEError": "chemvae.errors",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    """Hand the public names on when they are first used, so that importing chemvae stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'chemvae' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
