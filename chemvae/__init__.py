"""chemvae: design molecules in the latent space of a fast SMILES variational autoencoder."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from chemvae.deprecation import modules

if TYPE_CHECKING:
    from chemvae import library as library
    from chemvae.api import check as check
    from chemvae.api import complete as complete
    from chemvae.api import decode as decode
    from chemvae.api import edit as edit
    from chemvae.api import encode as encode
    from chemvae.api import evaluate as evaluate
    from chemvae.api import fit as fit
    from chemvae.api import load as load
    from chemvae.api import map as map
    from chemvae.api import map_lattice as map_lattice
    from chemvae.api import neighbors as neighbors
    from chemvae.api import optimize as optimize
    from chemvae.api import predict as predict
    from chemvae.api import prepare as prepare
    from chemvae.api import search as search
    from chemvae.api import serve as serve
    from chemvae.api import train as train
    from chemvae.citing import cite as cite
    from chemvae.design import Constraint as Constraint
    from chemvae.design import Goal as Goal
    from chemvae.design import Oracle as Oracle
    from chemvae.errors import ChemVAEError as ChemVAEError
    from chemvae.models.vae import MolVAE as MolVAE
    from chemvae.progress import CancelToken as CancelToken
    from chemvae.progress import Progress as Progress
    from chemvae.sampling import interpolate as interpolate
    from chemvae.sampling import neighbourhood as neighbourhood
    from chemvae.sampling import sample as sample
    from chemvae.tables.drawn import show as show

# Batches differ in length, and torch keeps a compiled product for each of 1,024 shapes, 300 MB after an hour of training. With
# room for 64 the tiny preset loses 6 % of its speed to compiling again.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
os.environ.setdefault("LRU_CACHE_CAPACITY", "256")

__version__ = "0.2.0"
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
    "map_lattice": "chemvae.api",
    "cite": "chemvae.citing",
    "search": "chemvae.api",
    "serve": "chemvae.api",
    "library": "chemvae.library",
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
    home = importlib.import_module(_HOMES[name])
    return home if home.__name__ == f"chemvae.{name}" else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
