"""More like these: points between the codes of a few given molecules.

Each draw lies somewhere within the triangle of three of the given codes, chosen anew, every point of it as likely (two of two;
about a single one it is a step of 0.3 standard deviations of the training codes). A set of molecules as what a new one is drawn
from is the neural statistician's idea (Edwards & Storkey 2016, https://arxiv.org/abs/1606.02185; Hewitt et al. 2018,
https://arxiv.org/abs/1807.08919); here it needs no training, and works with any model. A Gaussian fitted to the codes was tried
instead: in so many dimensions its draws lie far from every code, where the decoder writes anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.data.given import read_molecules
from chemvae.errors import NothingUsableError
from chemvae.models.vae import MolVAE

CORNERS = 3
WIDTH_OF_ONE = 0.3


def codes_of(model: MolVAE, molecules: Any) -> np.ndarray:
    """Codes [K, D] of those of the molecules that can be encoded.

    Raises
    ------
    NothingUsableError
        If none can.
    """
    given = read_molecules(molecules)
    codes = model.encode([one for one in given.smiles if one is not None])
    usable = codes[~np.isnan(codes).any(axis=1)]
    if not len(usable):
        why = next((reason for reason in model.encode_reasons(molecules) if reason), "there are none")
        raise NothingUsableError(f"None of the {len(given):,} molecules to be like can be encoded; the first: {why}.")
    return usable


def blend(codes: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n points [n, D], each within the triangle of three of the codes [K, D].

    Examples
    --------
    >>> found = blend(np.array([[0.0], [1.0]]), 1_000, np.random.default_rng(0))
    >>> bool((found >= 0).all() and (found <= 1).all()), round(float(found.mean()), 1)
    (True, 0.5)
    """
    corners = min(CORNERS, len(codes))
    chosen = rng.random((n, len(codes))).argpartition(corners - 1, axis=1)[:, :corners]  # [n, corners], none twice
    weights = rng.dirichlet(np.ones(corners), n)
    return np.einsum("nc,ncd->nd", weights, codes[chosen])


def draw_like(model: MolVAE, molecules: Any, n: int, seed: int = 0) -> Tensor:
    """Draw z [n, D] where molecules lie that belong with the given ones, on the model's device.

    Parameters
    ----------
    model : MolVAE
    molecules : as in :meth:`MolVAE.encode`
        One or more; what cannot be encoded is left out.
    n : int
    seed : int
    """
    codes, rng = codes_of(model, molecules).astype(np.float64), np.random.default_rng(seed)
    if len(codes) == 1:
        start = torch.from_numpy(codes).float().expand(n, -1)
        step = torch.from_numpy(WIDTH_OF_ONE * rng.standard_normal(start.shape)).float()
        return model.latent_space.move(start, step * model.latent_statistics.std.cpu()).to(model.device)
    return model.latent_space.project(torch.from_numpy(blend(codes, n, rng)).float()).to(model.device)
